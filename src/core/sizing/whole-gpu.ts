/** When a need gets whole GPUs with MIG off, and whether the card is enough for it. */
import type { GpuModel } from '#core/catalogue/model';
import { formatMiB } from '#core/units';
import { wholeComputeRoom } from './compute.js';
import { wholeMemory } from './memory.js';
import {
  isAboutSize,
  mediaRefusal,
  sizeRefusal,
  tooSmall,
  wholeOnlyReason,
  type MediaRefusal,
  type RefusalKind,
  type SizeRefusal,
} from './refusal.js';
import type { Wants } from './wants.js';

/** Why no slice is used. */
export type WholeCause =
  'p2p' | 'several-gpus' | 'no-mig' | 'unmapped' | 'larger-than-any-slice' | 'slices-unknown';

/**
 * The cause to try the whole card, given why its profiles were refused, smallest first. `null`: the card has slices
 * and it is not their size that is wrong, so the whole card is no answer to it.
 */
export function wholeCause(
  wants: Wants,
  card: GpuModel,
  refusals: readonly RefusalKind[],
): WholeCause | null {
  if (wants.wholeOnly !== null) return wants.wholeOnly;
  if (card.kind !== 'mig') return card.kind;
  const largest = refusals.findLast(isAboutSize);
  if (largest === undefined) return null;
  return largest === 'memory' || largest === 'compute' ? 'larger-than-any-slice' : 'slices-unknown';
}

export type WholeRefusal = MediaRefusal | SizeRefusal;

/** What keeps the whole card from serving a replica; `null`: it serves. */
export function wholeRefusal(wants: Wants, card: GpuModel): WholeRefusal | null {
  const { memoryMiB } = wholeMemory(card, wants.assumeFromName);
  return (
    wholeMediaRefusal(wants, card) ?? sizeRefusal(wants, memoryMiB, wholeComputeRoom(wants.compute, card))
  );
}

export function explainWhole(cause: WholeCause, wants: Wants): string {
  const cards = wants.gpus === 1 ? 'the whole card, MIG off' : `${wants.gpus} whole cards, MIG off`;
  switch (cause) {
    case 'p2p':
    case 'several-gpus': {
      const spread = wants.gpus > 1 ? '; memory and compute are counted as spread evenly over them' : '';
      return `${cards}: ${wholeOnlyReason(wants)}${spread}`;
    }
    case 'no-mig':
      return 'the whole card: it has no MIG';
    case 'unmapped':
      return `${cards}: its MIG placements are not published`;
    case 'larger-than-any-slice':
      return `${cards}: more is needed than its largest slice gives`;
    case 'slices-unknown':
      return `${cards}: what its slices give is not published, what the card has is enough`;
  }
}

export function explainWholeRefusal(kind: WholeRefusal, wants: Wants, card: GpuModel): string {
  const { memoryMiB } = wholeMemory(card, wants.assumeFromName);
  switch (kind) {
    case 'memory':
      return `too big: even the whole card ${tooSmall(memoryMiB ?? 0, wants.memoryMiB ?? 0)}`;
    case 'memory-unknown':
      return `its memory is not on record, ${formatMiB(wants.memoryMiB ?? 0)} needed`;
    case 'compute':
      return 'more compute is wanted than the whole card has';
    case 'compute-unknown':
      return wants.compute.kind === 'unknown' ? wants.compute.message : 'its SMs are not published';
    case 'no-media':
      return 'the card has no decoder, encoder or JPEG engine';
    case 'media-unknown':
      return 'its media engines are not on record';
  }
}

/** A card's engines are those of its largest profile; of cards without MIG the catalogue records none. */
function wholeMediaRefusal(wants: Wants, card: GpuModel): MediaRefusal | null {
  if (!wants.media) return null;
  const largest =
    card.kind === 'mig' ? card.profiles.find((one) => one.sizeUnits === card.gridUnits) : undefined;
  return largest === undefined ? 'media-unknown' : mediaRefusal(wants, largest.engines);
}
