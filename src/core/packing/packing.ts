/** What a packing question may say and what its answer holds. */
import type { Layout } from '#core/geometry/placement';
import type { Demand } from './demand.js';
import type { Solve } from './linear-program.js';
import type { Proof } from './proof.js';
import { run, type Run } from './runs.js';

export interface Packing {
  /** Cards used. */
  readonly gpus: number;
  /** Cards that the whole demand needs at least; the proof says why. */
  readonly lowerBound: number;
  /** The proof closes: with these cards nothing better exists. */
  readonly optimal: boolean;
  /** Equal layouts once, with their number. */
  readonly layouts: readonly { readonly count: number; readonly placements: Layout }[];
  readonly unplaced: Demand;
  readonly proof: Proof;
}

export interface PackOptions {
  /** Cards at hand; left out: as many as needed. With too few, the most placement units are placed. */
  readonly gpus?: number;
  /** Needed for attribute profiles and for geometries without a closed form. */
  readonly solve?: Solve;
}

/** Runs of equal layouts, each layout once, the most frequent first. */
export function gathered(runs: readonly Run<Layout>[]): Packing['layouts'] {
  const byText = new Map<string, { count: number; placements: Layout }>();
  for (const { count, item } of runs.flatMap(({ count, item }) => run(count, item))) {
    const placements = [...item].sort((a, b) => a.start - b.start);
    const key = placements.map(({ profile, start }) => `${profile}:${start}`).join();
    const known = byText.get(key);
    if (known === undefined) byText.set(key, { count, placements });
    else known.count += count;
  }
  return [...byText.values()].sort((a, b) => b.count - a.count);
}
