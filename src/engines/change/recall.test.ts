/** A short memory and a long one: with old journals forgotten, everything that goes by the journal is answered alike. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { changeMachine, wanted, type ChangeMachine } from '../../../test/support/change-machine.js';
import { mortal } from '../../../test/support/crash.js';
import { changeGpus } from './change.js';
import { historyOf, undoChange } from './history.js';
import { keptChanges, lastApplied, lastUndoable, needless, ownedOn } from './recall.js';
import { readPast, type PastChange } from './records.js';
import { restoreLayouts } from './restore.js';

const isLong = process.env['MICA_LONG'] === '1';
const gpus = 'h100:2,a100-40gb';
const layouts = [[null], ['1g.10gb:0'], ['1g.10gb:0', '3g.40gb:4'], ['3g.40gb:0', '1g.10gb:6'], []];
const ampere = [[null], ['1g.5gb:0'], ['1g.5gb:0', '3g.20gb:4'], ['3g.20gb:0'], []];

/** What can happen to a machine. */
type Event =
  | { readonly kind: 'apply'; readonly gpus: readonly (number | null)[]; readonly dieAt: number | null }
  | { readonly kind: 'undo' | 'restore' | 'reboot' }
  | { readonly kind: 'foreign'; readonly gpu: number };

const anyEvent: fc.Arbitrary<Event> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('apply' as const),
      gpus: fc.tuple(...[0, 1, 2].map(() => fc.option(fc.nat({ max: 4 })))),
      dieAt: fc.option(fc.integer({ min: 1, max: 30 }), { freq: 3 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom('undo' as const, 'restore', 'reboot') }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('foreign' as const), gpu: fc.nat({ max: 2 }) }) },
);

it('answers restore, undo and whose an instance is as if nothing had been forgotten', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(anyEvent, { minLength: 4, maxLength: 14 }),
      fc.nat({ max: 3 }),
      fc.array(fc.nat(), { maxLength: 6 }),
      async (events, keep, spared) => {
        const long = await changeMachine(gpus);
        const short = await changeMachine(gpus);
        for (const event of events) {
          const [one, other] = [await happen(long, event), await happen(short, event)];
          expect(other).toEqual(one);
          await forget(short, keep, spared);
          await expectAlike(long, short);
        }
        const kept = (await readPast(short.journal)).changes;
        if (spared.length === 0) expect(kept.length).toBeLessThanOrEqual(keep + 2 * 3 + 1 + 1);
      },
    ),
    { numRuns: isLong ? 500 : 60 },
  );
});

it('keeps a bounded number of changes, and the newest of them', async () => {
  const machine = await changeMachine('h100:2');
  const first = await changeGpus(machine.ports, [wanted(1, '7g.80gb:0')]);
  for (let round = 0; round < keptChanges + 20; round += 1) {
    await changeGpus(machine.ports, [wanted(0, round % 2 === 0 ? '3g.40gb:0' : '4g.40gb:0')]);
  }
  const entries = await historyOf(machine.ports);
  expect(entries.length).toBeLessThanOrEqual(keptChanges + 3);
  expect(entries.length).toBeGreaterThanOrEqual(keptChanges);
  // The other GPU goes by the oldest of all.
  expect(entries[0]?.change).toBe(first.change);
  await machine.machine.reboot();
  expect(await restoreLayouts(machine.ports)).toMatchObject({ outcome: 'done' });
  expect([await machine.holds(0), await machine.holds(1)]).toEqual(['4g.40gb:0', '7g.80gb:0']);
});

it('is no failure of a change where nothing can be forgotten', async () => {
  const machine = await changeMachine('h100');
  for (let round = 0; round < keptChanges + 2; round += 1) {
    await changeGpus(machine.ports, [wanted(0, round % 2 === 0 ? '3g.40gb:0' : '4g.40gb:0')]);
  }
  machine.journal.forget = () => Promise.reject(new Error('read-only file system'));
  expect(await changeGpus(machine.ports, [wanted(0, '7g.80gb:0')])).toMatchObject({ outcome: 'done' });
});

async function happen(machine: ChangeMachine, event: Event): Promise<unknown> {
  switch (event.kind) {
    case 'apply': {
      const wishes = event.gpus.flatMap((choice, index) =>
        choice === null ? [] : [wanted(index, ...((index === 2 ? ampere : layouts)[choice] ?? []))],
      );
      if (event.dieAt === null) return nameless(await changeGpus(machine.ports, wishes));
      const life = mortal(machine.ports, event.dieAt);
      await changeGpus(life.ports, wishes).catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, 1));
      machine.journal.dropLocks();
      return null;
    }
    case 'undo': {
      const undone = await undoChange(machine.ports, null);
      return undone.ok ? nameless(undone.answer) : undone;
    }
    case 'restore':
      return nameless(await restoreLayouts(machine.ports));
    case 'reboot':
      return machine.machine.reboot();
    case 'foreign': {
      if ((await machine.holds(event.gpu)) !== '') return null;
      return machine.cut(event.gpu, event.gpu === 2 ? '3g.20gb:4' : '3g.40gb:4');
    }
  }
}

/** As a process that was killed half way through forgetting: some of what is needless stays. */
async function forget(machine: ChangeMachine, keep: number, spared: readonly number[]): Promise<void> {
  const ids = needless((await readPast(machine.journal)).changes, keep);
  await machine.journal.forget(ids.filter((_, index) => !spared.includes(index)));
}

async function expectAlike(long: ChangeMachine, short: ChangeMachine): Promise<void> {
  const [all, few] = [(await readPast(long.journal)).changes, (await readPast(short.journal)).changes];
  expect(namesOf(few.filter(({ isOpen }) => isOpen))).toEqual(namesOf(all.filter(({ isOpen }) => isOpen)));
  expect(lastUndoable(few)?.name).toBe(lastUndoable(all)?.name);
  for (const [index, uuid] of long.uuids.entries()) {
    expect(await short.holds(index)).toBe(await long.holds(index));
    expect(lastApplied(few, uuid)).toEqual(lastApplied(all, uuid));
    const live = await long.driver.instances(uuid);
    const instances = (live.ok ? live.value : []).map(({ id, placement }) => ({
      id,
      placement,
      computeIds: [],
    }));
    const boot = long.ports.processes.bootId();
    expect(ownedOn(few, uuid, instances, boot)).toEqual(ownedOn(all, uuid, instances, boot));
  }
}

function namesOf(changes: readonly PastChange[]): readonly string[] {
  return changes.map(({ name }) => name);
}

/** Two machines of one history have the same clock, and so the same names; times may differ by the reading of more. */
function nameless(answer: unknown): unknown {
  return JSON.parse(JSON.stringify(answer));
}
