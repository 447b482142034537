/** Slices in use that would have to go: refused with names, waited for, or drained. */
import { describe, expect, it } from 'vitest';
import { changeMachine, wanted, type ChangeMachine } from '../../../test/support/change-machine.js';
import { changeGpus } from './change.js';

const wish = [wanted(0, '3g.40gb:4')];

async function busyMachine(): Promise<ChangeMachine> {
  const machine = await changeMachine('h100:2');
  await changeGpus(machine.ports, [wanted(0, '1g.10gb:0', '3g.40gb:4')]);
  await machine.use(0, 0, 4211);
  await machine.use(0, 4, 4300);
  return machine;
}

describe('a busy slice', () => {
  it('is a refusal with who is in it, and one that stays does not matter', async () => {
    const machine = await busyMachine();
    const answer = await changeGpus(machine.ports, [...wish, wanted(1, '7g.80gb:0')]);
    expect(answer).toMatchObject({ outcome: 'refused', gpus: [{}, { why: { kind: 'other-gpu' } }] });
    expect(answer.gpus[0]?.why).toEqual({
      kind: 'busy',
      message: 'in use by python (pid 4211, 11.8 GiB) in 1g.10gb:0',
      holders: [
        { pid: 4211, name: 'python', usedMiB: 12_034, placement: { profile: '1g.10gb', start: 0, size: 1 } },
      ],
    });
    expect(machine.signals).toEqual([]);
    expect(await machine.holds(1)).toBe('mig off');
  });

  it('is waited for', async () => {
    const machine = await busyMachine();
    machine.clock.in(20_000, () => machine.machine.removeClient(machine.uuids[0] ?? '', 4211));
    expect(await changeGpus(machine.ports, wish, { waitMs: 10_000 })).toMatchObject({ outcome: 'refused' });
    expect(await changeGpus(machine.ports, wish, { waitMs: 30_000 })).toMatchObject({ outcome: 'done' });
    expect(machine.signals).toEqual([]);
  });

  it('is drained, politely first', async () => {
    const machine = await busyMachine();
    const answer = await changeGpus(machine.ports, wish, { drain: { graceMs: 5_000, then: 'refuse' } });
    expect(answer.outcome).toBe('done');
    expect(machine.signals).toEqual(['SIGTERM 4211']);
    expect(await machine.holds(0)).toBe('3g.40gb:4');
  });

  it('is refused after the grace, or its process killed, as told', async () => {
    const machine = await busyMachine();
    machine.stubborn.add(4211);
    const drain = { graceMs: 5_000, then: 'refuse' } as const;
    expect(await changeGpus(machine.ports, wish, { drain })).toMatchObject({ outcome: 'refused' });
    expect(await machine.holds(0)).toBe('1g.10gb:0 3g.40gb:4');
    expect(await changeGpus(machine.ports, wish, { drain: { ...drain, then: 'kill' } })).toMatchObject({
      outcome: 'done',
    });
    expect(machine.signals).toEqual(['SIGTERM 4211', 'SIGTERM 4211', 'SIGKILL 4211']);
  });

  it('that no signal reaches is a refusal that says so', async () => {
    const machine = await busyMachine();
    machine.untouchable.add(4211);
    const answer = await changeGpus(machine.ports, wish, { drain: { graceMs: 1_000, then: 'kill' } });
    expect(answer.gpus[0]?.why?.message).toContain('no signal could be sent to pid 4211');
  });
});

describe('a GPU in use as a whole', () => {
  it('keeps its mode, and is named', async () => {
    const machine = await changeMachine('h100');
    await machine.use(0, null, 99, 'Xorg');
    const answer = await changeGpus(machine.ports, wish);
    expect(answer.gpus[0]?.why?.message).toBe('in use by Xorg (pid 99, 11.8 GiB) on the whole GPU');
    const drained = await changeGpus(machine.ports, wish, { drain: { graceMs: 2_000, then: 'refuse' } });
    expect(drained.outcome).toBe('done');
  });

  it('by somebody whom no process list shows is put back, or waited for', async () => {
    const machine = await changeMachine('h100');
    machine.faults.failOn('setMigMode', 1, 'in-use').failOn('setMigMode', 2, 'in-use');
    expect(await changeGpus(machine.ports, wish)).toMatchObject({
      outcome: 'rolled-back',
      gpus: [{ why: { kind: 'driver', refusal: 'in-use' } }],
    });
    expect(await changeGpus(machine.ports, wish, { waitMs: 5_000 })).toMatchObject({ outcome: 'done' });
  });
});
