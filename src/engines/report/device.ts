/** What a replica has and gets: its name, and the memory that it can count on. */
import type { AuditedWorkload, DeviceChoice } from '#core/audit/answer';
import { modelByKey } from '#core/catalogue/catalogue';
import { shortName } from '#core/catalogue/short-name';
import { usableMemory, wholeMemory } from '#core/sizing/memory';
import { signedMiB } from './figures.js';

export function cardName(model: string | null): string {
  if (model === null) return 'unknown GPU';
  const known = modelByKey(model);
  return known === undefined ? model : shortName(known);
}

/** `H100 1g.10gb`, or `H100` for the whole card. */
export function deviceName({ model, profile }: DeviceChoice): string {
  return profile === null ? cardName(model) : `${cardName(model)} ${profile}`;
}

/** Usable memory; `null`: not published, or the card is not known. */
export function deviceMiB({ model, profile }: DeviceChoice): number | null {
  const card = model === null ? undefined : modelByKey(model);
  if (card === undefined) return null;
  if (profile === null) return wholeMemory(card).memoryMiB;
  const found = card.kind === 'mig' ? card.profiles.find(({ name }) => name === profile) : undefined;
  return found === undefined ? null : usableMemory(found).memoryMiB;
}

/** From what it has to what it should have. */
export interface Change {
  readonly from: string;
  /** `null`: nothing is recommended. The card is named only where it is another one. */
  readonly to: string | null;
  readonly diffMiB: number | null;
}

export function changeOf(workload: AuditedWorkload): Change {
  const { current, recommended, verdict, devicesEach } = workload;
  const from = `${devicesEach > 1 ? `${devicesEach} x ` : ''}${deviceName(current)}`;
  const now = deviceMiB(current);
  switch (verdict) {
    case 'unknown':
      return { from, to: null, diffMiB: null };
    case 'no-gpu':
      return { from, to: 'no GPU', diffMiB: now === null ? null : -now };
    case 'whole-gpu':
      if (recommended === null || recommended.model === current.model)
        return { from, to: staysWhole(workload), diffMiB: null };
      return { from, to: cardName(recommended.model), diffMiB: difference(now, recommended) };
    case 'slice':
    case 'share': {
      if (recommended === null) return { from, to: verdict === 'share' ? 'shared' : null, diffMiB: null };
      const name = recommended.model === current.model ? recommended.profile : deviceName(recommended);
      const to = verdict === 'share' ? `${name} shared` : name;
      return { from, to, diffMiB: difference(now, recommended) };
    }
  }
}

/** `H100 -> 1g.10gb (-69.6 GiB)`, as krr writes it. */
export function changeText({ from, to, diffMiB }: Change): string {
  if (to === null) return `${from} -> ?`;
  if (to === from) return `${from} (stays)`;
  return `${from} -> ${to}${diffMiB === null ? '' : ` (${signedMiB(diffMiB)})`}`;
}

/** A slice that turns out to need its whole card does not stay as it is. */
function staysWhole({ current, devicesEach }: AuditedWorkload): string {
  const many = devicesEach > 1 ? `${devicesEach} x ` : '';
  return `${many}${cardName(current.model)}`;
}

function difference(now: number | null, then: DeviceChoice): number | null {
  const after = deviceMiB(then);
  return now === null || after === null ? null : after - now;
}
