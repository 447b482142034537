/** `mica catalogue`: the GPU models that Mica knows; with a model, everything it knows of that one. */
import { models } from '#core/catalogue/catalogue';
import type { GpuModel } from '#core/catalogue/model';
import { citation } from '#core/catalogue/sources';
import { formatMiB } from '#core/units';
import { modelNamed } from '../arguments.js';
import type { AnswerExit, Context } from '../command.js';
import { printJson } from '../terminal/json.js';
import { tableOf } from '../terminal/table.js';
import { describeModel, machinesWith } from './describe-model.js';

export interface CatalogueOptions {
  readonly json?: boolean;
}

export function catalogueCommand(
  { screen, json }: Context,
  [name]: readonly [string | undefined],
  _options: CatalogueOptions,
): Promise<AnswerExit> {
  if (name !== undefined) {
    const model = modelNamed(name);
    if (json) printJson(screen, { ...withCitations(model), machineTypes: machinesWith(model) });
    else screen.print(describeModel(screen, model));
  } else if (json) printJson(screen, { models: models().map(withCitations) });
  else {
    const columns = [
      { head: 'model' },
      { head: 'memory', align: 'right' },
      { head: 'slices', align: 'right' },
      { head: 'profiles' },
    ] as const;
    screen.print(tableOf(screen, columns, models().map(rowOf)));
    screen.print(`\n${models().length} models; mica catalogue MODEL shows profiles, placements and sources.`);
  }
  return Promise.resolve(0);
}

function rowOf(model: GpuModel): readonly string[] {
  const memory = model.memoryMiB === null ? `${model.memoryGB ?? '?'} GB` : formatMiB(model.memoryMiB);
  switch (model.kind) {
    case 'mig': {
      const profiles = model.profiles.filter(({ attribute }) => attribute === null).map(({ name }) => name);
      const others = model.profiles.length - profiles.length;
      const more = others === 0 ? '' : ` and ${others} more`;
      return [model.key, memory, String(model.maxInstances), `${profiles.join(' ')}${more}`];
    }
    case 'unmapped':
      return [model.key, memory, '?', 'MIG, but its placements were never published'];
    case 'no-mig':
      return [model.key, memory, '-', 'no MIG'];
  }
}

/** Source ids as the citations that they stand for: JSON is read far from the catalogue. */
function withCitations(model: GpuModel): object {
  const profiles =
    'profiles' in model
      ? {
          profiles: model.profiles.map((profile) => ({ ...profile, sources: profile.sources.map(citation) })),
        }
      : {};
  return { ...model, ...profiles, sources: model.sources.map(citation) };
}
