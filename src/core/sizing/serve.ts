/** The decision behind every sizing answer, without words: the profiles that serve a need on one card, and the rest. */
import type { GpuModel, Profile } from '#core/catalogue/model';
import type { Need } from '#core/plan/documents';
import { usableMemory } from './memory.js';
import { refusalOf, type RefusalKind } from './refusal.js';
import { wantsOn, type SizingOptions, type Wants } from './wants.js';
import { wholeCause, wholeRefusal, type WholeCause, type WholeRefusal } from './whole-gpu.js';

export interface Served {
  readonly wants: Wants;
  /** Both smallest first; together all profiles of the card. */
  readonly fits: readonly Profile[];
  readonly refused: readonly { readonly profile: Profile; readonly kind: RefusalKind }[];
  /** Why the whole card is looked at; `null`: slices serve, or the whole card is no answer to what is wrong. */
  readonly wholeCause: WholeCause | null;
  /** What keeps the whole card from serving then; `null`: nothing. */
  readonly wholeRefusal: WholeRefusal | null;
}

export function serve(need: Need, card: GpuModel, options: SizingOptions): Served {
  const wants = wantsOn(need, card, options);
  const fits: Profile[] = [];
  const refused: { profile: Profile; kind: RefusalKind }[] = [];
  if (card.kind === 'mig') {
    for (const profile of smallestFirst(card.profiles)) {
      const kind = refusalOf(wants, profile, card);
      if (kind === null) fits.push(profile);
      else refused.push({ profile, kind });
    }
  }
  const cause =
    fits.length > 0
      ? null
      : wholeCause(
          wants,
          card,
          refused.map(({ kind }) => kind),
        );
  return {
    wants,
    fits,
    refused,
    wholeCause: cause,
    wholeRefusal: cause === null ? null : wholeRefusal(wants, card),
  };
}

/** By length on the grid, then compute, then plain before attribute, then memory: least of the card first. */
function smallestFirst(profiles: readonly Profile[]): readonly Profile[] {
  return [...profiles].sort(
    (a, b) =>
      a.sizeUnits - b.sizeUnits ||
      a.computeSlices - b.computeSlices ||
      attributeOrder.indexOf(a.attribute) - attributeOrder.indexOf(b.attribute) ||
      (usableMemory(a).memoryMiB ?? Infinity) - (usableMemory(b).memoryMiB ?? Infinity),
  );
}

/** From what takes the least of the card's engines to what takes the most; plain first all the same. */
const attributeOrder: readonly Profile['attribute'][] = [null, '-me', '+gfx', '+me', '+me.all'];
