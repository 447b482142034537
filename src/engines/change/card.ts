/** What a GPU can be cut into: its driver's word, else the catalogue's while MIG is off and the driver says nothing. */
import { findModel } from '#core/catalogue/find-model';
import type { MigModel } from '#core/catalogue/model';
import type { CheckedCard } from '#core/geometry/check';
import type { GpuDriver, GpuInfo } from '#ports/gpu-driver';
import { driverWhy } from './answer.js';
import type { Looked } from './look.js';

export interface KnownCard extends CheckedCard {
  /** The catalogue's model, for names that moved between drivers. */
  readonly model: MigModel | null;
}

/** `null`: nobody can say before MIG is on. */
export async function cardFor(driver: GpuDriver, info: GpuInfo): Promise<Looked<KnownCard | null>> {
  const model = modelOf(info);
  if (info.mig === null) return { ok: true, value: null };
  const card = await driver.card(info.uuid);
  if (card.ok) return { ok: true, value: { key: info.name, name: info.name, ...card.value, model } };
  if (card.why.kind !== 'not-supported' || info.mig.current) {
    return { ok: false, why: driverWhy(card, 'read the profiles of the card') };
  }
  if (model === null) return { ok: true, value: null };
  const { gridUnits, profiles } = model;
  return { ok: true, value: { key: model.key, name: model.name, gridUnits, profiles, model } };
}

/** The driver's name for a profile: drivers have called one and the same 3g.39gb and 3g.40gb. */
export function asWanted({ profiles, model }: KnownCard, name: string): string {
  if (profiles.some((profile) => profile.name === name)) return name;
  const known = model?.profiles.find((profile) => profile.name === name);
  return profiles.find((profile) => profile.id === known?.id)?.name ?? name;
}

function modelOf({ name, pciDeviceId }: GpuInfo): MigModel | null {
  for (const query of [pciDeviceId, name]) {
    const found = findModel(query);
    if (found.ok && found.model.kind === 'mig') return found.model;
  }
  return null;
}
