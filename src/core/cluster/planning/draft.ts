/** One way of going about a cluster's plan, thought through. */
import type { Classed } from './pod-classes.js';
import type { Settled } from './settled.js';
import type { Site } from './sites.js';

export interface Draft {
  readonly sites: readonly Site[];
  readonly classed: Classed;
  readonly settled: Settled;
  /** Nodes that stay as they are for want of time, of all. */
  readonly notWeighed: number;
}
