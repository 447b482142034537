/** Why no smaller answer exists, in numbers that anybody can check without trusting the search. */
import type { PriceProof } from './fleet/price-proof.js';

/**
 * A value for each slice wanted, and the most that one GPU can hold of it. Every layout is worth at most
 * `gpuWorth`, the demand is worth `demandWorth`, so at least `demandWorth / gpuWorth` GPUs are needed, rounded up.
 * All whole numbers.
 */
export interface CountProof {
  readonly kind: 'weights';
  readonly model: string;
  /** What the weights count, in words, e.g. `memory slices`. */
  readonly resource: string;
  readonly weights: Readonly<Record<string, number>>;
  readonly demand: Readonly<Record<string, number>>;
  readonly gpuWorth: number;
  readonly demandWorth: number;
  readonly lowerBound: number;
}

/** No bound was needed or none could be had; says why. */
export interface NoProof {
  readonly kind: 'none';
  readonly why: string;
}

export type Proof = CountProof | PriceProof | NoProof;
