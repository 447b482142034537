/** MICA_NVML_LIB runs the contract on another library: reading only, unless MICA_NVML_ALLOW_CHANGES=1 says otherwise. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openNvml } from '#adapters/nvml/driver';
import { requires } from '../tooling/requires.js';
import { changing } from './fault-scenarios.js';
import { makeMachine, type DoubleMachine } from './machine.js';
import { valueOf } from './open-double.js';
import { setUpOther } from './other-library.js';

const cc = requires('cc');
const root = fileURLToPath(new URL('../../', import.meta.url));
const keys = ['h100-80gb-sxm', 'a30-24gb', 'rtx-pro-6000-blackwell-server'];

describe.skipIf(cc.missing)(cc.title('the contract on another library'), () => {
  it('only reads', async () => {
    const machine = machineOf(keys);
    machine.setMode(0, true);
    const passed = await runContract(machine, {});
    expect(passed.length).toBeGreaterThan(3);
    expect(changesOf(machine)).toEqual([]);
  });

  it('changes where it may, and puts everything back', async () => {
    const machine = machineOf(keys);
    const passed = await runContract(machine, { MICA_NVML_ALLOW_CHANGES: '1' });
    expect(passed).toContain('leaves what a model of an H100 has');
    expect(passed).toContain('waits for a reset on Ampere');
    expect(changesOf(machine).length).toBeGreaterThan(100);
    const driver = await openNvml(machine);
    for (const { uuid, mig } of await valueOf(driver.gpus())) {
      expect(mig).toEqual({ current: false, pending: false });
      expect(await valueOf(driver.instances(uuid))).toEqual([]);
    }
    await driver.close();
  });

  it('does not begin where somebody is at work', async () => {
    const machine = machineOf(keys);
    machine.setMode(2, true);
    await expect(setUpOther(machine)).rejects.toThrow('GPU 2 is not idle with MIG off');
    machine.setMode(2, false);
    machine.setClients([{ pid: 4711, gpu: 1, instanceId: null, memoryMiB: 1 }]);
    await expect(setUpOther(machine)).rejects.toThrow('GPU 1 is not idle with MIG off');
    expect(changesOf(machine)).toEqual([]);
  });
});

function machineOf(cards: readonly string[]): DoubleMachine {
  const machine = makeMachine(cards.map((key) => ({ key })));
  onTestFinished(machine.remove);
  return machine;
}

function changesOf(machine: DoubleMachine): readonly string[] {
  return machine
    .calls()
    .map(({ call }) => call)
    .filter((call) => call in changing);
}

/** The titles of the cases that passed; none may fail. */
async function runContract(
  machine: DoubleMachine,
  more: Readonly<Record<string, string>>,
): Promise<readonly string[]> {
  const args = ['node_modules/vitest/vitest.mjs', 'run', '--reporter=json', '-t', 'MICA_NVML_LIB='];
  const env = { ...process.env, MICA_NVML_ALLOW_CHANGES: '', ...more, MICA_NVML_LIB: machine.libraryPath };
  const output = await new Promise<string>((resolve) => {
    execFile(
      process.execPath,
      [...args, 'test/native/nvml-contract.test.ts'],
      { cwd: root, env },
      (_, stdout) => resolve(stdout),
    );
  });
  const report = JSON.parse(output.slice(output.indexOf('{'))) as {
    readonly testResults: readonly {
      readonly assertionResults: readonly { readonly status: string; readonly title: string }[];
    }[];
  };
  const results = report.testResults.flatMap(({ assertionResults }) => assertionResults);
  expect(results.filter(({ status }) => status === 'failed')).toEqual([]);
  return results.filter(({ status }) => status === 'passed').map(({ title }) => title);
}
