/** What can be leased: a slice that is cut, or a whole GPU with MIG off. */
import { asArgument, type Placement } from '../geometry/placement.js';

export interface LeasableSlice {
  /** `GPU-…/1g.24gb:3#5`: GPU UUID, placement and GI id; a whole GPU is its UUID. The same place cut again may get the same id. */
  readonly id: string;
  readonly gpuUuid: string;
  readonly gpuIndex: number;
  /** Catalogue key; `null`: the catalogue does not know the card. */
  readonly model: string | null;
  /** `null`: the whole GPU. */
  readonly profile: string | null;
  readonly start: number | null;
  readonly instanceId: number | null;
  /** What CUDA_VISIBLE_DEVICES takes: the UUID of the MIG device or of the GPU. */
  readonly device: string;
  /** Usable; `null`: not known. */
  readonly memoryMiB: number | null;
  /** Of the placement grid; the whole grid for a whole GPU. */
  readonly sizeUnits: number;
  readonly gridUnits: number;
}

/** `LeasableSlice.id` of an instance, or of a whole GPU where there is none. */
export function sliceIdOf(gpuUuid: string, instance: { placement: Placement; id: number } | null): string {
  return instance === null ? gpuUuid : `${gpuUuid}/${asArgument(instance.placement)}#${instance.id}`;
}

/** What somebody asks for. */
export type SliceWish =
  | { readonly kind: 'profile'; readonly profile: string }
  /** The smallest slice that holds it, headroom added by whoever asks. */
  | { readonly kind: 'memory'; readonly memoryMiB: number }
  /** Any slice. */
  | { readonly kind: 'any' };

export interface LeaseWish {
  readonly slice: SliceWish;
  /** Slices at once. */
  readonly count: number;
  /** `null`: a machine without tenants. */
  readonly tenant: string | null;
  /** Higher goes first. */
  readonly priority: number;
}
