/** Where a workload's slice may be: on the card asked for, or on the cheapest; and what else would do. */
import { migModels } from '#core/catalogue/catalogue';
import type { GpuModel } from '#core/catalogue/model';
import type { Need } from '#core/plan/documents';
import { servingOptions } from '#core/sizing/serving-options';
import { withHeadroom } from '#core/sizing/memory';
import type { Recommendation } from './answer.js';
import { asRecommendation, choiceOf, choicesFor, converts, withoutCompute, type Choice } from './choose.js';
import type { AuditSetting } from './options.js';
import { needOn, type Measured } from './workload-need.js';

export interface Found {
  /** `null`: no slice serves. */
  readonly choice: Choice | null;
  /** On every card, the cheapest first. */
  readonly all: readonly Choice[];
  /** What was sized in the end: without compute where its figures convert to no card that may be taken. */
  readonly need: Need;
}

const fewAlternatives = 4;

/** A limit is near where less than this part of a slice would be left. */
const nearlyFull = 0.95;

export function findSlice(need: Need, measured: Measured, setting: AuditSetting): Found {
  const { target } = setting;
  const cards = target === null ? migModels() : [target];
  const isConvertible = cards.some((card) => converts(need, card, setting.sizing));
  const sized = isConvertible ? need : withoutCompute(need);
  const on = (card: GpuModel): Need => needOn(card, sized, measured, setting);
  const all = choicesFor(on, migModels(), setting);
  const [choice = null] = target === null ? all : choicesFor(on, [target], setting);
  return { choice, all, need: sized };
}

/**
 * The smallest slices of other cards, the cheapest first, the card that it is on among them; and the next larger one
 * of the same card where the limit is near.
 */
export function alternativesTo(
  { choice, all, need }: Found,
  { memoryMiB, current }: Measured,
  setting: AuditSetting,
): readonly Recommendation[] {
  const others = all.filter(({ card }) => card.key !== choice?.card.key);
  const first = others.slice(0, fewAlternatives);
  const own = others.find(({ card }) => card.key === current.model);
  const shown = own === undefined || first.includes(own) ? first : [...first.slice(0, -1), own];
  const larger = choice === null ? null : nextLarger(choice, need, memoryMiB?.max ?? 0, setting);
  return [...shown, ...(larger === null ? [] : [larger])].map(asRecommendation);
}

function nextLarger(choice: Choice, need: Need, maxMiB: number, setting: AuditSetting): Choice | null {
  const { card, usableMiB } = choice;
  const { sizing } = setting;
  if (usableMiB === null || need.memoryMiB === undefined) return null;
  const fill = Math.max(maxMiB, withHeadroom(need.memoryMiB, sizing.headroom));
  if (fill < nearlyFull * usableMiB) return null;
  for (const { profile } of servingOptions(need, card, sizing)) {
    if (profile === 'whole' || profile.attribute !== null) continue;
    const larger = choiceOf(card, profile, setting);
    if ((larger.usableMiB ?? 0) > usableMiB) return larger;
  }
  return null;
}
