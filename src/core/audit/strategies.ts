/** Which figure of many samples a slice must hold. */
import type { Figures } from './answer.js';

export type Statistic = (figures: Figures) => number;

/** By the name that a user chooses; a strategy more is a line more. */
export const strategies = {
  peak: ({ max }) => max,
  p99: ({ p99 }) => p99,
  p95: ({ p95 }) => p95,
} as const satisfies Readonly<Record<string, Statistic>>;

export type StrategyName = keyof typeof strategies;

/** As it reads in a sentence: `peaks at 4 GiB`, `has a p99 of 4 GiB`. */
export function reaches(strategy: StrategyName): string {
  return strategy === 'peak' ? 'peaks at' : `has a ${strategy} of`;
}
