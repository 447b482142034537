/** Offline packing: the proven optimum with a place for every workload, beside the usual heuristics. */
import { spaceOf } from '#core/geometry/space';
import type { MigModel } from '#core/catalogue/model';
import { pack } from '#core/packing/pack';
import type { Packing } from '#core/packing/packing';
import { createFleet, takeSlot } from '#core/packing/online/fleet';
import { choose } from '#core/packing/online/place';
import { rank, type Policy } from '#core/packing/online/policy';
import { bestFit, firstFit } from '#core/packing/online/published';
import { provenCards } from '../test/support/check-bound.js';
import { packingComplaints } from '../test/support/check-layouts.js';
import { atMost, timed, type Bar, type Bench, type BenchOptions, type Outcome, type Row } from './harness.js';
import { h100, mainMixes, rtxMix, rtxPro, threeTwoOne, type Mix } from './mixes.js';
import { randomFrom } from './random.js';

const seed = 101;
/** Heuristics place one by one; beyond this they add time, not insight. */
const heuristicsUpTo = 100_000;

export const offline: Bench = {
  name: 'offline',
  about: `fewest GPUs for n workloads, counts and a place for each (H100 80 GB, RTX PRO 6000; seed ${seed})`,
  run: runOffline,
};

function runOffline({ quick }: BenchOptions): Outcome {
  const sizes = [100, 1000, 10_000, 100_000, 1_000_000].filter((n) => !quick || n <= 10_000);
  const cases = [
    ...[...mainMixes, threeTwoOne].map((mix) => ({ card: h100, mix })),
    { card: rtxPro, mix: rtxMix },
  ];
  const results = cases.flatMap(({ card, mix }) => sizes.map((n) => runCase(card, mix, n)));
  return {
    rows: results.map((result) => result.row),
    bars: barsOf(results),
    notes: [
      'optimum ms: counts, layouts, proof and a GPU and start for each workload. Excess of first-fit in order of',
      'arrival (FF), best-fit (BF), both by decreasing size (FFD, BFD), in percent of the optimum.',
    ],
  };
}

interface Result {
  readonly row: Row;
  readonly n: number;
  readonly ms: number;
  readonly certified: boolean;
}

function runCase(card: MigModel, mix: Mix, n: number): Result {
  const { profiles } = spaceOf(card);
  const { pick } = randomFrom(seed);
  const arrivals = Uint8Array.from({ length: n }, () => pick(mix.shares));
  const { result, ms } = timed(() => {
    const packing = pack(card, demandOf(card, arrivals));
    return { packing, places: placeEach(card, packing, arrivals) };
  });
  const { packing, places } = result;
  const decreasing = arrivals.toSorted((a, b) => a - b);
  const excess = (policy: Policy, order: Uint8Array): string => {
    if (n > heuristicsUpTo) return '';
    return (100 * (gpusUsedBy(policy, card, order) / packing.gpus - 1)).toFixed(2);
  };
  const demand = demandOf(card, arrivals);
  const certified =
    packing.proof.kind === 'weights' &&
    provenCards(profiles, demand, packing.proof) === packing.gpus &&
    packingComplaints(profiles, demand, packing).length === 0 &&
    places.gpuOf.every((gpu) => gpu < packing.gpus);
  return {
    n,
    ms,
    certified,
    row: {
      mix: mix.name,
      n,
      'optimum GPUs': packing.gpus,
      proof: certified ? 'checked' : 'WRONG',
      'optimum ms': ms.toFixed(2),
      'FF +%': excess(firstFit(), arrivals),
      'BF +%': excess(bestFit('lowest start'), arrivals),
      'FFD +%': excess(firstFit(), decreasing),
      'BFD +%': excess(bestFit('lowest start'), decreasing),
    },
  };
}

function demandOf(card: MigModel, arrivals: Uint8Array): Readonly<Record<string, number>> {
  const { profiles } = spaceOf(card);
  const counts = profiles.map(() => 0);
  for (const profile of arrivals) counts[profile]! += 1;
  return Object.fromEntries(profiles.map(({ name }, index) => [name, counts[index]!]));
}

/** Deals the slices of a packing out to the workloads, in the order of their arrival. */
function placeEach(
  card: MigModel,
  packing: Packing,
  arrivals: Uint8Array,
): { readonly gpuOf: Int32Array; readonly startOf: Uint8Array } {
  const { profiles } = spaceOf(card);
  const indexOf = new Map(profiles.map(({ name }, index) => [name, index]));
  const slices = profiles.map((): { gpus: number[]; starts: number[] } => ({ gpus: [], starts: [] }));
  let gpu = 0;
  for (const { count, placements } of packing.layouts) {
    const targets = placements.map(({ profile, start }) => ({ of: slices[indexOf.get(profile)!]!, start }));
    for (const end = gpu + count; gpu < end; gpu += 1) {
      for (const { of, start } of targets) {
        of.gpus.push(gpu);
        of.starts.push(start);
      }
    }
  }
  const gpuOf = new Int32Array(arrivals.length);
  const startOf = new Uint8Array(arrivals.length);
  for (let workload = 0; workload < arrivals.length; workload += 1) {
    const { gpus, starts } = slices[arrivals[workload]!]!;
    gpuOf[workload] = gpus.pop()!;
    startOf[workload] = starts.pop()!;
  }
  return { gpuOf, startOf };
}

function gpusUsedBy(policy: Policy, card: MigModel, arrivals: Uint8Array): number {
  const space = spaceOf(card);
  const ranks = rank(policy, space);
  const fleet = createFleet(space, arrivals.length);
  let used = 0;
  for (const profile of arrivals) {
    const { gpu, slot } = choose(fleet, ranks, profile)!;
    takeSlot(fleet, gpu, slot);
    used = Math.max(used, gpu + 1);
  }
  return used;
}

function barsOf(results: readonly Result[]): readonly Bar[] {
  const wrong = results.filter((result) => !result.certified).length;
  const most = Math.max(...results.map((result) => result.n));
  const slowest = Math.max(...results.filter(({ n }) => n === most).map(({ ms }) => ms));
  return [
    atMost('answers whose proof or layouts the independent checker rejects', wrong, 0, 0),
    atMost(`slowest answer for ${most} workloads, s`, slowest / 1000, 0.5, 3),
  ];
}
