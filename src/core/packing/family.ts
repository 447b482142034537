/** What a card family must offer to be packed without search: its resources, who gets in, and the layouts. */
import type { Layout } from '#core/geometry/placement';
import type { Demand } from './demand.js';
import type { Run } from './runs.js';

/** Something that every layout uses at most `gpuWorth` of, in whole numbers per profile name. */
export interface Resource {
  readonly resource: string;
  readonly weights: Readonly<Record<string, number>>;
  readonly gpuWorth: number;
}

/**
 * A family whose optimum is known in closed form. The fewest GPUs for a demand is the largest of the resource bounds,
 * and `layoutsFor` reaches it.
 */
export interface Family {
  readonly resources: readonly Resource[];
  /** The part of the demand with the most placement units that fits on `gpus` cards. */
  readonly admit: (demand: Demand, gpus: number) => Demand;
  /** The layouts of `gpus` cards that hold the whole demand; the caller has made sure that it fits. */
  readonly layoutsFor: (demand: Demand, gpus: number) => readonly Run<Layout>[];
}
