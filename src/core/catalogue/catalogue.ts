/** Every GPU model that Mica knows, family by family. */
import { ampere } from './ampere.js';
import { blackwell } from './blackwell.js';
import { hopperH100 } from './hopper-h100.js';
import { hopperH200 } from './hopper-h200.js';
import type { GpuModel, MigModel } from './model.js';
import { rtxPro } from './rtx-pro.js';
import { unmapped } from './unmapped.js';
import { withoutMig } from './without-mig.js';

const mapped: readonly MigModel[] = [...rtxPro, ...ampere, ...hopperH100, ...hopperH200, ...blackwell];
const all: readonly GpuModel[] = [...mapped, ...unmapped, ...withoutMig];
const byKey: ReadonlyMap<string, GpuModel> = new Map(all.map((model) => [model.key, model]));

export function models(): readonly GpuModel[] {
  return all;
}

/** The models whose profiles and placements are known. */
export function migModels(): readonly MigModel[] {
  return mapped;
}

/** By its key alone, as documents and plans name it. People's names are for `findModel`. */
export function modelByKey(key: string): GpuModel | undefined {
  return byKey.get(key);
}
