/** What each GPU of a machine is cut into, placed: one size as often as it fits, or a layout for each GPU. */
import { modelByKey } from '#core/catalogue/catalogue';
import { findMachineType, isFractional } from '#core/catalogue/machine-types';
import type { MigModel } from '#core/catalogue/model';
import { checkLayout } from '#core/geometry/check';
import type { Placement } from '#core/geometry/placement';

export interface MachineCut {
  readonly model: MigModel;
  /** By GPU index. */
  readonly gpus: readonly (readonly Placement[])[];
}

export type MachineCutAnswer =
  { readonly ok: true; readonly value: MachineCut } | { readonly ok: false; readonly message: string };

/** `cut`: a size for all GPUs, one layout for every GPU, or one for each. */
export function cutMachine(
  machineType: string,
  cut: string | readonly (readonly string[])[],
): MachineCutAnswer {
  const machine = findMachineType(machineType);
  const model = machine === undefined ? undefined : modelByKey(machine.model);
  if (machine === undefined || isFractional(machine) || model?.kind !== 'mig') {
    return { ok: false, message: `${machineType} is no machine type whose GPUs Mica knows how to cut` };
  }
  const layouts = typeof cut === 'string' ? [fullOf(model, cut)] : cut;
  if (layouts.length !== 1 && layouts.length !== machine.gpus) {
    const message = `${machineType} has ${machine.gpus} GPUs, and there are layouts for ${layouts.length}`;
    return { ok: false, message };
  }
  const gpus: (readonly Placement[])[] = [];
  for (let index = 0; index < machine.gpus; index += 1) {
    const profiles = layouts[layouts.length === 1 ? 0 : index] ?? [];
    const answer = checkLayout(
      model,
      profiles.map((profile) => ({ profile })),
    );
    if (!answer.ok) return { ok: false, message: answer.why.message };
    gpus.push(answer.placements);
  }
  return { ok: true, value: { model, gpus } };
}

function fullOf(model: MigModel, profile: string): readonly string[] {
  const most = model.profiles.find(({ name }) => name === profile)?.maxCount ?? 1;
  return Array.from({ length: most }, () => profile);
}
