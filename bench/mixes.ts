/**
 * The demand mixes of the benchmarks. The first four bear the names of the workloads of arXiv 2511.18906; their
 * probabilities follow that paper from memory and are not claimed to be its table.
 */
import { modelByKey } from '#core/catalogue/catalogue';
import type { MigModel } from '#core/catalogue/model';
import { spaceOf } from '#core/geometry/space';

export interface Mix {
  readonly name: string;
  /** Share of the arrivals per profile, in the order of the space's profiles. */
  readonly shares: readonly number[];
}

export const h100 = cardOf('h100-80gb-sxm');
export const rtxPro = cardOf('rtx-pro-6000-blackwell-server');

/** In the order 7g, 4g, 3g, 2g, double-memory 1g, 1g. */
export const mainMixes: readonly Mix[] = [
  { name: 'uniform', shares: [1 / 6, 1 / 6, 1 / 6, 1 / 6, 1 / 6, 1 / 6] },
  { name: 'skew-small', shares: [0.05, 0.1, 0.1, 0.2, 0.25, 0.3] },
  { name: 'skew-big', shares: [0.3, 0.25, 0.2, 0.1, 0.1, 0.05] },
  { name: 'bimodal', shares: [0.3, 0.15, 0.05, 0.05, 0.15, 0.3] },
];

/** Two that have no double-memory 1g: a test mix of a public scheduler, and the GPU shares of Alibaba's openb trace. */
export const mixesWithoutDouble: readonly Mix[] = [
  { name: 'cf-skew-small', shares: [0.02, 0.03, 0.05, 0.1, 0, 0.8] },
  { name: 'openb-share', shares: [0.451, 0.313, 0.134, 0.091, 0, 0.011] },
];

/** Where first-fit-decreasing is worse than arrival order. */
export const threeTwoOne: Mix = { name: '3g .4 2g .3 1g .3', shares: [0, 0, 0.4, 0.3, 0, 0.3] };

/** In the order 4g, 2g, 1g. */
export const rtxMix: Mix = { name: 'RTX .2 .3 .5', shares: [0.2, 0.3, 0.5] };

/** Placement units per profile of a card, in the order of the shares. */
export function sizesOf(card: MigModel): readonly number[] {
  return spaceOf(card).profiles.map((profile) => profile.sizeUnits);
}

function cardOf(key: string): MigModel {
  const model = modelByKey(key);
  if (model?.kind !== 'mig') throw new Error(`the catalogue has no ${key}`);
  return model;
}
