/** `mica node apply` on a library that fails: exit code, answer and words, and the way back with `mica node restore`. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { makeMachine, type DoubleCard, type DoubleMachine } from '../native/machine.js';
import { root } from '../tooling/clone.js';
import { requires } from '../tooling/requires.js';
import { runMica, type Ran } from './run-mica.js';

const cc = requires('cc');
const h100 = { key: 'h100-80gb-sxm' };
const create = 'nvmlDeviceCreateGpuInstanceWithPlacement';
const first =
  'version: v1\nmig-configs: { a: [{ devices: all, mig-enabled: true, mig-devices: { 3g.40gb: 2 } }] }';
const other =
  'version: v1\nmig-configs: { a: [{ devices: all, mig-enabled: true, mig-devices: { 4g.40gb: 1, 3g.40gb: 1 } }] }';

interface Bench {
  readonly machine: DoubleMachine;
  readonly node: (...args: readonly string[]) => Promise<Ran>;
  /** Applies the file, whatever it takes away. */
  readonly apply: (file: string, ...args: readonly string[]) => Promise<Ran>;
  readonly env: Readonly<Record<string, string>>;
  readonly holds: () => Promise<readonly string[]>;
}

function bench(cards: readonly DoubleCard[]): Bench {
  const machine = makeMachine(cards);
  const state = mkdtempSync(join(tmpdir(), 'mica-faults-'));
  // A reset is nvidia-smi's work.
  vi.stubEnv('PATH', `${machine.folder}:${process.env['PATH'] ?? ''}`);
  onTestFinished(() => {
    vi.unstubAllEnvs();
    machine.remove();
    rmSync(state, { recursive: true });
  });
  const env = { MICA_STATE_DIR: state };
  const node: Bench['node'] = (...args) =>
    runMica(['node', ...args, '--nvml-lib', machine.libraryPath], { env });
  return {
    machine,
    node,
    env,
    apply: async (text, ...args) => {
      const file = join(state, 'wanted.yaml');
      writeFileSync(file, text);
      return node('apply', '-f', file, '-c', 'a', '--yes', ...args);
    },
    holds: async () => {
      const { gpus } = JSON.parse((await node('show', '--json')).stdout) as {
        readonly gpus: readonly {
          readonly slices: readonly { readonly profile: string; readonly start: number }[];
        }[];
      };
      return gpus.map(({ slices }) =>
        slices
          .map(({ profile, start }) => `${profile}:${start}`)
          .sort()
          .join(' '),
      );
    },
  };
}

describe.skipIf(cc.missing)(cc.title('mica node apply where NVML fails'), () => {
  it.each([
    ['no room', [`fail ${create} 1 23`], [create, 'NVML 23', 'mica node show']],
    ['no rights', [`fail nvmlComputeInstanceDestroy 1 4`], ['nvmlComputeInstanceDestroy', 'run as root']],
    ['no reason', ['fail-after nvmlGpuInstanceCreateComputeInstance 1 999'], ['NVML 999', 'dmesg']],
  ] as const)('%s', async (_, faults, words) => {
    const { machine, apply, holds, node } = bench([h100]);
    expect(await apply(first)).toMatchObject({ exit: 0 });
    machine.setFaults(...faults);
    const ran = await apply(other);
    expect(ran, ran.stdout).toMatchObject({ exit: 3, stderr: '' });
    for (const word of ['rolled-back', ...words]) expect(ran.stdout).toContain(word);
    machine.setFaults();
    expect(await holds()).toEqual(['3g.40gb:0 3g.40gb:4']);
    expect(await node('restore')).toMatchObject({ exit: 0 });
    expect(await apply(other)).toMatchObject({ exit: 0 });
    expect(await holds()).toEqual(['3g.40gb:4 4g.40gb:0']);
  });

  it('a list that does not come: nothing is decided without it', async () => {
    const { machine, apply, holds } = bench([h100]);
    await apply(first);
    machine.setFaults('fail nvmlDeviceGetGpuInstances 0 10');
    const ran = await apply(other);
    expect(ran).toMatchObject({ exit: 3, stdout: '' });
    expect(ran.stderr).toMatch(
      /nvmlDeviceGetGpuInstances: timed out \(NVML 10\)[^]*What to do: .*driver-failed/,
    );
    machine.setFaults();
    expect(await holds()).toEqual(['3g.40gb:0 3g.40gb:4']);
  });

  it('somebody comes between looking and doing', async () => {
    const { machine, apply, holds } = bench([h100]);
    machine.setFaults('client nvmlDeviceSetMigMode 1 4242 0 -1 5 C nv-hostengine');
    const held = await apply(first);
    expect(held.exit).toBe(3);
    expect(held.stdout).toMatch(/rolled-back[^]*the mode was not activated[^]*mica node doctor/);
    machine.setClients([]);
    expect(await apply(first)).toMatchObject({ exit: 0 });

    machine.setFaults('client nvmlComputeInstanceDestroy 1 4711 0 1 100 C python');
    const busy = await apply(other);
    expect(busy.exit).toBe(3);
    expect(busy.stdout).toMatch(/nvmlComputeInstanceDestroy: in use/);
    expect(await holds()).toEqual(['3g.40gb:0 3g.40gb:4']);
    machine.setFaults();
    // Who came is seen the next time, before anything is tried.
    const refused = await apply(other, '--json');
    expect(refused.exit).toBe(1);
    expect(JSON.parse(refused.stdout)).toMatchObject({
      outcome: 'refused',
      gpus: [{ why: { kind: 'busy' } }],
    });
  });

  it('a machine that cannot reset its GPU', async () => {
    const { machine, node, apply } = bench([{ key: 'a100-40gb', toggle: 'after-reboot' }]);
    const file = first.replaceAll('3g.40gb', '3g.20gb');
    const waits = await apply(file);
    expect(waits.exit).toBe(3);
    expect(waits.stdout).toMatch(
      /needs-reboot[^]*what to do: reboot this machine, then run `mica node restore`/,
    );
    machine.reboot();
    expect(await node('restore')).toMatchObject({ exit: 0 });
    expect((await node('export', '--format', 'mig-parted')).stdout).toContain('"3g.20gb": 2');
  });

  it('a GPU that takes neither the new nor the old layout: what is left, and the way back', async () => {
    const { machine, node, apply, holds } = bench([h100]);
    await apply(first);
    machine.setFaults(`fail ${create} 0 23`);
    const ran = await apply(other, '--json');
    expect(ran.exit).toBe(3);
    const left = [{ profile: '3g.40gb', start: 4, size: 4 }];
    expect(JSON.parse(ran.stdout)).toMatchObject({
      outcome: 'failed',
      gpus: [{ outcome: 'failed', kept: left, left: { mig: true, placements: left } }],
    });
    expect(ran.stdout).toContain(
      'GPU 0 holds 3g.40gb:4; mend what the reason names, then run `mica node restore`',
    );
    expect(await holds()).toEqual(['3g.40gb:4']);
    expect(await apply(other)).toMatchObject({
      exit: 1,
      stdout: expect.stringContaining('run `mica node restore` first'),
    });
    expect(await node('restore')).toMatchObject({ exit: 3 });
    machine.setFaults();
    expect(await node('restore')).toMatchObject({ exit: 0 });
    expect(await holds()).toEqual(['3g.40gb:0 3g.40gb:4']);
    expect(await apply(other)).toMatchObject({ exit: 0 });
    const kept = machine.calls().filter(({ call, at }) => call.endsWith('Destroy') && at['start'] === 4);
    expect(kept).toEqual([]);
  });

  it('as processes', async () => {
    const { machine, env, holds } = bench([h100]);
    const file = join(env['MICA_STATE_DIR'] ?? '', 'wanted.yaml');
    writeFileSync(file, first);
    const mica = (...args: readonly string[]) =>
      spawnSync(join(root, 'bin/mica'), ['node', ...args, '--nvml-lib', machine.libraryPath], {
        env: { ...process.env, ...env },
        encoding: 'utf8',
      });
    machine.setFaults(`fail ${create} 2 999`);
    const failed = mica('apply', '-f', file, '-c', 'a', '--yes');
    expect(failed.status, failed.stderr).toBe(3);
    expect(failed.stdout).toMatch(/^rolled-back[^]*nvmlDeviceCreateGpuInstanceWithPlacement[^]*NVML 999/);
    expect(await holds()).toEqual(['']);
    machine.setFaults();
    expect(mica('restore').status).toBe(0);
    expect(mica('apply', '-f', file, '-c', 'a', '--yes').status).toBe(0);
    expect(await holds()).toEqual(['3g.40gb:0 3g.40gb:4']);
  });
});
