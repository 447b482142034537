/** Killed at any boundary of any change, each GPU ends on exactly the old or the new layout, and what is in both lives. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { modelByKey } from '#core/catalogue/catalogue';
import { layoutOf, spaceOf } from '#core/geometry/space';
import { statesOf } from '#core/geometry/states';
import { changeMachine, wanted, type ChangeMachine } from '../../../test/support/change-machine.js';
import { mortal } from '../../../test/support/crash.js';
import { changeGpus } from './change.js';
import { restoreLayouts } from './restore.js';
import { resumeChanges, type Direction } from './resume.js';

const isLong = process.env['MICA_LONG'] === '1';
const models = [
  'h100-80gb-sxm',
  'h100-80gb-sxm',
  'h200-141gb',
  'rtx-pro-6000-blackwell-server',
  'rtx-pro-6000-blackwell-server',
  'a100-40gb',
  'a30-24gb',
  'b200-180gb',
];

/** `null`: MIG off; else the places. */
type Cut = readonly string[] | null;
type Machine = readonly Cut[];

const layoutsOf = new Map(
  [...new Set(models)].map((key) => {
    const model = modelByKey(key);
    if (model?.kind !== 'mig') throw new Error(`${key} is not in the catalogue`);
    const space = spaceOf(model, model.gridUnits === 12 ? 'all' : 'plain');
    const layouts = statesOf(space).map(({ slots }) =>
      layoutOf(space, slots).map(({ profile, start }) => `${profile}:${start}`),
    );
    return [key, layouts] as const;
  }),
);

const anyCut = (key: string): fc.Arbitrary<Cut> =>
  fc.option(fc.constantFrom(...(layoutsOf.get(key) ?? [])), { nil: null, freq: 6 });
const anyMachine: fc.Arbitrary<Machine> = fc.tuple(...models.map(anyCut));
const anyPair = fc
  .tuple(anyMachine, anyMachine, fc.array(fc.boolean(), { minLength: 8, maxLength: 8 }))
  // Half of the GPUs keep some of what they have.
  .map(([from, to, near]) => ({
    from,
    to: to.map((cut, index) => (near[index] === true ? nearTo(from[index], cut) : cut)),
  }));
const anyCase = fc.record({
  pair: anyPair,
  at: fc.nat(),
  again: fc.option(fc.integer({ min: 1, max: 60 })),
  direction: fc.constantFrom<Direction>('back', 'forward'),
  keepGoing: fc.boolean(),
});

describe('a crash', () => {
  it('at every boundary of a change of 8 GPUs', { timeout: 600_000 }, async () => {
    for (const pair of fc.sample(anyPair, { numRuns: isLong ? 20 : 1, seed: 11 })) {
      const total = await boundariesOf(pair);
      expect(total).toBeGreaterThan(100);
      for (let at = 1; at <= total; at += 1) {
        await dieAndComeBack({
          pair,
          at,
          again: null,
          direction: at % 2 === 0 ? 'back' : 'forward',
          keepGoing: false,
        });
      }
    }
  });

  it('at any boundary, and again while coming back', { timeout: 600_000 }, async () => {
    await fc.assert(fc.asyncProperty(anyCase, dieAndComeBack), { numRuns: isLong ? 2000 : 60 });
  });
});

interface Case {
  readonly pair: { readonly from: Machine; readonly to: Machine };
  readonly at: number;
  readonly again: number | null;
  readonly direction: Direction;
  readonly keepGoing: boolean;
}

async function dieAndComeBack({ pair: { from, to }, at, again, direction, keepGoing }: Case): Promise<void> {
  const machine = await machineWith(from);
  const kept = await idsOf(machine, from, to);
  const options = { mayDestroyForeign: 'all', keepGoing } as const;
  const wishes = to.map((cut, index) => wanted(index, ...(cut ?? [null])));
  const life = mortal(machine.ports, at > 400 ? 1 + (at % 400) : at);
  // A process that dies answers nobody; one that had nothing left to do may.
  await changeGpus(life.ports, wishes, options).catch(() => undefined);
  await settled();
  machine.journal.dropLocks();
  if (again !== null) {
    const second = mortal(machine.ports, again);
    await resumeChanges(second.ports, direction).catch(() => undefined);
    await settled();
    machine.journal.dropLocks();
  }
  for (const answer of await resumeChanges(machine.ports, direction)) {
    for (const gpu of answer.gpus) expect(gpu.outcome).toMatch(/^(done|rolled-back)$/);
  }
  expect(await machine.journal.names()).toEqual([]);
  const now = await Promise.all(models.map((_, index) => machine.holds(index)));
  const [old, wish] = [from.map(inWords), to.map(inWords)];
  if (keepGoing) now.forEach((words, index) => expect([old[index], wish[index]]).toContain(words));
  else expect([old, wish]).toContainEqual(now);
  const destroyed = machine.faults.calls
    .filter(({ name }) => name === 'destroyGpuInstance' || name === 'destroyComputeInstance')
    .map(({ gpuUuid, args }) => `${gpuUuid ?? ''}/${args[0] ?? ''}`);
  expect(destroyed.filter((id) => kept.has(id))).toEqual([]);
  // Nothing is open, so nothing is restored, and the next change works.
  expect(await resumeChanges(machine.ports)).toEqual([]);
}

async function boundariesOf({ from, to }: Case['pair']): Promise<number> {
  const life = mortal((await machineWith(from)).ports, Infinity);
  const wishes = to.map((cut, index) => wanted(index, ...(cut ?? [null])));
  const answer = await changeGpus(life.ports, wishes, { mayDestroyForeign: 'all' });
  expect(answer.outcome).toBe('done');
  return life.boundaries();
}

async function machineWith(cuts: Machine): Promise<ChangeMachine> {
  const machine = await changeMachine(models.join());
  for (const [index, cut] of cuts.entries()) if (cut !== null) await machine.cut(index, ...cut);
  return machine;
}

/** The instances that are in both layouts, by GPU and GI id: while they live, nobody else gets that id. */
async function idsOf(machine: ChangeMachine, from: Machine, to: Machine): Promise<ReadonlySet<string>> {
  const ids = new Set<string>();
  for (const [index, uuid] of machine.uuids.entries()) {
    const instances = await machine.driver.instances(uuid);
    for (const { id, placement } of instances.ok ? instances.value : []) {
      const place = `${placement.profile}:${placement.start}`;
      if (from[index]?.includes(place) === true && to[index]?.includes(place) === true)
        ids.add(`${uuid}/${id}`);
    }
  }
  return ids;
}

function nearTo(from: Cut | undefined, to: Cut): Cut {
  if (from == null || to === null || from.length === 0) return to;
  return from.slice(0, Math.ceil(from.length / 2));
}

function inWords(cut: Cut): string {
  return cut === null ? 'mig off' : cut.join(' ');
}

/** Calls that were under way when the process died have come to their end. */
function settled(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, 1);
  });
}

it('restores the last layouts after a reboot', async () => {
  const machine = await changeMachine('h100,a100-40gb,rtx-pro-6000');
  await changeGpus(machine.ports, [wanted(0, '3g.40gb:0', '1g.10gb:4'), wanted(1, '7g.40gb:0')]);
  await changeGpus(machine.ports, [wanted(0, '3g.40gb:0', '2g.20gb:4')]);
  await machine.machine.reboot();
  expect(await machine.holds(0)).toBe('mig off');
  expect(await restoreLayouts(machine.ports)).toMatchObject({ outcome: 'done', resumed: [] });
  expect([await machine.holds(0), await machine.holds(1), await machine.holds(2)]).toEqual([
    '3g.40gb:0 2g.20gb:4',
    '7g.40gb:0',
    'mig off',
  ]);
  expect(await restoreLayouts(machine.ports)).toMatchObject({ outcome: 'unchanged' });
});
