/** Compaction: the fewest moves that reach the fewest GPUs, beside draining the emptiest GPUs one after another. */
import { loadSolver } from '#adapters/highs/solver';
import { countUnits } from '#core/geometry/mask';
import { spaceOf } from '#core/geometry/space';
import { compact } from '#core/packing/compaction/compact';
import type { Solve } from '#core/packing/linear-program';
import { buddy } from '#core/packing/online/buddy';
import {
  createFleet,
  freeSlot,
  takeSlot,
  type FleetIndex,
  type FleetPlace,
} from '#core/packing/online/fleet';
import { choose, type GpuSlot } from '#core/packing/online/place';
import { rank } from '#core/packing/online/policy';
import { firstFit } from '#core/packing/online/published';
import { atMost, timed, type Bench, type BenchOptions, type Outcome, type Row } from './harness.js';
import { h100, mainMixes, mixesWithoutDouble, sizesOf, type Mix } from './mixes.js';
import { randomFrom } from './random.js';

const seed = 101;
const space = spaceOf(h100);
const sizes = sizesOf(h100);
const [uniform, skewSmall, skewBig, bimodal] = mainMixes as readonly [Mix, Mix, Mix, Mix];
const [cfSkewSmall, openbShare] = mixesWithoutDouble as readonly [Mix, Mix];

export const compaction: Bench = {
  name: 'compaction',
  about: `H100 fleets filled by first-fit, then thinned at random to a utilisation (seed ${seed})`,
  run: runCompaction,
};

async function runCompaction({ quick }: BenchOptions): Promise<Outcome> {
  const { solve } = await loadSolver();
  const cases: readonly Case[] = [
    { mix: uniform, utilisation: 0.5, gpus: 1000 },
    { mix: uniform, utilisation: 0.7, gpus: 1000 },
    { mix: skewSmall, utilisation: 0.5, gpus: 1000 },
    { mix: openbShare, utilisation: 0.5, gpus: 1000 },
    { mix: uniform, utilisation: 0.5, gpus: 10_000 },
    { mix: uniform, utilisation: 0.7, gpus: 10_000 },
    { mix: skewSmall, utilisation: 0.7, gpus: 10_000 },
    { mix: uniform, utilisation: 0.6, gpus: 100_000 },
    { mix: skewSmall, utilisation: 0.6, gpus: 100_000 },
    { mix: skewBig, utilisation: 0.6, gpus: 100_000 },
    { mix: bimodal, utilisation: 0.6, gpus: 100_000 },
    { mix: cfSkewSmall, utilisation: 0.6, gpus: 100_000 },
    { mix: uniform, utilisation: 0.6, gpus: 100_000, pinned: 0.1 },
  ];
  const results = cases.filter(({ gpus }) => !quick || gpus <= 10_000).map((one) => runCase(solve, one));
  return {
    rows: results.map(({ row }) => row),
    bars: [
      atMost('moves above the LP bound, worst case, %', Math.max(...results.map(({ gap }) => gap)), 0.1, 4),
      atMost('slowest case, s', Math.max(...results.map(({ seconds }) => seconds)), 3),
    ],
    notes: [
      'time: grouping, bound, whole program, and an executable list of moves. detours: instances that park on the way.',
      'greedy drain: the emptiest GPU first, its instances placed elsewhere by the buddy rule, until one cannot be emptied;',
      'beside it the fewest moves that leave as many GPUs in use as it did.',
    ],
  };
}

interface Case {
  readonly mix: Mix;
  readonly utilisation: number;
  readonly gpus: number;
  /** Share of the instances that may not move. */
  readonly pinned?: number;
}

interface Result {
  readonly row: Row;
  /** Percent. */
  readonly gap: number;
  readonly seconds: number;
}

function runCase(solve: Solve, { mix, utilisation, gpus, pinned = 0 }: Case): Result {
  const fleet = thinnedFleet(mix, utilisation, gpus);
  const pins = pinned === 0 ? {} : { mayMove: pinsOf(fleet, pinned) };
  const { result: plan, ms } = timed(() => compact(fleet, { solve, ...pins }));
  if (!plan.ok) throw new Error(plan.why.message);
  const drain = pinned === 0 ? greedyDrain(fleet) : undefined;
  const alike = drain === undefined ? undefined : compact(fleet, { solve, gpus: drain.gpus });
  const gap = Math.abs(100 * (plan.moved / plan.movedBound - 1));
  return {
    gap,
    seconds: ms / 1000,
    row: {
      mix: `${mix.name} ${utilisation}${pinned > 0 ? `, ${100 * pinned} % pinned` : ''}`,
      GPUs: gpus,
      instances: fleet.counts.reduce((sum, count) => sum + count),
      used: plan.gpusBefore,
      after: plan.gpusAfter,
      moves: plan.moved,
      'LP bound': plan.movedBound.toFixed(1),
      'gap %': gap.toFixed(3),
      detours: plan.detours,
      interrupted: plan.interrupted,
      ms: ms.toFixed(0),
      'drain GPUs': drain?.gpus ?? '',
      'drain moves': drain?.moves ?? '',
      'ours for as many': alike?.ok === true ? alike.moved : '',
    },
  };
}

/** Filled until 50 arrivals found no room, then thinned. */
function thinnedFleet(mix: Mix, utilisation: number, gpus: number): FleetIndex {
  const random = randomFrom(seed);
  const fleet = createFleet(space, gpus);
  const ranks = rank(firstFit(), space);
  const live: (GpuSlot & { readonly units: number })[] = [];
  let usedUnits = 0;
  for (let refused = 0; refused < 50;) {
    const profileIndex = random.pick(mix.shares);
    const choice = choose(fleet, ranks, profileIndex);
    if (choice === undefined) {
      refused += 1;
      continue;
    }
    takeSlot(fleet, choice.gpu, choice.slot);
    live.push({ ...choice, units: sizes[profileIndex]! });
    usedUnits += sizes[profileIndex]!;
  }
  while (usedUnits > utilisation * gpus * h100.gridUnits) {
    const index = random.below(live.length);
    const { gpu, slot, units } = live[index]!;
    freeSlot(fleet, gpu, slot);
    usedUnits -= units;
    live[index] = live.at(-1)!;
    live.pop();
  }
  return fleet;
}

function pinsOf(fleet: FleetIndex, share: number): (place: FleetPlace) => boolean {
  const { uniform: draw } = randomFrom(seed);
  const { gridUnits } = space.card;
  const isPinned = Uint8Array.from({ length: fleet.gpus * gridUnits }, () => Number(draw() < share));
  return ({ gpu, start }) => isPinned[gpu * gridUnits + start] === 0;
}

function greedyDrain(original: FleetIndex): { readonly gpus: number; readonly moves: number } {
  const { states } = original.table;
  const usedUnits = (gpu: number): number => countUnits(states[original.stateOf[gpu]!]!.mask);
  const fleet = createFleet(space, original.gpus);
  for (const [gpu, state] of original.stateOf.entries()) {
    for (const slot of states[state]!.slots) takeSlot(fleet, gpu, slot.index);
  }
  const ranks = rank(buddy(space, { keepOddPairs: false }), space);
  const used = [...original.stateOf.keys()].filter((gpu) => original.stateOf[gpu] !== 0);
  const emptiestFirst = used.sort((a, b) => usedUnits(a) - usedUnits(b));
  let moves = 0;
  for (const [drained, gpu] of emptiestFirst.entries()) {
    const { slots } = states[fleet.stateOf[gpu]!]!;
    for (const slot of slots) freeSlot(fleet, gpu, slot.index);
    const placed: GpuSlot[] = [];
    for (const { profileIndex } of slots) {
      const choice = choose(fleet, ranks, profileIndex);
      if (choice === undefined || fleet.stateOf[choice.gpu] === 0) break;
      takeSlot(fleet, choice.gpu, choice.slot);
      placed.push(choice);
    }
    if (placed.length < slots.length) return { gpus: used.length - drained, moves };
    moves += slots.length;
  }
  return { gpus: 0, moves };
}
