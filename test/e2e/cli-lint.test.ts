import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { parseAllDocuments, stringify } from 'yaml';
import { runMica } from './run-mica.js';

const folder = mkdtempSync(join(tmpdir(), 'mica-lint-'));
afterAll(() => rmSync(folder, { recursive: true }));

const manifest = `# the search team's
apiVersion: apps/v1
kind: Deployment
metadata:
  name: bert
  namespace: search
spec:
  template:
    spec:
      containers:
      - name: main
        image: bert:1
        resources:
          limits:
            # one slice
            nvidia.com/mig-1g.24gb: 1
---
# not ours
apiVersion: v1
kind: Service
metadata:   { name: bert }
---
apiVersion: v1
kind: ConfigMap
metadata: { name: mig }
data:
  config.yaml: |
    version: v1
    mig-configs:
      mine:
        - devices: all
          device-filter: "0x2BB510DE"
          mig-enabled: true
          mig-devices: { "1g.24gb": 5 }
`;

function file(text: string): string {
  const path = join(folder, `${String(Math.random()).slice(2)}.yaml`);
  writeFileSync(path, text);
  return path;
}

interface Answer {
  readonly ok: boolean;
  readonly findings: readonly {
    readonly rule: string;
    readonly line: number;
    readonly fixable: boolean;
    readonly fixed: boolean;
  }[];
}

async function lint(...args: readonly string[]): Promise<Answer & { readonly exit: number }> {
  const { stdout, exit } = await runMica(['lint', '--json', ...args]);
  return { ...(JSON.parse(stdout) as Answer), exit };
}

it('says what, where and what to do; exit 1', async () => {
  const path = file(manifest);
  const { stdout, exit } = await runMica(['lint', '-f', path, '--target', 'gke']);
  expect(stdout.replaceAll(path, 'bert.yaml')).toMatchInlineSnapshot(`
    "bert.yaml:16:13  error  GKE has no resource nvidia.com/mig-1g.24gb: the pod would pend for ever [mig-resource-on-gke]
      ask for nvidia.com/gpu, with the node selector cloud.google.com/gke-gpu-partition-size: 1g.24gb (--fix does it)
    bert.yaml:34:11  error  configuration mine fits no rtx-pro-6000-blackwell-server: 5 x 1g.24gb asked, but one NVIDIA RTX PRO 6000 Blackwell Server Edition holds at most 4 [impossible-layout]
      see \`mica layout list\` for what fits together; mig-manager would find out after clearing the GPU
    3 documents in 1 file, 2 errors, 0 warnings
    "
  `);
  expect(exit).toBe(1);
});

it('--fix changes what it must, keeps remarks, and leaves other documents as they are', async () => {
  const path = file(manifest);
  const { exit, findings } = await lint('-f', path, '--target', 'gke', '--fix');
  expect(findings.map(({ rule, fixed }) => [rule, fixed])).toEqual([
    ['mig-resource-on-gke', true],
    ['impossible-layout', false],
  ]);
  expect(exit).toBe(1);
  expect(readFileSync(path, 'utf8')).toBe(
    manifest.replace(
      'nvidia.com/mig-1g.24gb: 1\n',
      'nvidia.com/gpu: 1\n      nodeSelector:\n        cloud.google.com/gke-gpu-partition-size: 1g.24gb\n',
    ),
  );
});

it('a warning alone is no failure, and --fix takes it away', async () => {
  const path = file(manifest.slice(0, manifest.indexOf('---')));
  expect(await lint('-f', path)).toMatchObject({ exit: 0, findings: [{ rule: 'toleration', line: 16 }] });
  await lint('-f', path, '--fix');
  expect((await lint('-f', path)).findings).toEqual([]);
});

it('holds slices against an audit', async () => {
  const audit = file(
    JSON.stringify({
      workloads: [
        {
          ...{ workload: 'bert', namespace: 'search', verdict: 'slice' },
          memoryMiB: { max: 30_000 },
          recommended: { model: 'rtx-pro-6000-blackwell-server', profile: '2g.48gb' },
        },
      ],
    }),
  );
  const path = file(manifest.slice(0, manifest.indexOf('---')));
  const { findings, exit } = await lint('-f', path, '--audit', audit, '--gpu', 'rtx-pro-6000');
  expect(findings.map(({ rule }) => rule)).toContain('too-small');
  expect(exit).toBe(1);
  await lint('-f', path, '--audit', audit, '--gpu', 'rtx-pro-6000', '--fix');
  expect(readFileSync(path, 'utf8')).toContain('nvidia.com/mig-2g.48gb: 1');
});

describe('input that is none', () => {
  const failure = async (...args: readonly string[]) => {
    const { stderr, exit } = await runMica(['lint', ...args]);
    expect(exit).toBe(2);
    return stderr;
  };

  it('a template, no YAML, no file, an empty folder, no audit', async () => {
    expect(await failure('-f', file('kind: {{ .Values.kind }}\n'))).toMatch(
      /is a template.*\n.*helm template/,
    );
    expect(await failure('-f', file('a: [1\n'))).toMatch(/yaml:/);
    expect(await failure('-f', join(folder, 'none.yaml'))).toMatch(/no such file/);
    expect(await failure('-f', mkdtempSync(join(folder, 'empty-')))).toMatch(/no \*\.yaml/);
    expect(await failure('-f', file(manifest), '--audit', file('{}'))).toMatch(
      /is not the answer of `mica audit/,
    );
  });
});

it('law: --fix comes to an end, and leaves nothing that it could mend', async () => {
  const resource = fc.constantFrom(
    ...['nvidia.com/gpu', 'nvidia.com/mig-1g.24gb', 'nvidia.com/mig-2g.48gb', 'nvidia.com/mig-1g.24gb+me'],
    'nvidia.com/mig-9g.99gb',
  );
  const resources = fc.dictionary(resource, fc.constantFrom(1, 2, '1', 0.5), { maxKeys: 2 });
  const container = fc.record(
    {
      name: fc.constant('c'),
      image: fc.constant('i'),
      env: fc.constantFrom([], [{ name: 'NVIDIA_VISIBLE_DEVICES', value: 'all' }]),
      resources: fc.record({ limits: resources, requests: resources }, { requiredKeys: [] }),
    },
    { requiredKeys: ['name', 'image'] },
  );
  const pod = fc.record(
    {
      containers: fc.array(container, { minLength: 1, maxLength: 2 }),
      nodeSelector: fc.constantFrom({}, { 'cloud.google.com/gke-gpu-partition-size': '1g.24gb+gfx' }),
    },
    { requiredKeys: ['containers'] },
  );
  const target = fc.constantFrom('gke', 'gpu-operator', 'dra');
  await fc.assert(
    fc.asyncProperty(fc.array(pod, { minLength: 1, maxLength: 3 }), target, async (specs, to) => {
      const documents = specs.map((spec, index) =>
        stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name: `p${index}` }, spec }),
      );
      const path = file(documents.join('---\n'));
      await lint('-f', path, '--target', to, '--fix');
      const text = readFileSync(path, 'utf8');
      const again = await lint('-f', path, '--target', to);
      expect(again.findings.filter(({ fixable }) => fixable)).toEqual([]);
      const parsed = parseAllDocuments(text);
      expect(parsed.flatMap(({ errors }) => errors)).toEqual([]);
      const kinds = parsed.map((one) => (one.toJS() as { kind: string }).kind);
      expect(kinds.filter((kind) => kind === 'Pod')).toHaveLength(specs.length);
    }),
    { numRuns: 25 },
  );
});
