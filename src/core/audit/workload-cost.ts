/** What one workload takes of the cards, now and after, and what that part costs in a month. */
import { modelByKey } from '#core/catalogue/catalogue';
import type { GpuModel } from '#core/catalogue/model';
import { servingOptions } from '#core/sizing/serving-options';
import { askOf } from './ask.js';
import type { AuditedWorkload } from './answer.js';
import type { Assessment } from './assess.js';
import { gridShareOf } from './device.js';
import type { AuditSetting } from './options.js';
import { cardNow } from './stock.js';

export interface WorkloadCost extends Pick<AuditedWorkload, 'cardShare' | 'usdPerMonth'> {
  /** The cards that the shares are of; `null`: not known. */
  readonly cards: { readonly now: string | null; readonly after: string | null };
  /** Replicas times devices. */
  readonly devices: number;
}

/**
 * After: on the target, else on the card that it is on. `usual`: the card that is counted where none was seen. A price
 * is that of the part of the card, so that the workloads add up to no more than the cards.
 */
export function costOf(assessment: Assessment, usual: string | null, setting: AuditSetting): WorkloadCost {
  const { judged } = assessment;
  const { target, prices } = setting;
  const devices = judged.replicas * judged.devicesEach;
  const now = { card: cardNow(assessment, usual), share: gridShareOf(judged.current) };
  const own = now.card === null ? undefined : modelByKey(now.card);
  const after = partAfter(assessment, target ?? own, devices, setting) ?? now;
  const usd = ({ card, share }: typeof now): number | null => {
    const month = prices.month(card);
    return share === 0 ? 0 : month === null || share === null ? null : toCents(month * share * devices);
  };
  return {
    cardShare: { now: now.share, after: after.share },
    usdPerMonth: { now: usd(now), after: usd(after) },
    cards: { now: now.card, after: after.card },
    devices,
  };
}

/** Cards that it takes after, in parts of a card; what is not known counts as a card. */
export function needed({ cardShare: { now, after }, devices }: WorkloadCost): number {
  return (after ?? now ?? 1) * devices;
}

/** `null`: it keeps what it has. */
function partAfter(
  { judged }: Assessment,
  card: GpuModel | undefined,
  devices: number,
  setting: AuditSetting,
): { readonly card: string | null; readonly share: number } | null {
  const ask = askOf(judged.workload, judged, setting);
  if (ask.kind === 'nothing') return { card: card?.key ?? null, share: 0 };
  if (ask.kind === 'keeps' || card === undefined) return null;
  const [smallest] = servingOptions(ask.need, card, setting.sizing);
  if (smallest === undefined) return null;
  const { profile, replicasPerSlice } = smallest;
  const size = profile === 'whole' || card.kind !== 'mig' ? 1 : profile.sizeUnits / card.gridUnits;
  return { card: card.key, share: size / Math.max(1, Math.min(replicasPerSlice, devices)) };
}

function toCents(usd: number): number {
  return Math.round(usd * 100) / 100;
}
