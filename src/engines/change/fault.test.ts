/** Each driver call of a change refused in turn, in the way forward and in the roll-back: what is said, and what is left. */
import { describe, expect, it } from 'vitest';
import { changeMachine, wanted, type ChangeMachine } from '../../../test/support/change-machine.js';
import type { DriverCallName } from '../../adapters/simulated/faults.js';
import type { DriverRefusal } from '#ports/gpu-driver';
import { changeGpus } from './change.js';
import { restoreLayouts } from './restore.js';

const before = ['1g.10gb:0', '2g.20gb:2', '3g.40gb:4'];
const wishes = [wanted(0, '4g.40gb:0', '3g.40gb:4'), wanted(1, '7g.80gb:0'), wanted(2, null)];
const old = [before.join(' '), 'mig off', '2g.20gb:0'];
const wish = ['4g.40gb:0 3g.40gb:4', '7g.80gb:0', 'mig off'];
const plausible: Readonly<Partial<Record<DriverCallName, readonly DriverRefusal[]>>> = {
  setMigMode: ['in-use', 'no-permission', 'unknown', 'lost'],
  createGpuInstance: ['no-room', 'in-use', 'no-permission', 'not-supported', 'bad-argument', 'unknown'],
  createComputeInstance: ['no-room', 'in-use', 'not-found', 'no-permission', 'unknown'],
  destroyComputeInstance: ['in-use', 'not-found', 'no-permission', 'lost'],
  destroyGpuInstance: ['in-use', 'not-found', 'no-permission', 'unknown'],
  gpus: ['lost', 'unknown'],
  instances: ['lost', 'unknown', 'no-permission'],
  processes: ['unknown', 'no-permission'],
  card: ['unknown'],
};
const single = Object.entries(plausible).flatMap(([name, refusals]) =>
  refusals.map((refusal) => [name as DriverCallName, refusal] as const),
);

async function machineBefore(): Promise<ChangeMachine> {
  const machine = await changeMachine('h100:3');
  await machine.cut(0, ...before);
  await machine.cut(2, '2g.20gb:0');
  return machine;
}

const all = (machine: ChangeMachine) => Promise.all([0, 1, 2].map((index) => machine.holds(index)));

describe('a call that fails once', () => {
  it.each(single)('%s as %s: nothing touched, or everything back', async (name, refusal) => {
    for (let nth = 1; ; nth += 1) {
      const machine = await machineBefore();
      machine.faults.failOn(name, nth, refusal);
      const answer = await changeGpus(machine.ports, wishes, { mayDestroyForeign: 'all' });
      const wasReached = machine.faults.calls.filter((call) => call.name === name).length >= nth;
      if (answer.outcome === 'done') {
        expect(await all(machine)).toEqual(wish);
        // The last reads only tell what has become of it.
        if (!wasReached) break;
        continue;
      }
      expect(answer.outcome).toMatch(/^(refused|rolled-back)$/);
      expect(await all(machine)).toEqual(old);
      const whys = answer.gpus.map(({ why }) => why);
      expect(whys).toContainEqual(expect.objectContaining({ kind: 'driver', refusal }));
      expect(whys.every((why) => why !== undefined && why.message !== '')).toBe(true);
      expect(await machine.journal.names()).toEqual([]);
    }
  });

  it.each(single.filter(([, refusal]) => refusal !== 'no-room'))(
    '%s as %s although the work was done: the same',
    async (name, refusal) => {
      for (let nth = 1; ; nth += 1) {
        const machine = await machineBefore();
        machine.faults.failOn(name, nth, refusal, 'after');
        const answer = await changeGpus(machine.ports, wishes, { mayDestroyForeign: 'all' });
        const wasReached = machine.faults.calls.filter((call) => call.name === name).length >= nth;
        expect([old, wish]).toContainEqual(await all(machine));
        expect(answer.outcome).toMatch(/^(done|refused|rolled-back)$/);
        if (!wasReached) break;
      }
    },
  );
});

describe('a card that stays broken', () => {
  it.each([
    'createGpuInstance',
    'createComputeInstance',
    'destroyComputeInstance',
    'destroyGpuInstance',
  ] as const)(
    'at %s: failed says what is left and the next command, and restore brings it back',
    async (name) => {
      for (const first of [1, 2, 3]) {
        const machine = await machineBefore();
        const { faults } = machine;
        for (let nth = first; nth < 200; nth += 1) faults.failOn(name, nth, 'unknown');
        const answer = await changeGpus(machine.ports, wishes.slice(0, 1), { mayDestroyForeign: 'all' });
        // Fewer calls than that: nothing was refused.
        if (answer.outcome === 'done') break;
        if (answer.outcome === 'rolled-back') {
          expect(await machine.holds(0)).toBe(old[0]);
          continue;
        }
        expect(answer.outcome).toBe('failed');
        const [gpu] = answer.gpus;
        expect(gpu?.left).toMatchObject({ mig: true });
        expect(gpu?.next).toMatch(/^GPU 0 holds .*3g\.40gb:4; .*mica node restore/);
        expect(gpu?.why?.message).toContain('could not be put back');
        // Nothing that stays was lost, whatever else was.
        expect(await machine.holds(0)).toContain('3g.40gb:4');
        const next = await changeGpus(machine.ports, wishes.slice(0, 1));
        expect(next).toMatchObject({ outcome: 'refused', gpus: [{ why: { kind: 'unfinished' } }] });
        const mended = { ...machine.ports, driver: machine.driver };
        expect(await restoreLayouts(mended)).toMatchObject({
          outcome: 'done',
          resumed: [{ outcome: 'rolled-back' }],
        });
        expect(await machine.holds(0)).toBe(old[0]);
      }
    },
  );

  it('can be accepted as it is', async () => {
    const machine = await machineBefore();
    for (let nth = 1; nth < 200; nth += 1) machine.faults.failOn('createGpuInstance', nth, 'unknown');
    expect(await changeGpus(machine.ports, wishes.slice(0, 1), { mayDestroyForeign: 'all' })).toMatchObject({
      outcome: 'failed',
    });
    const mended = { ...machine.ports, driver: machine.driver };
    expect(await restoreLayouts(mended, 'accept')).toMatchObject({ outcome: 'unchanged' });
    expect(await machine.holds(0)).toBe('3g.40gb:4');
    expect(await changeGpus(mended, wishes.slice(0, 1), { mayDestroyForeign: 'all' })).toMatchObject({
      outcome: 'done',
    });
  });
});

describe('a roll-back', () => {
  it('survives one refusal of any of its own calls', async () => {
    for (const name of [
      'createGpuInstance',
      'createComputeInstance',
      'destroyGpuInstance',
      'setMigMode',
    ] as const) {
      for (let nth = 1; nth <= 8; nth += 1) {
        const machine = await machineBefore();
        // The way forward fails at its last step.
        machine.faults.failOn('createComputeInstance', 1, 'unknown').failOn(name, nth + 1, 'in-use');
        const answer = await changeGpus(machine.ports, wishes, { mayDestroyForeign: 'all' });
        expect(answer.outcome).toBe('rolled-back');
        expect(await all(machine)).toEqual(old);
      }
    }
  });

  it('of one GPU leaves the others where each goes for itself', async () => {
    const machine = await machineBefore();
    machine.faults.failOn('createComputeInstance', 1, 'unknown');
    const answer = await changeGpus(machine.ports, wishes, { mayDestroyForeign: 'all', keepGoing: true });
    expect(answer.gpus.map(({ outcome }) => outcome).sort()).toEqual(['done', 'done', 'rolled-back']);
  });

  it('leaves alone what somebody else made in a free place meanwhile', async () => {
    const machine = await changeMachine('h100');
    await changeGpus(machine.ports, [wanted(0, '3g.40gb:4')]);
    const { driver } = machine.ports;
    const racing = {
      ...machine.ports,
      driver: {
        ...driver,
        createComputeInstance: async (...args: Parameters<typeof driver.createComputeInstance>) => {
          await machine.driver.createGpuInstance(args[0], 19, 3);
          return driver.createComputeInstance(...args);
        },
      },
    };
    machine.faults.failOn('createComputeInstance', 2, 'unknown');
    const answer = await changeGpus(racing, [wanted(0, '1g.10gb:0', '3g.40gb:4')]);
    expect(answer).toMatchObject({ outcome: 'rolled-back' });
    expect(answer.gpus[0]?.why?.message).toContain('1g.10gb:3 appeared meanwhile');
    expect(await machine.holds(0)).toBe('1g.10gb:3? 3g.40gb:4');
  });
});

describe('a journal that cannot be written', () => {
  it('from the beginning: nothing is touched', async () => {
    const machine = await machineBefore();
    machine.journal.append = () => Promise.reject(new Error('no space left on device'));
    const answer = await changeGpus(machine.ports, wishes, { mayDestroyForeign: 'all' });
    expect(answer).toMatchObject({ outcome: 'refused', gpus: [{ why: { kind: 'broken' } }, {}, {}] });
    expect(await all(machine)).toEqual(old);
  });

  it('half way: stops at once, and restore brings it back', async () => {
    const machine = await machineBefore();
    const { append } = machine.journal;
    let left = 8;
    machine.journal.append = async (name, record) => {
      if ((left -= 1) < 0) throw new Error('no space left on device');
      await append(name, record);
    };
    const answer = await changeGpus(machine.ports, wishes, { mayDestroyForeign: 'all' });
    expect(answer.outcome).toBe('failed');
    expect(answer.gpus[0]?.why?.message).toContain('no space left on device');
    machine.journal.append = append;
    expect(await restoreLayouts(machine.ports)).toMatchObject({ outcome: 'done' });
    expect(await all(machine)).toEqual(old);
  });
});
