/** What a user states: the GPUs they own or may rent, and what their workloads need. Plain values, already checked. */
import type { Placement } from '../geometry/placement.js';

/** A slice that is there before the plan; `busy`: something runs in it, so it stays. */
export interface ExistingSlice extends Placement {
  readonly busy: boolean;
}

/** One machine that the user owns. */
export interface FleetNode {
  readonly name: string;
  /** Catalogue key. */
  readonly model: string;
  readonly gpus: number;
  /** For the machine; left out: unknown. */
  readonly usdPerHour?: number;
  /** What is cut now, per GPU index; a GPU left out has no slices. */
  readonly layouts?: readonly { readonly index: number; readonly slices: readonly ExistingSlice[] }[];
}

/** A machine type of the price table that may be rented, up to `max` machines. */
export interface RentOption {
  readonly machineType: string;
  readonly max?: number;
}

export interface Fleet {
  readonly nodes: readonly FleetNode[];
  readonly rent: readonly RentOption[];
}

/** A wish for compute. `share` of one whole card; of the candidate card where `of` is left out. */
export interface ComputeWish {
  readonly share: number;
  /** Catalogue key of the card that the share was measured on. */
  readonly of?: string;
}

export interface Need {
  readonly name: string;
  /** Replicas. */
  readonly count: number;
  /** What the workload uses at its peak, without headroom; left out: memory is not known and not a limit. */
  readonly memoryMiB?: number;
  readonly compute?: ComputeWish;
  /** More than one: whole GPUs of one machine, MIG off. */
  readonly gpus: number;
  /** GPU to GPU copies (NCCL): MIG has none, so whole GPUs. */
  readonly p2p: boolean;
  /** NVDEC, NVENC or JPEG engines. */
  readonly media: boolean;
  /** Graphics APIs inside the slice (`+gfx`). */
  readonly graphics: boolean;
  readonly isolation: 'hardware' | 'shared';
  readonly tenant?: string;
  readonly priority: number;
  readonly movable: boolean;
}
