/** Packing as cutting stock: how many cards get which pattern. For attribute profiles and geometries without a closed form. */
import type { MigModel } from '#core/catalogue/model';
import { MicaError } from '#core/errors';
import { layoutOf, type Space } from '#core/geometry/space';
import { patternsOf, type State } from '#core/geometry/states';
import type { Layout } from '#core/geometry/placement';
import { proofFrom } from './closed-form.js';
import { minus, totalCount, type Demand } from './demand.js';
import type { Resource } from './family.js';
import {
  dot,
  mustBeOptimal,
  type Column,
  type LinearProgram,
  type Row,
  type Solve,
} from './linear-program.js';
import { gathered, type Packing, type PackOptions } from './packing.js';
import type { CountProof } from './proof.js';
import { run, splitRuns, type Run } from './runs.js';

/** Exact packing by an integer program over the Pareto patterns of the space. See `pack` for arguments and errors. */
export function packByPatterns(model: MigModel, space: Space, demand: Demand, options: PackOptions): Packing {
  const { solve, gpus: cards } = options;
  if (solve === undefined) {
    throw new MicaError(
      'needs-solver',
      `packing ${Object.keys(demand).join(', ')} on ${model.key} needs a solver`,
    );
  }
  const patterns = patternsOf(space);
  const proof = provenBound(model, space, patterns, demand, solve);
  const fewest = coverWithFewest(space, patterns, demand, solve);
  const needed = sum(fewest);
  if (cards === undefined || cards >= needed) {
    return answer(space, patterns, fewest, demand, proof, needed === proof.lowerBound);
  }
  const most = serveMost(space, patterns, demand, cards, solve);
  return answer(space, patterns, most, demand, proof, true);
}

/**
 * The dual prices of the relaxed program, made whole numbers. Any prices give a valid bound once `gpuWorth` is the most
 * that a pattern is worth under them, so rounding can weaken the proof but never break it.
 */
function provenBound(
  model: MigModel,
  space: Space,
  patterns: readonly State[],
  demand: Demand,
  solve: Solve,
): CountProof {
  const solution = mustBeOptimal(solve(coverProgram(space, patterns, demand, false)), 'packing program');
  const names = space.profiles.map((profile) => profile.name);
  const duals = solution.duals ?? names.map(() => 0);
  const proofs = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 24, 60, 840, 1e6].map((scale) => {
    const worth = duals.map((price) => Math.max(0, Math.round(price * scale)));
    const gpuWorth = Math.max(1, ...patterns.map((pattern) => dot(worth, pattern.counts)));
    const weights = Object.fromEntries(names.map((name, index) => [name, worth[index] ?? 0]));
    const resource: Resource = { resource: 'dual prices of the pattern program', weights, gpuWorth };
    return proofFrom(model.key, resource, demand);
  });
  return proofs.reduce((best, proof) => (proof.lowerBound > best.lowerBound ? proof : best));
}

function coverProgram(
  space: Space,
  patterns: readonly State[],
  demand: Demand,
  integer: boolean,
): LinearProgram {
  return {
    columns: patterns.map((_, index): Column => ({ name: `x${index}`, cost: 1, integer })),
    costUnit: 1,
    rows: space.profiles.map((profile, profileIndex): Row => ({
      name: `cover${profileIndex}`,
      terms: patterns.map((pattern, column) => ({ column, coefficient: pattern.counts[profileIndex] ?? 0 })),
      lower: demand[profile.name] ?? 0,
    })),
  };
}

function coverWithFewest(
  space: Space,
  patterns: readonly State[],
  demand: Demand,
  solve: Solve,
): readonly number[] {
  return mustBeOptimal(solve(coverProgram(space, patterns, demand, true)), 'packing program').values.map(
    Math.round,
  );
}

/** Most placement units on a given number of cards: y counts what is served of each profile. */
function serveMost(
  space: Space,
  patterns: readonly State[],
  demand: Demand,
  cards: number,
  solve: Solve,
): readonly number[] {
  const x = patterns.map((_, index): Column => ({ name: `x${index}`, cost: 0, integer: true }));
  const y = space.profiles.map((profile, index): Column => ({
    name: `y${index}`,
    cost: -profile.sizeUnits,
    upper: demand[profile.name] ?? 0,
    integer: true,
  }));
  const served = space.profiles.map((_, profileIndex): Row => ({
    name: `serve${profileIndex}`,
    terms: [
      ...patterns.map((pattern, column) => ({ column, coefficient: pattern.counts[profileIndex] ?? 0 })),
      { column: x.length + profileIndex, coefficient: -1 },
    ],
    lower: 0,
  }));
  const atHand: Row = {
    name: 'cards',
    terms: x.map((_, column) => ({ column, coefficient: 1 })),
    upper: cards,
  };
  const solution = mustBeOptimal(
    solve({ columns: [...x, ...y], rows: [...served, atHand], costUnit: 1 }),
    'packing program',
  );
  return solution.values.slice(0, x.length).map(Math.round);
}

function answer(
  space: Space,
  patterns: readonly State[],
  counts: readonly number[],
  demand: Demand,
  proof: CountProof,
  optimal: boolean,
): Packing {
  const full = patterns.flatMap((pattern, index) => run(counts[index] ?? 0, layoutOf(space, pattern.slots)));
  const layouts = withoutSurplus(full, demand);
  const served = servedBy(layouts);
  return {
    gpus: layouts.reduce((total, { count }) => total + count, 0),
    lowerBound: proof.lowerBound,
    optimal,
    layouts: gathered(layouts),
    unplaced: minus(demand, served),
    proof: totalCount(demand) === 0 ? { kind: 'none', why: 'nothing was asked for' } : proof,
  };
}

/** A cover may hold more than was asked for; the surplus slices are not cut. Cards left without slices go. */
function withoutSurplus(full: readonly Run<Layout>[], demand: Demand): readonly Run<Layout>[] {
  let runs = full;
  for (const [profile, count] of Object.entries(servedBy(full))) {
    let surplus = count - (demand[profile] ?? 0);
    while (surplus > 0) {
      const most = Math.max(...runs.map(({ item }) => countIn(item, profile)));
      const index = runs.findIndex(({ item }) => countIn(item, profile) === most);
      const found = runs[index];
      if (found === undefined || most === 0) break;
      const drop = Math.min(most, surplus);
      const cards = Math.min(found.count, Math.floor(surplus / drop));
      const [head, tail] = splitRuns([found], cards);
      const lighter = head.map(({ count, item }) => ({ count, item: without(item, profile, drop) }));
      runs = [...runs.slice(0, index), ...lighter, ...tail, ...runs.slice(index + 1)];
      surplus -= cards * drop;
    }
  }
  return runs.filter(({ item }) => item.length > 0);
}

function servedBy(runs: readonly Run<Layout>[]): Demand {
  const served: Record<string, number> = {};
  for (const { count, item } of runs) {
    for (const { profile } of item) served[profile] = (served[profile] ?? 0) + count;
  }
  return served;
}

function countIn(layout: Layout, profile: string): number {
  return layout.filter((placement) => placement.profile === profile).length;
}

function without(layout: Layout, profile: string, count: number): Layout {
  let left = count;
  return layout.filter((placement) => placement.profile !== profile || left-- <= 0);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
