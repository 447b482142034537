import { describe, expect, it } from 'vitest';
import { lintDocument } from '#core/lint/lint';
import type { LintTarget } from '#core/lint/rule';
import { mended } from './mend.js';
import { manifestsIn } from './read-manifests.js';

function fixed(text: string, target: LintTarget): string {
  let now = text;
  for (;;) {
    const found = manifestsIn('x.yaml', now).documents.flatMap(({ value }, place) =>
      lintDocument(value, { target, cards: null, audited: [], headroom: 0.1 }).map((one) => ({
        ...one,
        place,
      })),
    );
    const next = found.find(({ edits }) => edits.length > 0);
    if (next === undefined) return now;
    now = mended(now, next.place, next.edits);
  }
}

const manifest = `# ours
apiVersion: v1
kind: Pod
metadata:
    name: x
    annotations:
        text: >-
            folded
            here
spec:
    containers:
    - name: main   # the main one
      command: [ "sh",  "-c" ]
      args:
      - |
          one  

            two # no comment
      resources:
          # what it needs
          limits:
              'nvidia.com/mig-1g.24gb': "1"   # one
    - { name: side, image: y, resources: { limits: { nvidia.com/mig-1g.24gb: 1 } } }

    restartPolicy: Never  # really
`;

/** Lines of the first that the second has not, in their order. */
function gone(before: string, after: string): readonly string[] {
  const left = after.split('\n');
  return before.split('\n').filter((line) => {
    const at = left.indexOf(line);
    if (at === -1) return true;
    left.splice(0, at + 1);
    return false;
  });
}

describe('--fix touches the lines that it is about, and no others', () => {
  it.each([
    ['gke', ['nvidia.com/mig-1g.24gb\': "1"   # one', '{ name: side']],
    ['dra', ['limits:', 'nvidia.com/mig-1g.24gb\': "1"   # one', '{ name: side']],
    ['gpu-operator', []],
  ] as const)('%s', (target, lines) => {
    const after = fixed(manifest, target);
    expect(after).not.toBe(manifest);
    expect(gone(manifest, after)).toEqual(lines.map((line) => expect.stringContaining(line)));
    expect(fixed(after, target)).toBe(after);
  });

  it('the ends of lines stay what they were', () => {
    const after = fixed(manifest.replaceAll('\n', '\r\n'), 'dra');
    expect(after.replaceAll('\r\n', '')).not.toContain('\n');
    expect(after.replaceAll('\r\n', '\n')).toBe(fixed(manifest, 'dra'));
  });

  it('a file that does not end its last line', () => {
    const text = manifest.trimEnd();
    expect(fixed(text, 'gke').trimEnd()).toBe(fixed(manifest, 'gke').trimEnd());
  });

  it.each(['', ' null', ' {}', ' ""', ' []'])('nodeSelector:%s', (nothing) => {
    const text = manifest.replace('spec:\n', `spec:\n    nodeSelector:${nothing}\n`);
    expect(fixed(text, 'gke')).toMatch(
      /nodeSelector:\s+\{? ?cloud.google.com\/gke-gpu-partition-size: 1g.24gb/,
    );
  });

  it('what stands in two places by reference is written out', () => {
    const text = `apiVersion: v1
kind: Pod
metadata: { name: x }
spec:
  containers:
    - name: a
      resources: &same
        limits: { nvidia.com/mig-1g.24gb: 1 }
    - name: b
      resources: *same
`;
    const after = fixed(text, 'gke');
    expect(after.match(/nvidia\.com\/gpu: 1/g)).toHaveLength(2);
    expect(after).not.toMatch(/[&*]same/);
  });
});
