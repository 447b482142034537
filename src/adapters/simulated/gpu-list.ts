/** Which GPUs a simulated machine has, as people write it: `h100:4,rtx-pro-6000:2`. */
import { findModel } from '#core/catalogue/find-model';
import type { MigModel, WholeModel } from '#core/catalogue/model';
import { quoted } from '#core/catalogue/quoted';

/** A model whose behaviour is known well enough to pretend to be one. */
export type SimulatedModel = MigModel | WholeModel;

export type GpuListAnswer =
  | { readonly ok: true; readonly models: readonly SimulatedModel[] }
  | { readonly ok: false; readonly why: GpuListRefusal };

export interface GpuListRefusal {
  /** `unmapped`: the card has MIG, but nobody has published its placements. */
  readonly kind: 'nothing' | 'bad-count' | 'too-many' | 'unknown-model' | 'unmapped';
  readonly message: string;
  /** Names to try instead. */
  readonly candidates: readonly string[];
}

/** More than any machine has; a mistyped count must not fill the memory. */
const mostGpus = 1024;

/** One model per GPU, in the order written. A name without a count is one GPU. */
export function parseGpuList(text: string): GpuListAnswer {
  const models: SimulatedModel[] = [];
  for (const item of text.split(',').map((part) => part.trim())) {
    if (item === '') {
      return refuse('nothing', `${quoted(text)} names no GPU between its commas: write MODEL:COUNT,...`);
    }
    const [, name = '', digits = '1'] = /^(.*?)(?::([^:]*))?$/.exec(item) ?? [];
    const count = /^\d+$/.test(digits) ? Number(digits) : 0;
    if (count < 1) return refuse('bad-count', `${quoted(item)} has no count: write ${name || 'MODEL'}:1`);
    const found = findModel(name);
    if (!found.ok) return refuse('unknown-model', found.why.message, found.why.candidates);
    const { model, matchedBy } = found;
    if (matchedBy === 'machine-type') {
      const message = `${quoted(name)} is a machine, not a GPU: write ${model.key}:COUNT`;
      return refuse('unknown-model', message, [model.key]);
    }
    if (model.kind === 'unmapped') {
      const message = `${model.key} cannot be simulated: where its instances may begin was never published`;
      return refuse('unmapped', message);
    }
    if (models.length + count > mostGpus) {
      return refuse('too-many', `${quoted(text)} is more than ${mostGpus} GPUs on one machine`);
    }
    for (let made = 0; made < count; made += 1) models.push(model);
  }
  return { ok: true, models };
}

function refuse(
  kind: GpuListRefusal['kind'],
  message: string,
  candidates: readonly string[] = [],
): GpuListAnswer {
  return { ok: false, why: { kind, message, candidates } };
}
