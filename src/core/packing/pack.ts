/** Many slices of one kind of card on the fewest cards, with a proof that fewer cannot do. */
import type { MigModel } from '#core/catalogue/model';
import { spaceOf, spaceOfOnly } from '#core/geometry/space';
import { boundBy, familyOf } from './closed-form.js';
import { minus, totalCount, type Demand } from './demand.js';
import type { Family } from './family.js';
import { gathered, type PackOptions, type Packing } from './packing.js';
import { packByPatterns } from './pattern-program.js';

/**
 * The demand names profiles of the model (see `findProfile`); a name that it does not have is a RangeError. Throws
 * MicaError `needs-solver` or `solver-failed`.
 */
export function pack(model: MigModel, demand: Demand, options: PackOptions = {}): Packing {
  const wanted = minus(demand, {});
  const unknown = Object.keys(wanted).find(
    (name) => !model.profiles.some((profile) => profile.name === name),
  );
  if (unknown !== undefined) throw new RangeError(`${model.key} has no profile ${unknown}`);
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
