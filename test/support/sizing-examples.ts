/** What tests of sizing start from: a need that asks for nothing, and cards of the catalogue by key. */
import { modelByKey } from '#core/catalogue/catalogue';
import type { GpuModel, MigModel } from '#core/catalogue/model';
import type { Need } from '#core/plan/documents';
import { plainNeed } from '#core/plan/plain-need';

export function need(wishes: Partial<Need> = {}): Need {
  return { ...plainNeed('example'), ...wishes };
}

export function card(key: string): GpuModel {
  const model = modelByKey(key);
  if (model === undefined) throw new Error(`no card ${key} in the catalogue`);
  return model;
}

export function migModel(key: string): MigModel {
  const model = card(key);
  if (model.kind !== 'mig') throw new Error(`the catalogue has no profiles for ${key}`);
  return model;
}
