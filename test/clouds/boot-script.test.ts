/** The boot script, run with bash on pretended machines: the GPUs are cut before the kubelet, or it says why not. */
import { afterAll, describe, expect, it } from 'vitest';
import { bootScript } from '#core/clouds/eks/boot-script';
import { cutMachine } from '#core/clouds/eks/layouts';
import { fakeGpu, instance, scrapMachines, SmiMachine } from '../emit/smi-machine.js';
import { requires } from '../tooling/requires.js';
import { run, type Ran } from '../tooling/run.js';
import { temporaryFolder } from '../tooling/clone.js';
import { join } from 'node:path';
import { writeFileSync } from 'node:fs';

const rtx = 'rtx-pro-6000-blackwell-server';
const mixed = [['2g.48gb', '1g.24gb', '1g.24gb']];

function scriptFor(machineType: string, cut: string | readonly (readonly string[])[]): string {
  const answer = cutMachine(machineType, cut);
  if (!answer.ok) throw new Error(answer.message);
  return bootScript(answer.value.gpus);
}

/** On the pretended machine's own file system, with a systemctl that only takes notes. */
function boot(machine: SmiMachine, script: string, ...args: readonly string[]): Promise<Ran> {
  const pretend = [
    'MICA_ROOT=$PWD MICA_TRIES=1',
    'systemctl() { echo "$*" >>"$PWD/systemctl"; [[ $1 != cat || $2 == nvidia-persistenced ]]; }',
    'trap \'echo "== $?"; cat "$PWD/systemctl"\' EXIT',
  ].join('\n');
  return machine.run(script.replace('\n', `\n${pretend}\n`), ...args);
}

afterAll(scrapMachines);

describe.concurrent('the boot script', { timeout: 60_000 }, () => {
  it('cuts a fresh node and leaves a unit for later boots', async () => {
    const machine = new SmiMachine([fakeGpu(rtx)]);
    const ran = await boot(machine, scriptFor('g7e.2xlarge', mixed));
    expect(ran).toMatchObject({ code: 0, stderr: '' });
    expect(ran.stdout).toContain('mica-slices: done: 2g.48gb:6,1g.24gb:0,1g.24gb:3');
    expect(ran.stdout).toContain('enable mica-slices.service');
    expect(ran.stdout).toMatch(/stop nvidia-persistenced[^]*start nvidia-persistenced/);
    expect(machine.placesOn(0)).toEqual(['1g.24gb:0', '1g.24gb:3', '2g.48gb:6']);
  });

  it('changes nothing in a second run, and cuts anew after a reboot that lost the slices', async () => {
    const machine = new SmiMachine([fakeGpu(rtx)]);
    const script = scriptFor('g7e.2xlarge', '1g.24gb');
    await boot(machine, script);
    const { length } = machine.now.changes;
    expect(await boot(machine, script, '--later-boot')).toMatchObject({ code: 0 });
    expect(machine.now.changes).toHaveLength(length);
    machine.set({
      gpus: machine.now.gpus.map((gpu) => ({ ...gpu, instances: [], mode: 'Disabled', pending: 'Disabled' })),
    });
    expect(await boot(machine, script, '--later-boot')).toMatchObject({ code: 0 });
    expect(machine.placesOn(0)).toHaveLength(4);
  });

  it('clears what is there and not wanted, and gives each GPU its own layout', async () => {
    const machine = new SmiMachine([
      fakeGpu(rtx, { mode: 'Enabled', instances: [instance('4g.96gb:0', 1)] }),
      fakeGpu(rtx),
    ]);
    const ran = await boot(machine, scriptFor('g7e.12xlarge', [['2g.48gb', '2g.48gb'], []]));
    expect(ran).toMatchObject({ code: 0 });
    expect(machine.placesOn(0)).toEqual(['2g.48gb:0', '2g.48gb:6']);
    expect(machine.now.gpus[1]?.mode).toBe('Disabled');
  });

  it('resets an Ampere card', async () => {
    const gpus = Array.from({ length: 8 }, () => fakeGpu('a100-40gb'));
    const machine = new SmiMachine(gpus);
    expect(await boot(machine, scriptFor('p4d.24xlarge', '3g.20gb'))).toMatchObject({ code: 0 });
    expect(machine.now.changes.filter((line) => line.startsWith('--gpu-reset'))).toHaveLength(8);
    expect(machine.placesOn(7)).toEqual(['3g.20gb:0', '3g.20gb:4']);
  });

  it('reboots once where only that makes the mode effective, then gives up and says why', async () => {
    const machine = new SmiMachine([fakeGpu(rtx, { stuck: true })]);
    const script = scriptFor('g7e.2xlarge', '2g.48gb');
    const first = await boot(machine, script);
    expect(first.stdout).toContain('MIG needs a reboot');
    expect(first.stdout.trim().split('\n').at(-1)).toBe('reboot');
    const second = await boot(machine, script, '--later-boot');
    expect(second.code).toBe(0);
    expect(second.stdout).toMatch(
      /mica-slices: failed: GPU 0: MIG stays off after a reboot: .*not supported/,
    );
    expect(second.stdout.split('== ')[1]?.match(/^reboot$/gm)).toHaveLength(1);
  });

  it.each([
    [
      'a slice that cannot be made',
      fakeGpu(rtx, { failsAt: '2g.48gb:0' }),
      /failed: GPU 0: .*Insufficient Resources/,
    ],
    [
      'a slice without its compute instance',
      fakeGpu(rtx, { losesCompute: true }),
      /failed: GPU 0 does not have its slices/,
    ],
    [
      'a slice at work',
      fakeGpu(rtx, { mode: 'Enabled', instances: [instance('1g.24gb:3', 4, { busy: true })] }),
      /In use by another client/,
    ],
  ])('%s: the node joins with its taint, and the reason is on the console', async (_, card, message) => {
    const machine = new SmiMachine([card]);
    const ran = await boot(machine, scriptFor('g7e.2xlarge', '2g.48gb'));
    expect(ran.code).toBe(0);
    expect(ran.stdout).toMatch(message);
    expect(ran.stdout).not.toContain('mica-slices: done');
  });

  it('keeps the kubelet from starting where a node that had its slices, and so no taint, lost them', async () => {
    const machine = new SmiMachine([fakeGpu(rtx)]);
    const script = scriptFor('g7e.2xlarge', '2g.48gb');
    await boot(machine, script);
    machine.set({ gpus: [fakeGpu(rtx, { failsAt: '2g.48gb:6' })] });
    expect(await boot(machine, script, '--later-boot')).toMatchObject({ code: 1 });
  });

  it('a machine of other GPUs than planned', async () => {
    const ran = await boot(new SmiMachine([fakeGpu(rtx)]), scriptFor('g7e.12xlarge', '2g.48gb'));
    expect(ran.stdout).toContain('this node has 1 GPUs, and 2 were planned');
  });
});

const shellcheck = requires('shellcheck');
describe.skipIf(shellcheck.missing)(shellcheck.title('shellcheck'), () => {
  it('has nothing to say', async () => {
    const file = join(temporaryFolder(), 'cut.sh');
    writeFileSync(file, scriptFor('g7e.2xlarge', mixed));
    expect(await run('shellcheck', [file])).toMatchObject({ code: 0, stdout: '' });
  });
});
