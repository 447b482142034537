import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { emit, emitTargets, type EmitTarget } from '#engines/emit/emit';
import type { Emission } from '#engines/emit/emission';
import { temporaryFolder } from '../tooling/clone.js';
import { requires } from '../tooling/requires.js';
import { run } from '../tooling/run.js';
import { anyPlan } from './any-plan.js';
import { examples } from './example-plans.js';
import { fill, gpu, options, planOf, rtx } from './plans.js';
import { faultsIn, faultsOf } from './schemas.js';

interface KubernetesObject {
  readonly metadata: { annotations?: Record<string, string>; labels?: Record<string, string> };
}

const chosen = { ...options, gke: { attributeSpelling: '.' } } as const;

/** Every emission of every example, also for the targets whose output is not kept whole. */
const emissions = examples.flatMap(({ name, plan, options: own }) =>
  emitTargets.map((target) => ({ name, target, emission: emit(target, plan, own) })),
);

/** A plan whose names want to do harm, in one size so that no target refuses it. */
const harm = '"; touch pwned; $(touch pwned) `touch pwned`\n---\nkind: Secret # ';
const card = gpu('g4-standard-48-1', 0, rtx, '2g.48gb:0', '2g.48gb:6');
const harmful = planOf({
  layouts: [card],
  assignment: fill(harm, card),
  machines: [{ machineType: 'g4-standard-48', count: 1, gpusEach: 1, usdPerHour: null }],
  unplaced: [{ need: harm, count: 1, why: harm }],
});
const harmfulOptions = {
  ...options,
  image: harm,
  gke: { project: harm, cluster: harm, location: harm, nodeZone: harm },
};

function filesOf(emission: Emission) {
  if (!emission.ok) throw new Error(emission.why.message);
  return emission.files;
}

describe.each(emitTargets)('%s', { timeout: 60_000 }, (target) => {
  it('answers any plan with sound files or a reason', () => {
    let emitted = 0;
    fc.assert(
      fc.property(anyPlan, (plan) => {
        const emission = emit(target, plan, chosen);
        if (!emission.ok) {
          expect(emission.why.message).not.toBe('');
          expect(emission.why.instead).toMatch(/\S\.$/);
          return;
        }
        emitted += 1;
        const paths = emission.files.map(({ path }) => path);
        expect(new Set(paths).size).toBe(paths.length);
        for (const path of paths)
          expect(path).toMatch(/^([a-zA-Z0-9][-a-zA-Z0-9]*\/)?[a-zA-Z0-9][-a-zA-Z0-9]*\.[a-z]+$/);
        expect(emission.files.flatMap((file) => faultsIn(file))).toEqual([]);
      }),
      { numRuns: 150 },
    );
    expect(emitted).toBeGreaterThan(5);
  });

  it('gives the same files for the same plan, whatever was emitted before', () => {
    const [first, second] = [emit(target, harmful, options), emit(target, harmful, options)];
    expect(second).toEqual(first);
  });

  it('runs nothing that a name tries to smuggle in', async () => {
    const folder = temporaryFolder();
    for (const tool of ['gcloud', 'kubectl', 'nvidia-smi']) {
      mkdirSync(join(folder, 'bin'), { recursive: true });
      writeFileSync(join(folder, 'bin', tool), '#!/bin/sh\nexit 0\n', { mode: 0o755 });
    }
    const scripts = filesOf(emit(target, harmful, harmfulOptions)).filter(({ path }) => path.endsWith('.sh'));
    for (const { path, content } of scripts) {
      writeFileSync(join(folder, path), content);
      await run('bash', [path, 'g4-standard-48-1=$(touch pwned)'], {
        cwd: folder,
        env: { PATH: `${folder}/bin:/usr/bin:/bin` },
      });
    }
    expect((await run('ls', ['-R', folder])).stdout).not.toContain('pwned\n');
    const documents = filesOf(emit(target, harmful, harmfulOptions))
      .filter(({ path }) => path.endsWith('.yaml'))
      .flatMap(({ content }) =>
        parseAllDocuments(content).map((document) => document.toJS() as { kind?: string }),
      );
    expect(documents.map(({ kind }) => kind)).not.toContain('Secret');
  });

  it('says what the plan could not place', () => {
    const emission = emit(target, { ...harmful, unplaced: [{ need: 'huge', count: 2, why: '' }] }, options);
    expect(emission.ok && emission.notes.at(-1)).toContain('2 x huge');
  });

  it('refuses an empty plan', () => {
    expect(emit(target, planOf({ layouts: [] }), options)).toMatchObject({
      ok: false,
      why: { kind: 'nothing-planned' },
    });
  });
});

describe('the schemas', () => {
  it('refuse what the readers of the targets refuse', () => {
    const entry = { devices: 'all', 'mig-enabled': true, 'mig-devices': { '1g.24gb': 4 } };
    const file = (one: object) => ({ version: 'v1', 'mig-configs': { x: [one] } });
    expect(faultsOf('mig-parted', file(entry))).toEqual([]);
    expect(faultsOf('mig-parted', file({ ...entry, 'mig-device': {} }))).not.toEqual([]);
    expect(faultsOf('mig-parted', file({ devices: 'all', 'mig-enabled': true }))).not.toEqual([]);
    expect(faultsOf('mig-parted', file({ ...entry, 'mig-devices': { '1g.24gb.gfx': 1 } }))).not.toEqual([]);
    expect(
      faultsOf('mig-parted', { version: 'v1', 'mig-configs': { 'all-1g.24gb+gfx': [entry] } }),
    ).not.toEqual([]);
    expect(faultsOf('kubernetes', { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'x' } })).not.toEqual(
      [],
    );
  });
});

const shellcheck = requires('shellcheck');
describe.skipIf(shellcheck.missing)(shellcheck.title('shellcheck'), () => {
  it('finds nothing in any script', { timeout: 60_000 }, async () => {
    const folder = temporaryFolder();
    const harmfulScripts = emitTargets.map((target) => ({
      name: 'harm',
      target,
      emission: emit(target, harmful, harmfulOptions),
    }));
    const scripts = [...emissions, ...harmfulScripts].flatMap(({ name, target, emission }) =>
      (emission.ok ? emission.files : [])
        .filter(({ path }) => path.endsWith('.sh'))
        .map(({ path, content }) => ({ file: join(folder, `${name}-${target}-${path}`), content })),
    );
    expect(scripts.length).toBeGreaterThan(10);
    for (const { file, content } of scripts) writeFileSync(file, content);
    // SC2016 minds that nothing expands in single quotes: that is what the harmful names are in them for.
    const ran = await run('shellcheck', ['--exclude=SC2016', ...scripts.map(({ file }) => file)]);
    expect(ran).toEqual({ code: 0, stdout: '', stderr: '' });
  });
});

const kubectl = requires('kubectl');
describe.skipIf(kubectl.missing)(kubectl.title('kubectl'), () => {
  /** `--local`: read, typed and printed again without a cluster. */
  async function readByKubectl(...args: readonly string[]): Promise<KubernetesObject[]> {
    const ran = await run('kubectl', [...args, '--local', '-o', 'json'], {
      env: { PATH: process.env['PATH'], HOME: temporaryFolder(), KUBECONFIG: '/dev/null' },
    });
    expect(ran.stderr).toBe('');
    return JSON.parse(`[${ran.stdout.replaceAll(/^\}\n\{/gm, '},{')}]`);
  }

  const plans: readonly [string, EmitTarget, Emission][] = [
    ...emissions.map(({ name, target, emission }): [string, EmitTarget, Emission] => [
      name,
      target,
      emission,
    ]),
    ['names that want to do harm', 'gpu-operator', emit('gpu-operator', harmful, harmfulOptions)],
  ];

  it('reads every manifest as we meant it', { timeout: 60_000 }, async () => {
    const folder = temporaryFolder();
    const manifests = plans.flatMap(([name, target, emission], index) =>
      (emission.ok ? emission.files : [])
        .filter(({ path }) => /^(workloads|claims|mig-config|device-plugin-config)\.yaml$/.test(path))
        .map(({ path, content }) => ({ file: join(folder, `${index}-${target}-${path}`), name, content })),
    );
    for (const { file, content } of manifests) writeFileSync(file, content);
    const files = manifests.flatMap(({ file }) => ['-f', file]);
    const read = await readByKubectl('annotate', ...files, 'checked-by=kubectl');
    const meant = manifests.flatMap(({ content }) =>
      parseAllDocuments(content).map((document) => document.toJS() as unknown),
    );
    expect(read.length).toBe(meant.length);
    for (const [index, object] of read.entries()) {
      const { annotations = {} } = object.metadata;
      delete annotations['checked-by'];
      if (Object.keys(annotations).length === 0) delete object.metadata.annotations;
      expect(object).toEqual(meant[index]);
    }
  });

  it('merges our labels into those that a node has', async () => {
    const folder = temporaryFolder();
    const patches = filesOf(
      emissions.find(({ name, target }) => name === 'eks-fleet' && target === 'gpu-operator')!.emission,
    );
    const patch = patches.find(({ path }) => path === 'node-labels/p5-48xlarge-1.json')!;
    mkdirSync(join(folder, dirname(patch.path)));
    writeFileSync(join(folder, patch.path), patch.content);
    const node = {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name: 'n', labels: { zone: 'a', 'nvidia.com/mig.config': 'old' } },
    };
    writeFileSync(join(folder, 'node.json'), JSON.stringify(node));
    const patchFile = `--patch-file=${join(folder, patch.path)}`;
    const [patched] = await readByKubectl(
      'patch',
      '-f',
      join(folder, 'node.json'),
      '--type=merge',
      patchFile,
    );
    expect(patched?.metadata.labels).toEqual({ zone: 'a', ...JSON.parse(patch.content).metadata.labels });
  });
});
