import { afterAll, describe, expect, it } from 'vitest';
import type { Plan } from '#core/plan/plan';
import { emit } from '#engines/emit/emit';
import { fill, gpu, h100, options, place, planOf, rtx, seat, whole } from './plans.js';
import { fakeGpu, instance, scrapMachines, SmiMachine } from './smi-machine.js';

const mixed = gpu('gpu-1', 0, rtx, '1g.24gb:6', '2g.48gb:0', '1g.24gb:9');
const mixedPlan = planOf({
  layouts: [mixed],
  assignment: [
    seat('llama', mixed, '2g.48gb:0'),
    seat('bert', mixed, '1g.24gb:6'),
    seat('bert', mixed, '1g.24gb:9'),
  ],
});
const wanted = ['2g.48gb:0', '1g.24gb:6', '1g.24gb:9'];

/** The scripts of a plan, by node. */
function scriptsOf(plan: Plan): readonly string[] {
  const emission = emit('vm', plan, options);
  if (!emission.ok) throw new Error(emission.why.message);
  return emission.files.map((file) => file.content);
}

function scriptOf(plan: Plan): string {
  return scriptsOf(plan)[0] ?? '';
}

function destroys(node: string, index: number, model: string, text: string): Plan['steps'][number] {
  return { kind: 'destroy', node, index, placement: place(model, text), why: '' };
}

afterAll(scrapMachines);

describe.concurrent('the script of a node', { timeout: 60_000 }, () => {
  it('cuts a fresh card, large slices first, and a second run changes nothing', async () => {
    const machine = new SmiMachine([fakeGpu(rtx)]);
    const first = await machine.run(scriptOf(mixedPlan));
    expect(first).toMatchObject({ code: 0, stderr: '' });
    expect(machine.now.changes).toEqual(['-i 0 -mig 1', `mig -i 0 -cgi ${wanted.join()} -C`]);
    expect(machine.placesOn(0)).toEqual(wanted);
    expect(first.stdout).toContain('MIG 2g.48gb');
    const second = await machine.run(scriptOf(mixedPlan));
    expect(second).toMatchObject({ code: 0, stderr: '' });
    expect(machine.now.changes).toHaveLength(2);
  });

  it('resets an Ampere card, whose new mode waits for it, and no other', async () => {
    const a100 = 'a100-40gb';
    const layouts = [gpu('n', 0, a100, '3g.20gb:4', '4g.20gb:0'), gpu('n', 1, h100, '7g.80gb:0')];
    const machine = new SmiMachine([fakeGpu(a100), fakeGpu(h100)]);
    expect(await machine.run(scriptOf(planOf({ layouts })))).toMatchObject({ code: 0, stderr: '' });
    expect(machine.now.changes).toEqual([
      '-i 0 -mig 1',
      '--gpu-reset -i 0',
      'mig -i 0 -cgi 4g.20gb:0,3g.20gb:4 -C',
      '-i 1 -mig 1',
      'mig -i 1 -cgi 7g.80gb:0 -C',
    ]);
  });

  it('makes only what is missing, beside slices at work', async () => {
    const machine = new SmiMachine([
      fakeGpu(rtx, {
        mode: 'Enabled',
        instances: [instance('1g.24gb:9', 4, { busy: true })],
        apps: ['77, python3'],
      }),
    ]);
    expect(await machine.run(scriptOf(mixedPlan))).toMatchObject({ code: 0 });
    expect(machine.now.changes).toEqual(['mig -i 0 -cgi 2g.48gb:0,1g.24gb:6 -C']);
  });

  it('refuses an instance that the plan does not know, and touches nothing', async () => {
    const machine = new SmiMachine([
      fakeGpu(rtx, { mode: 'Enabled', instances: [instance('1g.24gb:3', 4)] }),
    ]);
    const ran = await machine.run(scriptOf(mixedPlan));
    expect(ran.code).toBe(1);
    expect(ran.stderr).toMatch(
      /error: GPU 0 has instances that the plan does not know: 1g\.24gb:3:3\n {2}why: .*\n {2}next: /,
    );
    expect(machine.now.changes).toEqual([]);
  });

  it('destroys exactly what the plan says, compute instances first, by the ids that are listed', async () => {
    const steps = [destroys('gpu-1', 0, rtx, '2g.48gb:6'), destroys('gpu-1', 0, rtx, '1g.24gb:0')];
    const there = [
      instance('2g.48gb:6', 7),
      instance('1g.24gb:0', 2, { compute: false }),
      instance('1g.24gb:3', 12),
    ];
    const layouts = [gpu('gpu-1', 0, rtx, '1g.24gb:3', '1g.24gb:9')];
    const machine = new SmiMachine([fakeGpu(rtx, { mode: 'Enabled', instances: there })]);
    expect(await machine.run(scriptOf(planOf({ layouts, steps })))).toMatchObject({ code: 0, stderr: '' });
    expect(machine.now.changes).toEqual([
      'mig -i 0 -gi 2 -dci',
      'mig -i 0 -gi 7 -dci',
      'mig -i 0 -gi 2 -dgi',
      'mig -i 0 -gi 7 -dgi',
      'mig -i 0 -cgi 1g.24gb:9 -C',
    ]);
    expect(machine.placesOn(0)).toEqual(['1g.24gb:3', '1g.24gb:9']);
  });

  it('stops when a slice that should go is at work', async () => {
    const steps = [destroys('gpu-1', 0, rtx, '1g.24gb:3')];
    const machine = new SmiMachine([
      fakeGpu(rtx, {
        mode: 'Enabled',
        instances: [instance('1g.24gb:3', 4, { busy: true }), instance('2g.48gb:0', 1)],
      }),
    ]);
    const withStart = gpu('gpu-1', 0, rtx, '2g.48gb:6');
    const ran = await machine.run(
      scriptOf(planOf({ layouts: [withStart], steps: [...steps, destroys('gpu-1', 0, rtx, '2g.48gb:0')] })),
    );
    expect(ran.code).toBe(1);
    expect(ran.stderr).toContain('In use by another client');
    expect(machine.placesOn(0)).toEqual(['2g.48gb:0', '1g.24gb:3']);
  });

  it('refuses a card in use when it must be idle', async () => {
    const machine = new SmiMachine([fakeGpu(rtx, { apps: ['4711, /usr/bin/python3', '4712, python'] })]);
    const ran = await machine.run(scriptOf(mixedPlan));
    expect(ran.code).toBe(1);
    expect(ran.stderr).toContain('these processes run on it: 4711, /usr/bin/python3; 4712, python');
    expect(machine.now.changes).toEqual([]);
  });

  it('says so when the mode stays pending', async () => {
    const machine = new SmiMachine([fakeGpu(rtx, { stuck: true })]);
    const ran = await machine.run(scriptOf(mixedPlan));
    expect(ran.code).toBe(1);
    expect(ran.stderr).toContain('the MIG mode of GPU 0 is Disabled, and Enabled is pending');
    expect(ran.stderr).toContain('reboot');
    expect(machine.placesOn(0)).toEqual([]);
  });

  it('says so when an Ampere card cannot be reset', async () => {
    const machine = new SmiMachine([fakeGpu('a100-40gb', { stuck: true })]);
    const ran = await machine.run(scriptOf(planOf({ layouts: [gpu('n', 0, 'a100-40gb', '7g.40gb:0')] })));
    expect(ran.code).toBe(1);
    expect(ran.stderr).toMatch(/cannot be reset[^]*is not supported[^]*reboot/);
  });

  it('says so when a slice cannot be made, and goes on from there the next time', async () => {
    const machine = new SmiMachine([fakeGpu(rtx, { failsAt: '1g.24gb:9' })]);
    const ran = await machine.run(scriptOf(mixedPlan));
    expect(ran.code).toBe(1);
    expect(ran.stderr).toMatch(/cannot all be made[^]*Insufficient Resources[^]*nvidia-smi mig -i 0 -lgi/);
    expect(machine.placesOn(0)).toEqual(['2g.48gb:0', '1g.24gb:6']);
    const again = new SmiMachine([{ ...fakeGpu(rtx), ...machine.now.gpus[0], failsAt: '' }]);
    expect(await again.run(scriptOf(mixedPlan))).toMatchObject({ code: 0 });
    expect(again.now.changes).toEqual(['mig -i 0 -cgi 1g.24gb:9 -C']);
  });

  it('does not trust a slice without a compute instance', async () => {
    const machine = new SmiMachine([fakeGpu(rtx, { losesCompute: true })]);
    const ran = await machine.run(scriptOf(mixedPlan));
    expect(ran.code).toBe(1);
    expect(ran.stderr).toMatch(/slices without a MIG device[^]*-cci/);
  });

  it.each([
    [
      'another card',
      fakeGpu(h100),
      {},
      'GPU 0 is not the planned NVIDIA RTX PRO 6000 Blackwell Server Edition',
    ],
    ['an old driver', fakeGpu(rtx), { driver: '570.172.08' }, 'needs 575.51.03'],
    ['a card without MIG', fakeGpu(rtx, { mode: '[N/A]', pending: '[N/A]' }), {}, 'GPU 0 offers no MIG'],
    [
      'a mode change by others',
      fakeGpu(rtx, { mode: 'Enabled', pending: 'Disabled' }),
      {},
      'about to change',
    ],
    ['an ordinary user', fakeGpu(rtx), { user: 'me' }, 'this must run as root'],
  ])('refuses %s', async (_, card, about, message) => {
    const machine = new SmiMachine([card], about);
    const ran = await machine.run(scriptOf(mixedPlan));
    expect(ran.code).toBe(1);
    expect(ran.stderr).toContain(message);
    expect(machine.now.changes).toEqual([]);
  });

  it('checks what workstation cards need', async () => {
    const maxQ = 'rtx-pro-6000-blackwell-maxq';
    const script = scriptOf(planOf({ layouts: [gpu('desk', 0, maxQ, '4g.96gb:0')] }));
    const inGraphicsMode = await new SmiMachine([fakeGpu(maxQ, { mode: '[N/A]', pending: '[N/A]' })]).run(
      script,
    );
    expect(inGraphicsMode).toMatchObject({ code: 1, stderr: expect.stringContaining('displaymodeselector') });
    // 55 hex is below the 6A that this edition needs, although 5 and 6 are both digits.
    const oldBios = await new SmiMachine([fakeGpu(maxQ, { vbios: '98.02.55.00.00' })]).run(script);
    expect(oldBios).toMatchObject({ code: 1, stderr: expect.stringContaining('MIG needs 98.02.6A.00.00') });
    expect(await new SmiMachine([fakeGpu(maxQ, { vbios: '98.02.AA.00.00' })]).run(script)).toMatchObject({
      code: 0,
    });
  });

  it('turns MIG off for a whole card only where the plan says so', async () => {
    const layouts = [whole('n', 0, rtx)];
    const silent = new SmiMachine([fakeGpu(rtx, { mode: 'Enabled' })]);
    const refused = await silent.run(scriptOf(planOf({ layouts })));
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('MIG is on on GPU 0') });
    expect(silent.now.changes).toEqual([]);
    const steps: Plan['steps'] = [
      destroys('n', 0, rtx, '2g.48gb:0'),
      { kind: 'disable-mig', node: 'n', index: 0, why: '' },
    ];
    const told = new SmiMachine([fakeGpu(rtx, { mode: 'Enabled', instances: [instance('2g.48gb:0', 1)] })]);
    expect(await told.run(scriptOf(planOf({ layouts, steps })))).toMatchObject({ code: 0, stderr: '' });
    expect(told.now.changes).toEqual(['mig -i 0 -gi 1 -dci', 'mig -i 0 -gi 1 -dgi', '-i 0 -mig 0']);
    expect(told.now.gpus[0]?.mode).toBe('Disabled');
  });

  it('leaves a card that has no MIG alone', async () => {
    const machine = new SmiMachine([fakeGpu('t4-16gb', { mode: '[N/A]', pending: '[N/A]' })]);
    const steps: Plan['steps'] = [{ kind: 'disable-mig', node: 'n', index: 0, why: '' }];
    const ran = await machine.run(scriptOf(planOf({ layouts: [whole('n', 0, 't4-16gb')], steps })));
    expect(ran).toMatchObject({ code: 0, stderr: '' });
    expect(machine.now.changes).toEqual([]);
  });

  it('changes no card before every card has passed its checks', async () => {
    const layouts = [mixed, gpu('gpu-1', 1, rtx, '4g.96gb:0')];
    const machine = new SmiMachine([fakeGpu(rtx), fakeGpu(rtx, { apps: ['1, x'] })]);
    expect((await machine.run(scriptOf(planOf({ layouts })))).code).toBe(1);
    const missing = new SmiMachine([fakeGpu(rtx)]);
    const ran = await missing.run(scriptOf(planOf({ layouts })));
    expect(ran).toMatchObject({ code: 1, stderr: expect.stringContaining('GPU 1 cannot be read') });
    expect([...machine.now.changes, ...missing.now.changes]).toEqual([]);
  });

  it('prints the commands with --dry-run, and runs none', async () => {
    const machine = new SmiMachine([fakeGpu('a100-40gb')], { user: 'me' });
    const ran = await machine.run(
      scriptOf(planOf({ layouts: [gpu('n', 0, 'a100-40gb', '3g.20gb:4')] })),
      '--dry-run',
    );
    expect(ran).toMatchObject({ code: 0, stderr: '' });
    expect(ran.stdout.split('\n').filter((line) => line.startsWith('+ '))).toEqual([
      '+ nvidia-smi -i 0 -mig 1',
      '+ nvidia-smi --gpu-reset -i 0',
      '+ nvidia-smi mig -i 0 -cgi 3g.20gb:4 -C',
    ]);
    expect(machine.now.changes).toEqual([]);
    expect(await machine.run(scriptOf(mixedPlan), '--wet-run')).toMatchObject({ code: 2 });
  });

  it('runs nothing that a name tries to smuggle in', async () => {
    const node = "x'; touch pwned; #$(touch pwned)`touch pwned`\ntouch pwned\r\u2028touch pwned";
    const card = gpu(node, 0, rtx, '4g.96gb:0');
    const need = '\n touch pwned\n$(touch pwned) "; touch pwned';
    const script = scriptOf(planOf({ layouts: [card], assignment: fill(need, card) }));
    const machine = new SmiMachine([fakeGpu(rtx)]);
    expect(await machine.run(script)).toMatchObject({ code: 0, stderr: '' });
    expect(machine.files).toEqual(['bin', 'machine.json', 'node.sh']);
  });
});

describe('the files of the vm target', () => {
  it('are one script per node, with safe and different names', () => {
    const emission = emit(
      'vm',
      planOf({ layouts: [whole('../a b', 0, rtx), whole('a/b', 0, rtx), mixed] }),
      options,
    );
    if (!emission.ok) throw new Error(emission.why.message);
    expect(emission.files.map(({ path, mode }) => [path, mode])).toEqual([
      ['a-b.sh', 0o755],
      ['a-b-2.sh', 0o755],
      ['gpu-1.sh', 0o755],
    ]);
  });

  it('are refused for a plan of another catalogue', () => {
    const strange = { ...mixed, placements: [{ profile: '1g.24gb', start: 1, size: 3 }] };
    expect(emit('vm', planOf({ layouts: [strange] }), options)).toMatchObject({
      ok: false,
      why: { kind: 'plan-mismatch' },
    });
    expect(emit('vm', planOf({ layouts: [whole('n', 0, 'x9000')] }), options)).toMatchObject({
      ok: false,
      why: { kind: 'unknown-model' },
    });
    expect(emit('vm', planOf({ layouts: [] }), options)).toMatchObject({
      ok: false,
      why: { kind: 'nothing-planned' },
    });
  });
});
