/** Changing a machine's layouts: Mica's engine beside the usual way, which clears a GPU and cuts it again. */
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
import {
  bedKinds,
  counted,
  gpusOfBed,
  instancesOn,
  lay,
  openBed,
  type Bed,
  type BedKind,
  type CallCount,
} from './change-bed.js';
import { atMost, type Bench, type BenchOptions, type Outcome, type Row } from './harness.js';
import { applyCounts, countsText, type KnownProfile } from './mig-parted.js';
import { h100 } from './mixes.js';
import { randomFrom, seeds, type Random } from './random.js';

const changesPerLife = 25;
const livesOn = { simulated: 40, 'NVML double': 2 } as const;
const space = spaceOf(h100);
const busyShare = 0.3;
const keptShare = 0.5;
const kinds = ['nothing busy', 'busy slices kept', 'busy not looked at'] as const;
const shares = [0.4, 0.4, 0.2];
const contestants = ['Mica', 'clear and cut'] as const;

export const change: Bench = {
  name: 'change',
  about: `random changes of 1 or 2 GPUs of a machine with ${gpusOfBed} H100, seeds from 101; each slice stays with probability ${keptShare}`,
  run: runChange,
};

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

type End = 'as wanted' | 'refused' | 'failed';

interface Result {
  readonly on: BedKind;
  readonly kind: Kind;
  readonly who: (typeof contestants)[number];
  readonly end: End;
  readonly ms: number;
  readonly calls: CallCount;
  readonly kept: number;
  readonly keptDisturbed: number;
  readonly busyDisturbed: number;
  /** A busy slice stands where the new layout has none. */
  readonly isBlocked: boolean;
  /** GPUs that hold neither what they held nor what was wanted. */
  readonly halfWay: number;
}

async function runChange({ quick }: BenchOptions): Promise<Outcome> {
  const results: Result[] = [];
  for (const on of bedKinds) {
    const lives = quick ? 2 : livesOn[on];
    for (const seed of seeds(101, 100 + lives)) results.push(...(await runLife(on, seed)));
  }
  const mica = results.filter(({ who }) => who === 'Mica');
  const sum = (count: (result: Result) => number): number => mica.reduce((all, one) => all + count(one), 0);
  const stuck = mica.filter(({ end, isBlocked }) => end !== 'as wanted' && !isBlocked).length;
  return {
    rows: bedKinds.flatMap((on) =>
      kinds.flatMap((kind) =>
        contestants.map((who) =>
          rowOf(
            { on, slices: kind, by: who },
            results.filter((one) => one.on === on && one.kind === kind && one.who === who),
          ),
        ),
      ),
    ),
    bars: [
      atMost(
        'kept slices that Mica disturbed',
        sum((one) => one.keptDisturbed),
        0,
        0,
      ),
      atMost(
        'busy slices that Mica disturbed',
        sum((one) => one.busyDisturbed),
        0,
        0,
      ),
      atMost(
        'GPUs that Mica left neither as before nor as wanted',
        sum((one) => one.halfWay),
        0,
        0,
      ),
      atMost('changes that Mica did not do though no busy slice had to go', stuck, 0, 0),
    ],
    notes: [
      'clear and cut: the procedure of NVIDIA/mig-parted (pkg/mig/config at bd7160f), our reading of it over the same port:',
      'clear the GPU, create in the default places of the driver, on an error clear again and try the next order of the list.',
      'It counts as done where the counts are right, Mica only where the places are. A busy slice that the driver does not let go is a failed change, as it is there.',
      'kept: slices of the same profile and start in both layouts. half way: GPUs left neither as before nor as wanted.',
      'Its failures without a busy slice are lists, such as 6 x 1g and a double-memory 1g, that fit in the default places in no order.',
      `calls: creations, destructions and their refusals per change; reads: other calls of the port. ${busyShare * 100} % of the slices are busy where any are.`,
      'ms: with a journal on disk that is synced, and locks, for Mica; without either for the other.',
    ],
  };
}

/** The two machines hold the same when a change begins; Mica's is never put right by hand. */
async function runLife(on: BedKind, seed: number): Promise<readonly Result[]> {
  const random = randomFrom(seed);
  const [ours, theirs] = [await openBed(on), await openBed(on)];
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
      await theirs.setBusy([]);
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
        results.push({ on, who: run.who, kind, ...(await runOne(run, wishes)) });
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
): Promise<Omit<Result, 'on' | 'who' | 'kind'>> {
  const ids = new Map<Wish, (place: Placement) => string>();
  const busy: { gpu: number; instanceId: number }[] = [];
  for (const wish of wishes) {
    const there = await instancesOn(bed, wish.gpu);
    const idOf = (place: Placement): number =>
      there.find(({ placement }) => asArgument(placement) === asArgument(place))!.id;
    ids.set(wish, (place) => `${bed.uuids[wish.gpu]!}/${idOf(place)}`);
    busy.push(...wish.busy.map((place) => ({ gpu: wish.gpu, instanceId: idOf(place) })));
  }
  await bed.setBusy(busy);
  const { driver, count } = counted(bed.driver);
  const started = performance.now();
  const answer = await apply(driver);
  const ms = performance.now() - started;
  const isIn = (layout: Layout, place: Placement): boolean =>
    layout.some((other) => asArgument(other) === asArgument(place));
  const disturbedOf = (which: (wish: Wish) => Layout): number =>
    wishes
      .flatMap((wish) => which(wish).map((place) => ids.get(wish)!(place)))
      .filter((id) => count.disturbed.has(id)).length;
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
    calls: count,
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

function rowOf(head: Row, results: readonly Result[]): Row {
  const sum = (count: (result: Result) => number): number =>
    results.reduce((all, one) => all + count(one), 0);
  const ended = (end: End): number => results.filter((one) => one.end === end).length;
  const perChange = (total: number): string => (total / Math.max(1, results.length)).toFixed(1);
  const times = results.map(({ ms }) => ms).sort((a, b) => a - b);
  const at = (share: number): string => (times[Math.floor(share * times.length)] ?? 0).toFixed(1);
  return {
    ...head,
    changes: results.length,
    'as wanted': ended('as wanted'),
    refused: ended('refused'),
    failed: ended('failed'),
    'half way': sum((one) => one.halfWay),
    kept: sum((one) => one.kept),
    disturbed: sum((one) => one.keptDisturbed),
    'busy disturbed': sum((one) => one.busyDisturbed),
    'in-use answers': sum((one) => one.calls.inUse),
    calls: perChange(sum((one) => one.calls.changing)),
    reads: perChange(sum((one) => one.calls.reading)),
    'ms p50': at(0.5),
    p95: at(0.95),
  };
}
