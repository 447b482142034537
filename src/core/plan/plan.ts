/** The answer of Mica's main question: which slices on which GPU, who gets which, what it costs, and the proof. */
import type { Placement } from '../geometry/placement.js';
import type { Proof } from '../packing/proof.js';
import type { Step } from './steps.js';

/** What one GPU becomes. `mig: false`: the whole card, for one workload. */
export interface PlannedGpu {
  readonly node: string;
  readonly index: number;
  readonly model: string;
  readonly mig: boolean;
  readonly placements: readonly Placement[];
  /** Those of `placements` that were busy before the plan, and stay so; left out: none. */
  readonly busy?: readonly Placement[];
}

/** One replica and its place; `placement: null`: the whole GPU. Replicas that share a slice name the same placement. */
export interface Assignment {
  readonly need: string;
  readonly node: string;
  readonly index: number;
  readonly placement: Placement | null;
}

export interface Unplaced {
  readonly need: string;
  readonly count: number;
  readonly why: string;
}

/** Machines to rent, and how many GPUs of the plan's nodes they carry. Nodes are named `<machineType>-1`, `-2`, … */
export interface RentedMachines {
  readonly machineType: string;
  readonly count: number;
  readonly gpusEach: number;
  /** For one machine; `null`: no price known. */
  readonly usdPerHour: number | null;
}

/** Money per hour: the sum of what has a price, `null` where nothing has one; `unknown` names what is left out. */
export interface PlanCost {
  readonly usdPerHour: number | null;
  /** True when some price in the sum is an estimate. */
  readonly estimated: boolean;
  readonly unknown: readonly string[];
}

/** The same demand served another way. */
export interface Alternative {
  readonly gpus: number;
  readonly cost: PlanCost;
  readonly unplaced: number;
  /** What this way lacks, e.g. no isolation. */
  readonly note: string;
}

export interface Plan {
  readonly schema: 'mica/plan@1';
  /** What was minimised first: money, or GPUs where a price is missing or nothing is rented. */
  readonly objective: 'usdPerHour' | 'gpus';
  readonly gpus: number;
  readonly layouts: readonly PlannedGpu[];
  readonly assignment: readonly Assignment[];
  readonly unplaced: readonly Unplaced[];
  readonly machines: readonly RentedMachines[];
  readonly steps: readonly Step[];
  readonly cost: PlanCost;
  readonly alternatives: { readonly wholeGpus: Alternative; readonly timeSliced: Alternative };
  /** Added to every memory figure before a profile was chosen, e.g. 0.1. */
  readonly headroom: number;
  /** What the reader must know to trust the numbers, one sentence each. */
  readonly notes: readonly string[];
  readonly proof: Proof;
  /**
   * The proof's bound is reached: nothing better exists, and anybody can check it. False: the program was solved to a
   * gap of zero all the same, but the proof alone shows no more than its bound.
   */
  readonly proven: boolean;
}
