/** Another tool at work on the same GPU in the middle of a change: what it makes is never taken for ours. */
import { describe, expect, it } from 'vitest';
import type { GpuDriver } from '#ports/gpu-driver';
import { changeMachine, wanted, type ChangeMachine } from '../../../test/support/change-machine.js';
import { mortal } from '../../../test/support/crash.js';
import { changeGpus } from './change.js';
import { resumeChanges } from './resume.js';

const small = 19;

/** The ports of the machine, with something that happens right after the nth instance was destroyed. */
function afterDestroying(
  { ports }: ChangeMachine,
  nth: number,
  happen: () => Promise<unknown>,
): ChangeMachine['ports'] {
  let calls = 0;
  const destroyGpuInstance: GpuDriver['destroyGpuInstance'] = async (...args) => {
    const answer = await ports.driver.destroyGpuInstance(...args);
    if ((calls += 1) === nth) await happen();
    return answer;
  };
  return { ...ports, driver: { ...ports.driver, destroyGpuInstance } };
}

async function makeSmall({ driver, uuids }: ChangeMachine, start: number): Promise<void> {
  const uuid = uuids[0] ?? '';
  const made = await driver.createGpuInstance(uuid, small, start);
  if (!made.ok) throw new Error(made.why.message);
  await driver.createComputeInstance(uuid, made.value.id);
}

describe('an instance that comes with the id and in the place of one that we have just destroyed', () => {
  it('is not destroyed, and is none of ours after the change', async () => {
    const machine = await changeMachine('h100');
    await changeGpus(machine.ports, [wanted(0, '1g.10gb:0', '3g.40gb:4')]);
    const racing = afterDestroying(machine, 1, () => makeSmall(machine, 0));
    const answer = await changeGpus(racing, [wanted(0, '3g.40gb:4')]);
    // To the GPU it looks as if it had not been destroyed.
    expect(answer).toMatchObject({ outcome: 'rolled-back', gpus: [{ why: { kind: 'unverified' } }] });
    expect(await machine.holds(0)).toBe('1g.10gb:0 3g.40gb:4');
    expect(await changeGpus(machine.ports, [wanted(0, '3g.40gb:4')])).toMatchObject({
      outcome: 'refused',
      gpus: [{ why: { kind: 'foreign' } }],
    });
  });

  it('blocks what is to stand there, and the change says what is left and how to go on', async () => {
    const machine = await changeMachine('h100');
    await changeGpus(machine.ports, [wanted(0, '1g.10gb:0', '1g.10gb:1')]);
    const racing = afterDestroying(machine, 2, () => makeSmall(machine, 1));
    const answer = await changeGpus(racing, [wanted(0, '2g.20gb:0')]);
    // In the layout before there was just such an instance, so that layout is back.
    expect(answer).toMatchObject({ outcome: 'rolled-back', gpus: [{ why: { kind: 'foreign' } }] });
    expect(await machine.holds(0)).toBe('1g.10gb:0 1g.10gb:1');
  });
});

describe('an instance in a place where we were about to make one', () => {
  it('is not ours where our process died before the call', async () => {
    const machine = await changeMachine('h100');
    await changeGpus(machine.ports, [wanted(0, '3g.40gb:4')]);
    // Written down, and not called: lock and judging have no boundaries, the intent has two.
    const life = mortal(machine.ports, 4);
    await changeGpus(life.ports, [wanted(0, '1g.10gb:0', '1g.10gb:1', '3g.40gb:4')]).catch(() => undefined);
    machine.journal.dropLocks();
    expect(await machine.holds(0)).toBe('3g.40gb:4');
    await makeSmall(machine, 0);
    expect(await resumeChanges(machine.ports)).toMatchObject([{ outcome: 'rolled-back' }]);
    expect(await machine.holds(0)).toBe('1g.10gb:0 3g.40gb:4');
  });

  it('is not ours where the driver refused us, and nothing stood there after that', async () => {
    const machine = await changeMachine('h100');
    await changeGpus(machine.ports, [wanted(0, '3g.40gb:4')]);
    machine.faults.failOn('createGpuInstance', 2, 'unknown');
    // The roll-back begins with a record; before that is the moment.
    const { append } = machine.journal;
    machine.journal.append = async (name, record) => {
      if ((record as { readonly kind: string }).kind === 'back') await makeSmall(machine, 0);
      await append(name, record);
    };
    const answer = await changeGpus(machine.ports, [wanted(0, '1g.10gb:0', '3g.40gb:4')]);
    expect(answer).toMatchObject({ outcome: 'rolled-back' });
    expect(answer.gpus[0]?.why?.message).toContain('1g.10gb:0 appeared meanwhile');
    expect(await machine.holds(0)).toBe('1g.10gb:0 3g.40gb:4');
  });
});

describe('a GPU that was refused as busy', () => {
  it('stays so where the others fail at the journal', async () => {
    const machine = await changeMachine('h100:2');
    await changeGpus(machine.ports, [wanted(0, '1g.10gb:0')]);
    await machine.use(0, 0, 4211);
    machine.journal.append = () => Promise.reject(new Error('no space left on device'));
    const answer = await changeGpus(machine.ports, [wanted(0, '7g.80gb:0'), wanted(1, '7g.80gb:0')], {
      keepGoing: true,
    });
    expect(answer.gpus).toMatchObject([
      { outcome: 'refused', why: { kind: 'busy' } },
      { outcome: 'refused', why: { kind: 'broken' } },
    ]);
  });
});
