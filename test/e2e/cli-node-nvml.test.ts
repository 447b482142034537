/** `mica node` through NVML: the commands of a day on the C double of the library. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { makeMachine } from '../native/machine.js';
import { root } from '../tooling/clone.js';
import { requires } from '../tooling/requires.js';
import { runMica } from './run-mica.js';

const cc = requires('cc');
const migParted = join(root, 'fixtures/node/mig-parted.yaml');

describe.skipIf(cc.missing)(cc.title('mica node on the double of NVML'), () => {
  it('sees, applies, asserts, undoes, restores', async () => {
    const machine = makeMachine([
      { key: 'h100-80gb-sxm' },
      { key: 'h100-80gb-sxm' },
      { key: 'rtx-pro-6000-blackwell-server' },
    ]);
    const state = mkdtempSync(join(tmpdir(), 'mica-state-'));
    onTestFinished(() => {
      machine.remove();
      rmSync(state, { recursive: true });
    });
    const node = (...args: readonly string[]) =>
      runMica(['node', ...args, '--nvml-lib', machine.libraryPath], { env: { MICA_STATE_DIR: state } });

    expect((await node('show')).stdout).toContain('MIG off');
    expect((await node('doctor')).stdout).toContain('gpu-2   ok      driver');

    const applied = await node('apply', '-f', migParted, '-c', 'all-balanced');
    expect(applied, applied.stdout + applied.stderr).toMatchObject({ exit: 0 });
    expect(await node('assert', '-f', migParted, '-c', 'all-balanced')).toMatchObject({ exit: 0 });

    const seen = JSON.parse((await node('show', '--json')).stdout);
    const slices = seen.gpus.map((gpu: { slices: readonly { profile: string }[] }) =>
      gpu.slices.map(({ profile }) => profile).sort(),
    );
    const balanced = ['1g.10gb', '1g.10gb', '2g.20gb', '3g.40gb'];
    expect(slices).toEqual([balanced, balanced, ['1g.24gb', '1g.24gb', '2g.48gb']]);

    const half = seen.gpus[0].slices.find(({ profile }: { profile: string }) => profile === '3g.40gb');
    const client = { pid: 4_211_111, gpu: 0, instanceId: half.id, memoryMiB: 500, name: 'python' };
    machine.setClients([client]);
    const busy = await node('apply', '-f', migParted, '-c', 'all-1g.10gb', '--yes', '--json');
    expect(busy.exit).toBe(1);
    expect(JSON.parse(busy.stdout).gpus[0].why).toMatchObject({
      kind: 'busy',
      holders: [{ pid: client.pid, placement: { profile: '3g.40gb' } }],
    });
    expect((await node('metrics')).stdout).toMatch(/mica_slice_in_use\{gpu="0",[^\n]*3g\.40gb[^\n]*\} 1/);

    machine.setClients([]);
    const layout = join(state, 'layout.yaml');
    writeFileSync(layout, (await node('export', '--node', 'here')).stdout);
    expect(await node('clear', '--yes')).toMatchObject({ exit: 0 });
    expect(await node('assert', '-f', layout)).toMatchObject({ exit: 1 });
    expect(await node('undo', '--yes')).toMatchObject({ exit: 0 });
    expect(await node('assert', '-f', layout)).toMatchObject({ exit: 0 });

    machine.reboot();
    expect(await node('assert', '-f', layout)).toMatchObject({ exit: 1 });
    const restored = await node('restore');
    expect(restored, restored.stdout).toMatchObject({ exit: 0 });
    expect(await node('assert', '-f', layout)).toMatchObject({ exit: 0 });
    expect((await node('history')).stdout).toMatch(/restore {2}done[^]*undo {2}done[^]*apply {2}done/);
  });

  it('says what is missing where there is no library', async () => {
    const { stderr, exit } = await runMica(['node', 'show', '--nvml-lib', '/nowhere/libnvidia-ml.so.1']);
    expect(exit).toBe(3);
    expect(stderr).toContain('--driver simulated');
  });
});
