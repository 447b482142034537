/** A need on many cards: the answer of each, what a replica costs there, and the one to take. */
import { cheapestFor, type KnownPrice, type PriceTable } from '#core/cost/price-table';
import { sliceUsdPerHour } from '#core/cost/slice-cost';
import type { GpuModel } from '#core/catalogue/model';
import type { Need } from '#core/plan/documents';
import { formatUsd } from '#core/units';
import { defaultHeadroom, wholeMemory, withHeadroom } from './memory.js';
import { profilesFor, type CardSizing, type Fit } from './profiles-for.js';
import type { SizingOptions } from './wants.js';

/** The cheapest way to serve one replica on one card. */
export interface Choice {
  readonly model: string;
  /** `null`: whole GPUs, MIG off. */
  readonly profile: string | null;
  readonly replicasPerSlice: number;
  /** Of the slice, or of all the whole GPUs; `null`: not known. */
  readonly memoryMiB: number | null;
  readonly cost: ReplicaCost | null;
}

/** A replica's part of the cheapest card of its model. */
export interface ReplicaCost {
  readonly usdPerHour: number;
  readonly usdPerGpuHour: number;
  readonly machine: KnownPrice;
}

export interface CardAnswer extends CardSizing {
  /** `null`: the card does not serve the need. */
  readonly choice: Choice | null;
}

export interface SizeAnswer {
  /** As stated, and with headroom; `null`: not stated. */
  readonly memoryMiB: number | null;
  readonly memoryWithHeadroomMiB: number | null;
  readonly headroom: number;
  readonly answers: readonly CardAnswer[];
  readonly recommended: { readonly choice: Choice; readonly why: string } | null;
}

/** The cheapest replica is recommended; where no card that serves has a price, the one on the least memory. */
export function sizeNeed(
  need: Need,
  cards: readonly GpuModel[],
  options: SizingOptions = {},
  prices: PriceTable = [],
): SizeAnswer {
  const answers = cards.map((card) => {
    const sizing = profilesFor(need, card, options);
    return { ...sizing, choice: choiceFor(need, card, sizing, options, prices) };
  });
  const headroom = options.headroom ?? defaultHeadroom;
  return {
    memoryMiB: need.memoryMiB ?? null,
    memoryWithHeadroomMiB: need.memoryMiB === undefined ? null : withHeadroom(need.memoryMiB, headroom),
    headroom,
    answers,
    recommended: recommend(answers.flatMap(({ choice }) => choice ?? [])),
  };
}

function choiceFor(
  need: Need,
  card: GpuModel,
  { fits, verdict }: CardSizing,
  options: SizingOptions,
  prices: PriceTable,
): Choice | null {
  const price = cheapestFor(card.key, prices);
  const costOf = (gpus: number): ReplicaCost | null =>
    price.ok
      ? { usdPerHour: gpus * price.usdPerGpuHour, usdPerGpuHour: price.usdPerGpuHour, machine: price.machine }
      : null;
  if (verdict.kind === 'whole-gpu') {
    const { gpus, replicasPerGpu } = verdict;
    const { memoryMiB } = wholeMemory(card, options.assumeFromName);
    return {
      model: card.key,
      profile: null,
      replicasPerSlice: replicasPerGpu,
      memoryMiB: memoryMiB === null ? null : memoryMiB * gpus,
      cost: costOf(gpus / sharedBy(need, replicasPerGpu)),
    };
  }
  if (card.kind !== 'mig') return null;
  const gpusPerReplica = (fit: Fit) =>
    sliceUsdPerHour(1, card, fit.profile) / sharedBy(need, fit.replicasPerSlice);
  const [best] = [...fits].sort((a, b) => gpusPerReplica(a) - gpusPerReplica(b));
  if (best === undefined) return null;
  return {
    model: card.key,
    profile: best.profile.name,
    replicasPerSlice: best.replicasPerSlice,
    memoryMiB: best.memory.memoryMiB,
    cost: costOf(gpusPerReplica(best)),
  };
}

/** A slice for eight replicas is not cheaper by eight for a need of two. */
function sharedBy(need: Need, replicasPerSlice: number): number {
  return Math.max(1, Math.min(replicasPerSlice, need.count));
}

function recommend(choices: readonly Choice[]): SizeAnswer['recommended'] {
  const [cheapest] = choices
    .filter(isPriced)
    .sort((a, b) => a.cost.usdPerHour - b.cost.usdPerHour || byMemory(a, b));
  const unpriced = choices.filter((choice) => choice.cost === null).map((choice) => choice.model);
  if (cheapest !== undefined) {
    const left = unpriced.length === 0 ? '' : `; not compared, for want of a price: ${firstFew(unpriced)}`;
    return { choice: cheapest, why: `${costReason(cheapest.cost)}${left}` };
  }
  const [smallest] = [...choices].sort(byMemory);
  if (smallest === undefined) return null;
  return {
    choice: smallest,
    why: 'the least memory that serves; no price is known for the cards that serve',
  };
}

function firstFew(names: readonly string[]): string {
  return names.length <= 4
    ? names.join(', ')
    : `${names.slice(0, 3).join(', ')} and ${names.length - 3} more`;
}

function costReason({ usdPerHour, usdPerGpuHour, machine }: ReplicaCost): string {
  const label = machine.estimate ? ', an estimate' : '';
  const when = [machine.region, machine.asOf].filter((part) => part !== null).join(', ');
  return (
    `the cheapest that serves: ${formatUsd(usdPerHour)}/h for a replica, its part of a card at ` +
    `${formatUsd(usdPerGpuHour)}/h (${machine.machineType}${when === '' ? '' : `, ${when}`}${label})`
  );
}

function isPriced(choice: Choice): choice is Choice & { readonly cost: ReplicaCost } {
  return choice.cost !== null;
}

function byMemory(a: Choice, b: Choice): number {
  return (a.memoryMiB ?? Number.MAX_VALUE) - (b.memoryMiB ?? Number.MAX_VALUE);
}
