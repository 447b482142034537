/** The smallest slice for a need: on one card, and on whichever card sells it for the least. */
import type { GpuModel, MigModel, Profile } from '#core/catalogue/model';
import { sliceUsdPerHour } from '#core/cost/slice-cost';
import type { Need } from '#core/plan/documents';
import { computeDemand } from '#core/sizing/compute';
import { modelByKey } from '#core/catalogue/catalogue';
import { usableMemory } from '#core/sizing/memory';
import { servingOptions } from '#core/sizing/serving-options';
import type { SizingOptions } from '#core/sizing/wants';
import type { Recommendation } from './answer.js';
import type { AuditSetting } from './options.js';

export interface Choice {
  readonly card: MigModel;
  readonly profile: Profile;
  /** `null`: not on record. */
  readonly usableMiB: number | null;
  /** Its part of the cheapest such card; `null`: no price is known. */
  readonly usdPerHour: number | null;
}

/** `null`: no slice of the card serves. */
export function smallestOn(need: Need, card: GpuModel, sizing: SizingOptions): Profile | null {
  for (const { profile } of servingOptions(need, card, sizing)) if (profile !== 'whole') return profile;
  return null;
}

/** The smallest slice of each card that has one, the cheapest first; of those without a price the least memory. */
export function choicesFor(
  needOn: (card: GpuModel) => Need,
  cards: readonly GpuModel[],
  setting: AuditSetting,
): readonly Choice[] {
  return cards
    .flatMap((card) => {
      const profile = smallestOn(needOn(card), card, setting.sizing);
      return card.kind !== 'mig' || profile === null ? [] : [choiceOf(card, profile, setting)];
    })
    .sort(cheapestFirst);
}

export function choiceOf(card: MigModel, profile: Profile, { prices, sizing }: AuditSetting): Choice {
  const price = prices.of(card.key);
  return {
    card,
    profile,
    usableMiB: usableMemory(profile, sizing.assumeFromName).memoryMiB,
    usdPerHour: price === null ? null : sliceUsdPerHour(price.usdPerHour, card, profile),
  };
}

export function asRecommendation({ card, profile }: Choice): Recommendation {
  return { model: card.key, profile: profile.name };
}

/** The slice is the whole card. */
export function fillsCard({ card, profile }: Pick<Choice, 'card' | 'profile'>): boolean {
  return profile.sizeUnits === card.gridUnits;
}

/** Whether a share of the card that it was measured on says anything about this one. */
export function converts({ compute }: Need, card: GpuModel, { speeds }: SizingOptions): boolean {
  const from = compute?.of === undefined ? undefined : modelByKey(compute.of);
  return computeDemand(compute, card, from, speeds).kind !== 'unknown';
}

export function withoutCompute(need: Need): Need {
  const { compute, ...rest } = need;
  return compute === undefined ? need : rest;
}

function cheapestFirst(a: Choice, b: Choice): number {
  return (
    (a.usdPerHour ?? Infinity) - (b.usdPerHour ?? Infinity) ||
    (a.usableMiB ?? Infinity) - (b.usableMiB ?? Infinity) ||
    (a.card.key < b.card.key ? -1 : 1)
  );
}
