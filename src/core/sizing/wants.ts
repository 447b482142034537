/** A need, read against one card: what each of its replicas asks there, in the figures that decide. */
import { modelByKey } from '#core/catalogue/catalogue';
import type { GpuModel } from '#core/catalogue/model';
import type { Need } from '#core/plan/documents';
import { computeDemand, type ComputeDemand, type Speeds } from './compute.js';
import { defaultHeadroom, withHeadroom } from './memory.js';

export interface SizingOptions {
  /** Share added to every memory figure; `defaultHeadroom` when left out. */
  readonly headroom?: number;
  /** Where a profile's memory is not published, count on this fraction of the GB in its name. Left out: on nothing. */
  readonly assumeFromName?: number;
  /** Relative speeds of whole cards, to convert shares between chip designs. */
  readonly speeds?: Speeds;
  /** Take `-me` profiles too, for needs without media. */
  readonly withoutMediaEngines?: boolean;
  /** Finds the card that a share was measured on; the catalogue when left out. */
  readonly cardOf?: (key: string) => GpuModel | undefined;
}

export interface Wants {
  /** On each of the replica's GPUs, headroom included; `null`: not stated, no limit. */
  readonly memoryMiB: number | null;
  /** On each of the replica's GPUs. */
  readonly compute: ComputeDemand;
  readonly gpus: number;
  /** Why slices are out of the question, if they are. */
  readonly wholeOnly: 'p2p' | 'several-gpus' | null;
  readonly media: boolean;
  readonly graphics: boolean;
  /** Replicas may share a slice by time-slicing. */
  readonly shared: boolean;
  readonly assumeFromName: number | undefined;
  readonly withoutMediaEngines: boolean;
}

/** Memory and compute of a need are those of one replica; on several GPUs they are taken as spread evenly. */
export function wantsOn(need: Need, card: GpuModel, options: SizingOptions): Wants {
  const { memoryMiB, compute: wish, gpus } = need;
  const cardOf = options.cardOf ?? modelByKey;
  const perGpu = wish === undefined ? undefined : { ...wish, share: wish.share / gpus };
  const measuredOn = wish?.of === undefined ? undefined : cardOf(wish.of);
  return {
    memoryMiB:
      memoryMiB === undefined ? null : withHeadroom(memoryMiB / gpus, options.headroom ?? defaultHeadroom),
    compute: computeDemand(perGpu, card, measuredOn, options.speeds),
    gpus,
    wholeOnly: need.p2p ? 'p2p' : gpus > 1 ? 'several-gpus' : null,
    media: need.media,
    graphics: need.graphics,
    shared: need.isolation === 'shared',
    assumeFromName: options.assumeFromName,
    withoutMediaEngines: options.withoutMediaEngines ?? false,
  };
}
