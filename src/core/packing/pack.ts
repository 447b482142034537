/** Many slices of one kind of card on the fewest cards, with a proof that fewer cannot do. */
import type { MigModel } from '#core/catalogue/model';
import type { Layout } from '#core/geometry/placement';
import { spaceOf, spaceOfOnly } from '#core/geometry/space';
import { boundBy, familyOf, type Family } from './closed-form.js';
import { minus, totalCount, type Demand } from './demand.js';
import type { Solve } from './linear-program.js';
import { packByPatterns } from './pattern-program.js';
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

/** The demand names profiles of the model (see `findProfile`). Throws MicaError `needs-solver` or `solver-failed`. */
export function pack(model: MigModel, demand: Demand, options: PackOptions = {}): Packing {
  const wanted = minus(demand, {});
  const plain = spaceOf(model);
  const isPlain = Object.keys(wanted).every((name) =>
    plain.profiles.some((profile) => profile.name === name),
  );
  const family = isPlain ? familyOf(plain) : undefined;
  if (family !== undefined) return packInClosedForm(model, family, wanted, options.gpus);
  return packByPatterns(model, spaceOfOnly(model, new Set(Object.keys(wanted))), wanted, options);
}

function packInClosedForm(
  model: MigModel,
  family: Family,
  demand: Demand,
  cards: number | undefined,
): Packing {
  const proof = boundBy(model.key, family.resources, demand);
  const enough = cards === undefined || cards >= proof.lowerBound;
  const served = enough ? demand : minus(family.admit(demand, cards), {});
  const gpus = enough ? proof.lowerBound : boundBy(model.key, family.resources, served).lowerBound;
  return {
    gpus,
    lowerBound: proof.lowerBound,
    optimal: true,
    layouts: gathered(family.layoutsFor(served, gpus)),
    unplaced: minus(demand, served),
    proof: totalCount(demand) === 0 ? { kind: 'none', why: 'nothing was asked for' } : proof,
  };
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
