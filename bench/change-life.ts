/** One life of a machine in the bench of changes: random changes, each made by both contestants on equal machines. */
import { join } from 'node:path';
import { fileJournal } from '#adapters/journal/file-journal';
import { lockFiles } from '#adapters/system/lock-files';
import { systemClock } from '#adapters/system/clock';
import { systemProcesses } from '#adapters/system/processes';
import { asArgument, type Layout, type Placement } from '#core/geometry/placement';
import { layoutOf, slotOf, spaceOf } from '#core/geometry/space';
import { statesOf } from '#core/geometry/states';
import { changeGpus } from '#engines/change/change';
import type { ChangePorts } from '#engines/change/ports';
import { familyOf } from '../test/native/default-order.js';
import { gpusOfBed, instancesOn, lay, openBed, watched, type Bed } from './change-bed.js';
import { applyCounts, countsText, type KnownProfile } from './mig-parted.js';
import { h100 } from './mixes.js';
import { randomFrom, type Random } from './random.js';

export const changesPerLife = 25;
export const busyShare = 0.3;
export const keptShare = 0.5;
export const kinds = ['nothing busy', 'busy slices kept', 'busy not looked at'] as const;
export const contestants = ['Mica', 'clear and cut'] as const;
const shares = [0.4, 0.4, 0.2];
const space = spaceOf(h100);

type Kind = (typeof kinds)[number];

/** One GPU of a change: what is there, what of that is in use, and what is wanted. */
interface Wish {
  readonly gpu: number;
  readonly from: Layout;
  readonly busy: Layout;
  readonly to: Layout;
}

interface Run {
  readonly who: Result['who'];
  readonly bed: Bed;
  readonly apply: (driver: Bed['driver']) => Promise<boolean | 'refused'>;
  readonly isReached: (now: Layout, to: Layout) => boolean;
}

export type End = 'as wanted' | 'refused' | 'failed';

/** Plain, so that it can come from another process. */
export interface Result {
  /** Nothing else ran at the time. */
  readonly alone: boolean;
  readonly kind: Kind;
  readonly who: (typeof contestants)[number];
  readonly end: End;
  readonly ms: number;
  readonly changing: number;
  readonly reading: number;
  /** Calls that were answered "in use". */
  readonly inUse: number;
  readonly kept: number;
  readonly keptDisturbed: number;
  readonly busyDisturbed: number;
  /** A busy slice stands where the new layout has none. */
  readonly isBlocked: boolean;
  /** GPUs that hold neither what they held nor what was wanted. */
  readonly halfWay: number;
}

/** The two machines hold the same when a change begins; Mica's is never put right by hand. */
export async function runLife(seed: number, alone: boolean): Promise<readonly Result[]> {
  const random = randomFrom(seed);
  const [ours, theirs] = [await openBed(), await openBed()];
  const journal = fileJournal({
    folder: join(ours.folder, 'journal'),
    locks: lockFiles(join(ours.folder, 'locks')),
  });
  const ports = { driver: ours.driver, journal, clock: systemClock, processes: systemProcesses };
  const results: Result[] = [];
  try {
    const states = statesOf(space);
    const layouts = Array.from({ length: gpusOfBed }, () =>
      layoutOf(space, states[random.below(states.length)]!.slots),
    );
    await applyMica(
      ports,
      layouts.map((to, gpu) => ({ gpu, from: [], busy: [], to })),
    );
    for (let number = 0; number < changesPerLife; number += 1) {
      const kind = kinds[random.pick(shares)]!;
      const wishes = drawWishes(random, kind, layouts);
      theirs.setBusy([]);
      for (const { gpu, from } of wishes) await lay(theirs, gpu, from);
      const runs: readonly Run[] = [
        {
          who: 'Mica',
          bed: ours,
          apply: (driver) => applyMica({ ...ports, driver }, wishes),
          isReached: (now, to) => textOf(now) === textOf(to),
        },
        {
          who: 'clear and cut',
          bed: theirs,
          apply: (driver) => applyCounts(driver, profileOf, listsOf(theirs, wishes)),
          isReached: (now, to) => countsText(namesOf(now)) === countsText(namesOf(to)),
        },
      ];
      for (const run of runs) {
        results.push({ alone, who: run.who, kind, ...(await runOne(run, wishes)) });
      }
      for (const { gpu } of wishes)
        layouts[gpu] = (await instancesOn(ours, gpu)).map(({ placement }) => placement);
    }
  } finally {
    await ours.close();
    await theirs.close();
  }
  return results;
}

/** One or two GPUs that change. */
function drawWishes(random: Random, kind: Kind, layouts: readonly Layout[]): readonly Wish[] {
  const wishes: Wish[] = [];
  const wanted = 1 + random.below(2);
  while (wishes.length < wanted) {
    const gpu = random.below(gpusOfBed);
    const from = layouts[gpu]!;
    const busy = kind === 'nothing busy' ? [] : from.filter(() => random.uniform() < busyShare);
    const kept = from.filter(
      (place) => (kind === 'busy slices kept' && busy.includes(place)) || random.uniform() < keptShare,
    );
    const states = statesOf(
      space,
      kept.map((place) => slotOf(space, place)!),
    );
    const to = layoutOf(space, states[random.below(states.length)]!.slots);
    if (textOf(to) === textOf(from) || wishes.some((wish) => wish.gpu === gpu)) continue;
    wishes.push({ gpu, from, busy, to });
  }
  return wishes;
}

async function runOne(
  { bed, apply, isReached }: Run,
  wishes: readonly Wish[],
): Promise<Omit<Result, 'alone' | 'who' | 'kind'>> {
  const ids = new Map<Wish, (place: Placement) => string>();
  const busy: { gpu: number; instanceId: number }[] = [];
  for (const wish of wishes) {
    const there = await instancesOn(bed, wish.gpu);
    const idOf = (place: Placement): number =>
      there.find(({ placement }) => asArgument(placement) === asArgument(place))!.id;
    ids.set(wish, (place) => `${bed.uuids[wish.gpu]!}/${idOf(place)}`);
    busy.push(...wish.busy.map((place) => ({ gpu: wish.gpu, instanceId: idOf(place) })));
  }
  bed.setBusy(busy);
  const { driver, touched } = watched(bed.driver);
  bed.takeCalls();
  const started = performance.now();
  const answer = await apply(driver);
  const ms = performance.now() - started;
  const calls = bed.takeCalls();
  const isIn = (layout: Layout, place: Placement): boolean =>
    layout.some((other) => asArgument(other) === asArgument(place));
  const disturbedOf = (which: (wish: Wish) => Layout): number =>
    wishes
      .flatMap((wish) => which(wish).map((place) => ids.get(wish)!(place)))
      .filter((id) => touched.disturbed.has(id)).length;
  const keptOf = ({ from, to }: Wish): Layout => from.filter((place) => isIn(to, place));
  const seen = await Promise.all(
    wishes.map(async ({ gpu, from, to }) => {
      const now = (await instancesOn(bed, gpu)).map(({ placement }) => placement);
      return { isNew: isReached(now, to), isOld: textOf(now) === textOf(from) };
    }),
  );
  return {
    end:
      answer === 'refused' ? 'refused' : answer && seen.every(({ isNew }) => isNew) ? 'as wanted' : 'failed',
    ms,
    ...calls,
    inUse: touched.inUse,
    kept: wishes.reduce((sum, wish) => sum + keptOf(wish).length, 0),
    keptDisturbed: disturbedOf(keptOf),
    busyDisturbed: disturbedOf((wish) => wish.busy),
    isBlocked: wishes.some((wish) => wish.busy.some((place) => !isIn(wish.to, place))),
    halfWay: seen.filter(({ isNew, isOld }) => !isNew && !isOld).length,
  };
}

async function applyMica(ports: ChangePorts, wishes: readonly Wish[]): Promise<boolean | 'refused'> {
  const wanted = wishes.map(({ gpu, to }) => ({ gpu, want: { mig: true, placements: to } as const }));
  const { outcome } = await changeGpus(ports, wanted);
  return outcome === 'refused' ? 'refused' : outcome === 'done' || outcome === 'unchanged';
}

/** Large ones first, as the procedure lists them. */
function listsOf(bed: Bed, wishes: readonly Wish[]) {
  return wishes.map(({ gpu, to }) => ({
    uuid: bed.uuids[gpu]!,
    profiles: space.profiles.flatMap(({ name }) => namesOf(to).filter((one) => one === name)),
  }));
}

function profileOf(name: string): KnownProfile {
  const profile = space.profiles.find((one) => one.name === name)!;
  return { id: profile.id, sizeUnits: profile.sizeUnits, starts: familyOf(h100).order(profile) };
}

function namesOf(layout: Layout): readonly string[] {
  return layout.map(({ profile }) => profile);
}

function textOf(layout: Layout): string {
  return layout.map(asArgument).sort().join(' ');
}
