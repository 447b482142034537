/** Signals cannot be taken back: each is on disk before it is sent, goes to whom it is meant for, and is told later. */
import { describe, expect, it } from 'vitest';
import { changeMachine, wanted, type ChangeMachine } from '../../../test/support/change-machine.js';
import { mortal } from '../../../test/support/crash.js';
import { changeGpus } from './change.js';
import { historyOf } from './history.js';
import type { ChangePorts } from './ports.js';
import { readPast } from './records.js';
import { resumeChanges } from './resume.js';

const wish = [wanted(0, '3g.40gb:4')];
const drain = { graceMs: 5_000, then: 'kill' } as const;

async function busyMachine(): Promise<ChangeMachine> {
  const machine = await changeMachine('h100:2');
  await changeGpus(machine.ports, [wanted(0, '1g.10gb:0', '3g.40gb:4')]);
  await machine.use(0, 0, 4211);
  return machine;
}

type Signal = ChangePorts['processes']['signal'];

/** The same ports, with something that happens just before a signal is sent. */
function beforeSignal(ports: ChangePorts, happen: (...args: Parameters<Signal>) => void): ChangePorts {
  const signal: Signal = (...args) => {
    happen(...args);
    return ports.processes.signal(...args);
  };
  return { ...ports, processes: { ...ports.processes, signal } };
}

describe('a signal', () => {
  it('is written down before it is sent, and shown by the history', async () => {
    const machine = await busyMachine();
    machine.stubborn.add(4211);
    const written: string[] = [];
    const { append } = machine.journal;
    machine.journal.append = async (name, record) => {
      await append(name, record);
      written.push((record as { readonly kind: string }).kind);
    };
    const kinds: (readonly string[])[] = [];
    const ports = beforeSignal(machine.ports, () => kinds.push([...written]));
    expect(await changeGpus(ports, wish, { drain })).toMatchObject({ outcome: 'done' });
    expect(kinds).toEqual([
      ['intent', 'signal'],
      ['intent', 'signal', 'signalled', 'signal'],
    ]);
    const entry = (await historyOf(machine.ports)).at(-1);
    const common = {
      ...{ pid: 4211, name: 'python', startedAt: 'start 4211/0', uuids: [machine.uuids[0]] },
      ...{ atMs: expect.any(Number), reached: true },
    };
    expect(entry?.signals).toEqual([
      { ...common, signal: 'SIGTERM' },
      { ...common, signal: 'SIGKILL' },
    ]);
  });

  it('is not sent where the processes cannot be listed, which is said', async () => {
    for (const nth of [3, 4]) {
      const machine = await busyMachine();
      machine.faults.failOn('processes', countOf(machine) + nth, 'unknown');
      const answer = await changeGpus(machine.ports, wish, { drain });
      expect(answer).toMatchObject({
        outcome: 'refused',
        gpus: [{ why: { kind: 'driver', refusal: 'unknown' } }],
      });
      expect(machine.signals).toEqual([]);
      expect(await machine.holds(0)).toBe('1g.10gb:0 3g.40gb:4');
    }
  });

  it('that did not help is in the history of a change that was refused', async () => {
    const machine = await busyMachine();
    machine.stubborn.add(4211);
    const answer = await changeGpus(machine.ports, [...wish, wanted(1, '7g.80gb:0')], {
      drain: { ...drain, then: 'refuse' },
    });
    expect(answer).toMatchObject({
      outcome: 'refused',
      gpus: [{ why: { kind: 'busy' }, kept: [] }, { why: { kind: 'other-gpu' } }],
    });
    expect((await historyOf(machine.ports)).at(-1)).toMatchObject({
      change: answer.change,
      outcome: 'refused',
      gpus: [{ outcome: 'refused' }, { outcome: 'refused' }],
      signals: [{ pid: 4211, signal: 'SIGTERM' }],
    });
    expect(await machine.journal.names()).toEqual([]);
    // The slices are as much Mica's as before.
    await machine.machine.removeClient(machine.uuids[0] ?? '', 4211);
    expect(await changeGpus(machine.ports, wish)).toMatchObject({ outcome: 'done' });
  });

  it('is not sent where it cannot be written down', async () => {
    const machine = await busyMachine();
    const { append } = machine.journal;
    for (const room of [0, 1]) {
      let left = room;
      machine.journal.append = async (name, record) => {
        if ((left -= 1) < 0) throw new Error('no space left on device');
        await append(name, record);
      };
      const answer = await changeGpus(machine.ports, wish, { drain });
      expect(answer.gpus[0]?.why?.message).toContain('no space left on device');
      expect(answer.outcome).toBe(room === 0 ? 'refused' : 'failed');
    }
    expect(machine.signals).toEqual([]);
    machine.journal.append = append;
    expect(await resumeChanges(machine.ports)).toMatchObject([{ outcome: 'rolled-back' }]);
    expect(await machine.holds(0)).toBe('1g.10gb:0 3g.40gb:4');
  });

  it('goes to nobody who has the pid of a process that left meanwhile', async () => {
    const machine = await busyMachine();
    machine.stubborn.add(4211);
    let sent = 0;
    const ports = beforeSignal(machine.ports, () => {
      if ((sent += 1) === 1) machine.clock.in(600, () => machine.reused.set(4211, 1));
    });
    const answer = await changeGpus(ports, wish, { drain });
    expect(answer).toMatchObject({ outcome: 'refused', gpus: [{ why: { kind: 'busy' } }] });
    expect(machine.signals).toEqual(['SIGTERM 4211']);
  });

  it('goes to nobody who got the pid between the look and the signal', async () => {
    const machine = await busyMachine();
    const ports = beforeSignal(machine.ports, () => machine.reused.set(4211, 1));
    const answer = await changeGpus(ports, wish, { drain });
    expect(answer.gpus[0]?.why?.message).toContain('no signal could be sent to pid 4211');
    expect(machine.signals).toEqual([]);
    expect((await historyOf(machine.ports)).at(-1)?.signals).toMatchObject([{ reached: false }]);
  });

  it('is no kill for a process that was never asked to leave', async () => {
    const machine = await busyMachine();
    machine.clock.in(3_000, () => machine.use(0, 0, 5000));
    const answer = await changeGpus(machine.ports, wish, { drain: { ...drain, graceMs: 600 } });
    expect(answer.outcome).toBe('done');
    const other = await busyMachine();
    other.stubborn.add(4211);
    other.clock.in(3_000, () => other.use(0, 0, 5000));
    expect(await changeGpus(other.ports, wish, { drain })).toMatchObject({
      outcome: 'refused',
      gpus: [{ why: { holders: [{ pid: 5000 }] } }],
    });
    expect(other.signals).toEqual(['SIGTERM 4211', 'SIGKILL 4211']);
  });

  it('is known to the change that is resumed after it', async () => {
    const machine = await busyMachine();
    machine.stubborn.add(4211);
    // Dies while it waits for the process to leave.
    const life = mortal(machine.ports, 7);
    await changeGpus(life.ports, wish, { drain }).catch(() => undefined);
    machine.journal.dropLocks();
    expect((await readPast(machine.journal)).changes.at(-1)?.records.map(({ kind }) => kind)).toEqual([
      'intent',
      'signal',
      'signalled',
    ]);
    const [answer] = await resumeChanges(machine.ports);
    expect(answer).toMatchObject({ outcome: 'rolled-back' });
    expect(answer?.gpus[0]?.why?.message).toContain('SIGTERM was sent to python (pid 4211)');
    const killed = await busyMachine();
    killed.stubborn.add(4211);
    await changeGpus(mortal(killed.ports, 8).ports, wish, { drain }).catch(() => undefined);
    killed.journal.dropLocks();
    const [other] = await resumeChanges(killed.ports);
    expect(other?.gpus[0]?.why?.message).toContain('SIGKILL may have been sent to python (pid 4211)');
  });
});

describe('a wait', () => {
  it('is as long as it was told to be, whatever becomes of the wall clock', async () => {
    for (const jumpMs of [3_600_000, -3_600_000]) {
      const machine = await busyMachine();
      machine.stubborn.add(4211);
      let sleptMs = 0;
      let jumpedMs = 0;
      const clock = {
        nowMs: () => machine.clock.nowMs() + jumpedMs,
        sleep: (ms: number) => {
          sleptMs += ms;
          jumpedMs = jumpMs;
          return machine.clock.sleep(ms);
        },
      };
      const answer = await changeGpus({ ...machine.ports, clock }, wish, {
        drain: { ...drain, then: 'refuse' },
      });
      expect(answer.outcome).toBe('refused');
      expect(sleptMs).toBe(5_000);
    }
  });

  it('for a driver that says "in use" for hours leaves a journal of a few records', async () => {
    const machine = await changeMachine('h100');
    for (let nth = 1; nth < 2_000; nth += 1) machine.faults.failOn('setMigMode', nth, 'in-use');
    const answer = await changeGpus(machine.ports, wish, { waitMs: 900_000 });
    expect(answer).toMatchObject({ outcome: 'rolled-back' });
    expect(machine.faults.calls.filter(({ name }) => name === 'setMigMode').length).toBeGreaterThan(1_700);
    expect((await readPast(machine.journal)).changes[0]?.records.length).toBeLessThan(20);
  });

  it('ends in a refusal where the GPU was changed meanwhile: what was decided was about another layout', async () => {
    const machine = await busyMachine();
    machine.clock.in(2_000, async () => {
      await machine.driver.createGpuInstance(machine.uuids[0] ?? '', 19, 2);
      await machine.machine.removeClient(machine.uuids[0] ?? '', 4211);
    });
    expect(await changeGpus(machine.ports, wish, { waitMs: 10_000 })).toMatchObject({
      outcome: 'refused',
      change: null,
      gpus: [{ why: { kind: 'unverified' } }],
    });
    expect(await machine.holds(0)).toBe('1g.10gb:0 1g.10gb:2? 3g.40gb:4');
  });
});

/** How often processes were listed so far. */
function countOf({ faults }: ChangeMachine): number {
  return faults.calls.filter(({ name }) => name === 'processes').length;
}
