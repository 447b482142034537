/** What a workload has now, as the catalogue knows it: its part of the card's memory grid and of its compute slices. */
import { modelByKey } from '#core/catalogue/catalogue';
import type { GpuModel, MigModel, Profile } from '#core/catalogue/model';
import { asNvidiaSpells, nameParts } from '#core/catalogue/profile-name';
import type { DeviceClass } from '../observe/observation.js';
import type { DeviceChoice } from './answer.js';
import type { AuditSetting } from './options.js';

/** `measuredOn` fills in for sources that know nothing of the card; a card that is named but unknown stays unknown. */
export function deviceOf(
  seen: DeviceClass | undefined,
  measuredOn: AuditSetting['measuredOn'],
): DeviceChoice {
  const profile = seen?.profile == null ? null : asNvidiaSpells(seen.profile);
  const isNamed = seen !== undefined && (seen.model !== null || seen.productName !== null);
  if (isNamed || measuredOn === undefined) return { model: seen?.model ?? null, profile };
  return { model: measuredOn.model, profile: profile ?? measuredOn.profile };
}

export function cardOf({ model }: DeviceChoice): GpuModel | undefined {
  return model === null ? undefined : modelByKey(model);
}

/** The slice, where card and profile are known; undefined also for whole cards. */
export function sliceOf(
  device: DeviceChoice,
): { readonly card: MigModel; readonly profile: Profile } | undefined {
  const card = cardOf(device);
  if (card?.kind !== 'mig' || device.profile === null) return undefined;
  const profile = card.profiles.find(({ name }) => name === device.profile);
  return profile && { card, profile };
}

/** Part of the card that it takes from others; `null`: not known. */
export function gridShareOf(device: DeviceChoice): number | null {
  if (device.profile === null) return 1;
  const slice = sliceOf(device);
  return slice === undefined ? null : slice.profile.sizeUnits / slice.card.gridUnits;
}

/** Part of the card's compute slices; `null`: not known. */
export function computeShareOf(device: DeviceChoice): number | null {
  if (device.profile === null) return 1;
  const slice = sliceOf(device);
  return slice === undefined ? null : slice.profile.computeSlices / slice.card.computeSlices;
}

/** A slice of several compute slices: there, figures that count time are a lower bound of the SMs in use. */
export function isMultiSlice({ profile }: DeviceChoice): boolean {
  return profile !== null && nameParts(profile)?.computeSlices !== 1;
}

/** `1g.24gb on h100-94gb-nvl`, `a whole h100-80gb-sxm`. */
export function nameOfDevice({ model, profile }: DeviceChoice): string {
  const card = model ?? 'a card that is not known';
  if (profile !== null) return `${profile} on ${card}`;
  return model === null ? card : `a whole ${model}`;
}
