/** What a reboot does to everything that was remembered: ids come again, instances do not, and a restore may be cut short. */
import { describe, expect, it } from 'vitest';
import { changeMachine, wanted } from '../../../test/support/change-machine.js';
import { mortal } from '../../../test/support/crash.js';
import { changeGpus } from './change.js';
import { undoChange } from './history.js';
import { restoreLayouts } from './restore.js';
import { resumeChanges } from './resume.js';

describe('an instance of another tool that came after a reboot', () => {
  it('is not ours, though profile, place and id are those of one that was', async () => {
    const machine = await changeMachine('h100');
    await changeGpus(machine.ports, [wanted(0, '3g.40gb:4', '1g.10gb:0')]);
    await machine.machine.reboot();
    await machine.cut(0, '3g.40gb:4', '1g.10gb:0');
    expect(await changeGpus(machine.ports, [wanted(0, '7g.80gb:0')])).toMatchObject({
      outcome: 'refused',
      gpus: [{ why: { kind: 'foreign' } }],
    });
    // Restore names them, so they are adopted by it.
    expect(await restoreLayouts(machine.ports)).toMatchObject({ outcome: 'unchanged' });
    expect(await changeGpus(machine.ports, [wanted(0, '7g.80gb:0')])).toMatchObject({ outcome: 'done' });
  });

  it('is not taken for what an interrupted change saw or made before it', async () => {
    for (let at = 1; at < 40; at += 1) {
      for (const direction of ['back', 'forward'] as const) {
        const machine = await changeMachine('h100');
        await changeGpus(machine.ports, [wanted(0, '1g.10gb:0', '1g.10gb:1')]);
        const life = mortal(machine.ports, at);
        await changeGpus(life.ports, [wanted(0, '2g.20gb:0')]).catch(() => undefined);
        await new Promise((resolve) => setTimeout(resolve, 1));
        machine.journal.dropLocks();
        await machine.machine.reboot();
        // The old layout for some, half of the new one for others.
        const theirs = at % 2 === 0 ? ['1g.10gb:0', '1g.10gb:1'] : ['2g.20gb:0', '1g.10gb:2'];
        await machine.cut(0, ...theirs);
        machine.faults.calls.length = 0;
        await resumeChanges(machine.ports, direction);
        const destroyed = machine.faults.calls.filter(({ name }) => name.startsWith('destroy'));
        expect(destroyed, `${direction} at ${at}`).toEqual([]);
        expect(await machine.holds(0)).toBe(theirs.join(' '));
      }
    }
  });

  it('can be left as it is', async () => {
    const machine = await changeMachine('h100');
    await changeGpus(machine.ports, [wanted(0, '1g.10gb:0')]);
    await changeGpus(mortal(machine.ports, 14).ports, [wanted(0, '7g.80gb:0')]).catch(() => undefined);
    machine.journal.dropLocks();
    await machine.machine.reboot();
    await machine.cut(0, '4g.40gb:0');
    const stuck = await restoreLayouts(machine.ports);
    expect(stuck).toMatchObject({
      outcome: 'failed',
      resumed: [{ gpus: [{ why: { kind: 'interrupted' } }] }],
    });
    expect(stuck.resumed[0]?.gpus[0]?.next).toContain('--interrupted accept');
    expect(await restoreLayouts(machine.ports, 'accept')).toMatchObject({ outcome: 'unchanged' });
    expect(await machine.holds(0)).toBe('4g.40gb:0');
  });
});

describe('restore', () => {
  it('that was cut short goes on where it was going, at every boundary', async () => {
    for (let at = 1; at < 60; at += 1) {
      const machine = await changeMachine('h100');
      await changeGpus(machine.ports, [wanted(0, '3g.40gb:0', '1g.10gb:4')]);
      await machine.machine.reboot();
      const life = mortal(machine.ports, at);
      await restoreLayouts(life.ports).catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, 1));
      machine.journal.dropLocks();
      if (at % 2 === 0) await machine.machine.reboot();
      expect((await restoreLayouts(machine.ports)).outcome).toMatch(/^(done|unchanged)$/);
      expect(await machine.holds(0), `boundary ${at}`).toBe('3g.40gb:0 1g.10gb:4');
    }
  });

  it('does not take back what somebody applied while it began', async () => {
    const machine = await changeMachine('h100');
    await changeGpus(machine.ports, [wanted(0, '3g.40gb:0')]);
    let asked = 0;
    const slow = {
      ...machine.ports,
      driver: {
        ...machine.driver,
        gpus: async () => {
          // Between restore's look into the journal and its lock, another process is through.
          if ((asked += 1) === 1) await changeGpus(machine.ports, [wanted(0, '7g.80gb:0')]);
          return machine.driver.gpus();
        },
      },
    };
    expect(await restoreLayouts(slow)).toMatchObject({ outcome: 'unchanged' });
    expect(await machine.holds(0)).toBe('7g.80gb:0');
  });

  it('names a card that is gone as what it is, and leaves the card in its place alone', async () => {
    const machine = await changeMachine('h100:2');
    await changeGpus(machine.ports, [wanted(0, '3g.40gb:0'), wanted(1, '3g.40gb:0')]);
    await changeGpus(mortal(machine.ports, 9).ports, [wanted(0, '7g.80gb:0')]).catch(() => undefined);
    machine.journal.dropLocks();
    await machine.machine.reboot();
    const { driver } = machine;
    const swapped = {
      ...machine.ports,
      driver: {
        ...driver,
        gpus: async () => {
          const all = await driver.gpus();
          return all.ok ? { ok: true as const, value: all.value.filter(({ index }) => index === 1) } : all;
        },
      },
    };
    const answer = await restoreLayouts(swapped);
    expect(answer).toMatchObject({
      outcome: 'failed',
      resumed: [{ gpus: [{ index: 0, outcome: 'failed', left: null }] }],
      restored: { gpus: [{ index: 1, outcome: 'done' }] },
      missing: [{ index: 0, uuid: machine.uuids[0], placements: [{ profile: '3g.40gb', start: 0 }] }],
    });
    expect(answer.resumed[0]?.gpus[0]?.next).toContain('--interrupted accept');
    expect(await restoreLayouts(swapped, 'accept')).toMatchObject({ outcome: 'unchanged' });
    expect(await restoreLayouts(swapped)).toMatchObject({ outcome: 'unchanged', resumed: [] });
  });
});

describe('undo', () => {
  it('after a reboot takes back the last change, not the restore that followed it', async () => {
    const machine = await changeMachine('h100');
    await changeGpus(machine.ports, [wanted(0, '3g.40gb:0')]);
    const last = await changeGpus(machine.ports, [wanted(0, '7g.80gb:0')]);
    await machine.machine.reboot();
    expect(await restoreLayouts(machine.ports)).toMatchObject({ outcome: 'done' });
    expect(await undoChange(machine.ports, null)).toMatchObject({
      ok: true,
      undone: last.change,
      answer: { outcome: 'done' },
    });
    expect(await machine.holds(0)).toBe('3g.40gb:0');
  });
});

describe('a change that is all or nothing', () => {
  it('goes back wholly where a part of it went back before it was interrupted', async () => {
    const machine = await changeMachine('h100:2');
    await changeGpus(machine.ports, [wanted(0, '1g.10gb:0'), wanted(1, '1g.10gb:0')]);
    // The second GPU can neither go on nor go back: the first one is put back.
    const [, second] = machine.uuids;
    const { driver } = machine;
    const broken: typeof driver = {
      ...driver,
      createGpuInstance: async (uuid, ...args) =>
        uuid === second
          ? { ok: false, why: { kind: 'unknown', message: 'broken', code: null } }
          : driver.createGpuInstance(uuid, ...args),
    };
    const answer = await changeGpus({ ...machine.ports, driver: broken }, [
      wanted(0, '7g.80gb:0'),
      wanted(1, '7g.80gb:0'),
    ]);
    expect(answer.gpus.map(({ outcome }) => outcome)).toEqual(['rolled-back', 'failed']);
    expect(await resumeChanges(machine.ports, 'forward')).toMatchObject([{ outcome: 'rolled-back' }]);
    expect([await machine.holds(0), await machine.holds(1)]).toEqual(['1g.10gb:0', '1g.10gb:0']);
  });

  it('that cannot go back before a reboot says so', async () => {
    const machine = await changeMachine('a100-40gb:2');
    for (let nth = 2; nth < 20; nth += 1) machine.faults.failOn('reset', nth, 'not-supported');
    machine.faults.failOn('createGpuInstance', 1, 'unknown');
    const answer = await changeGpus(machine.ports, [wanted(0, '7g.40gb:0')]);
    expect(answer).toMatchObject({ outcome: 'failed' });
    expect(answer.gpus[0]?.next).toMatch(/reboot this machine, then run `mica node restore`/);
    await machine.machine.reboot();
    expect(await restoreLayouts(machine.ports)).toMatchObject({ outcome: 'done' });
    expect(await machine.holds(0)).toBe('mig off');
  });
});

describe('a lock that cannot be given back', () => {
  it('does not hide what was done', async () => {
    const machine = await changeMachine('h100');
    const { lock } = machine.journal;
    machine.journal.lock = async (key) => {
      const taken = await lock(key);
      return taken.ok
        ? { ok: true, release: () => Promise.reject(new Error('no space left on device')) }
        : taken;
    };
    expect(await changeGpus(machine.ports, [wanted(0, '7g.80gb:0')])).toMatchObject({ outcome: 'done' });
  });
});
