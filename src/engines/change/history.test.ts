import { describe, expect, it } from 'vitest';
import { changeMachine, wanted } from '../../../test/support/change-machine.js';
import { mortal } from '../../../test/support/crash.js';
import { changeGpus } from './change.js';
import { historyOf, undoChange } from './history.js';
import { restoreLayouts } from './restore.js';
import { resumeChanges } from './resume.js';

describe('history', () => {
  it('tells what was changed, from what to what, and how it ended', async () => {
    const machine = await changeMachine('h100');
    await changeGpus(machine.ports, [wanted(0, '3g.40gb:0')]);
    machine.faults.failOn('createGpuInstance', 2, 'unknown');
    await changeGpus(machine.ports, [wanted(0, '7g.80gb:0')]);
    const life = mortal(machine.ports, 5);
    await changeGpus(life.ports, [wanted(0, '7g.80gb:0')]);
    const entries = await historyOf(machine.ports);
    expect(entries.map(({ outcome }) => outcome)).toEqual(['done', 'rolled-back', null]);
    expect(entries.map(({ change }) => change)).toEqual(entries.map(({ change }) => change).sort());
    expect(entries[0]).toMatchObject({
      cause: 'apply',
      gpus: [{ index: 0, before: { mig: false }, after: { mig: true, placements: [{ start: 0, size: 4 }] } }],
    });
  });
});

describe('undo', () => {
  it('takes back the last change, the one named, and itself', async () => {
    const machine = await changeMachine('h100:2');
    expect(await undoChange(machine.ports, null)).toMatchObject({
      ok: false,
      why: { kind: 'nothing-to-undo' },
    });
    const first = await changeGpus(machine.ports, [wanted(0, '3g.40gb:0', '1g.10gb:4')]);
    await changeGpus(machine.ports, [wanted(0, '3g.40gb:0', '2g.20gb:4')]);
    expect(await undoChange(machine.ports, null)).toMatchObject({ answer: { outcome: 'done' } });
    expect(await machine.holds(0)).toBe('3g.40gb:0 1g.10gb:4');
    await undoChange(machine.ports, null);
    expect(await machine.holds(0)).toBe('3g.40gb:0 2g.20gb:4');
    await undoChange(machine.ports, first.change);
    expect(await machine.holds(0)).toBe('mig off');
    expect(await undoChange(machine.ports, 'no-such')).toMatchObject({
      ok: false,
      why: { kind: 'unknown-change' },
    });
  });
});

describe('restore', () => {
  it('goes on after the reboot that a change needed', async () => {
    const machine = await changeMachine('a100-40gb,h100');
    machine.faults.failOn('reset', 1, 'not-supported');
    const answer = await changeGpus(machine.ports, [wanted(0, '7g.40gb:0'), wanted(1, null)]);
    expect(answer).toMatchObject({ outcome: 'needs-reboot' });
    await machine.machine.reboot();
    expect(await restoreLayouts(machine.ports)).toMatchObject({ outcome: 'done' });
    expect(await machine.holds(0)).toBe('7g.40gb:0');
  });

  it('first ends what was interrupted, and leaves those GPUs to that', async () => {
    const machine = await changeMachine('h100:2');
    await changeGpus(machine.ports, [wanted(0, '3g.40gb:0'), wanted(1, '3g.40gb:0')]);
    const life = mortal(machine.ports, 12);
    await changeGpus(life.ports, [wanted(0, '7g.80gb:0')]);
    machine.journal.dropLocks();
    await machine.machine.reboot();
    const answer = await restoreLayouts(machine.ports);
    expect(answer).toMatchObject({ outcome: 'done', resumed: [{ outcome: 'rolled-back' }] });
    expect([await machine.holds(0), await machine.holds(1)]).toEqual(['3g.40gb:0', '3g.40gb:0']);
  });

  it('brings nothing back over what somebody else made', async () => {
    const machine = await changeMachine('h100:2');
    await changeGpus(machine.ports, [wanted(0, '3g.40gb:0'), wanted(1, '3g.40gb:0')]);
    await machine.machine.reboot();
    await machine.cut(0, '7g.80gb:0');
    const answer = await restoreLayouts(machine.ports);
    expect(answer).toMatchObject({
      outcome: 'refused',
      restored: { gpus: [{ why: { kind: 'foreign' } }, {}] },
    });
    expect([await machine.holds(0), await machine.holds(1)]).toEqual(['7g.80gb:0', '3g.40gb:0']);
  });
});

describe('an interrupted change', () => {
  it('of a living process is left to it', async () => {
    const machine = await changeMachine('h100');
    const life = mortal(machine.ports, 9);
    await changeGpus(life.ports, [wanted(0, '7g.80gb:0')]);
    // As if the process still lived.
    const lock = await machine.journal.lock(`gpu-${machine.uuids[0] ?? ''}`);
    expect(lock.ok).toBe(true);
    expect(await resumeChanges(machine.ports)).toMatchObject([
      { outcome: 'refused', gpus: [{ why: { kind: 'locked' } }] },
    ]);
  });

  it('that was through stays, and is written down as done', async () => {
    const machine = await changeMachine('h100');
    const life = mortal(machine.ports, Infinity);
    await changeGpus(life.ports, [wanted(0, '7g.80gb:0')]);
    const other = await changeMachine('h100');
    // Just before the last record.
    const last = mortal(other.ports, life.boundaries() - 3);
    await changeGpus(last.ports, [wanted(0, '7g.80gb:0')]);
    other.journal.dropLocks();
    expect(await resumeChanges(other.ports)).toMatchObject([{ outcome: 'done' }]);
    expect(await other.holds(0)).toBe('7g.80gb:0');
  });
});
