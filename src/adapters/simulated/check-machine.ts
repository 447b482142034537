/** A state file, checked before it is trusted: people edit them to set up what they want to try. */
import { z } from 'zod';
import { modelByKey } from '#core/catalogue/catalogue';
import type { MachineState } from './machine-state.js';

export type MachineAnswer =
  { readonly ok: true; readonly state: MachineState } | { readonly ok: false; readonly words: string };

const id = z.int().min(0);

const machine = z.strictObject({
  format: z.literal('mica/simulated-machine@1'),
  privileged: z.boolean(),
  gpus: z.array(
    z.strictObject({
      model: z
        .string()
        .refine((key) => ['mig', 'no-mig'].includes(modelByKey(key)?.kind ?? ''), 'no such GPU model'),
      uuid: z.string().min(1),
      migCurrent: z.boolean(),
      migPending: z.boolean(),
      instances: z.array(
        z.strictObject({ id, profileId: id, start: id, computeInstances: z.array(id).max(1) }),
      ),
      clients: z.array(
        z.strictObject({
          pid: z.int(),
          name: z.string().nullable(),
          usedMiB: z.number().nullable(),
          instanceId: id.nullable(),
        }),
      ),
    }),
  ),
  xids: z.array(
    z.strictObject({ number: z.int(), gpuUuid: z.string(), xid: z.int(), instanceId: id.nullable() }),
  ),
  xidCount: z.int().min(0),
});

export function checkMachine(text: string): MachineAnswer {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    return { ok: false, words: error instanceof Error ? error.message : String(error) };
  }
  const checked = machine.safeParse(json);
  if (!checked.success) {
    const [issue] = checked.error.issues;
    return { ok: false, words: `${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}` };
  }
  const stray = strayInstance(checked.data);
  return stray === null ? { ok: true, state: checked.data } : { ok: false, words: stray };
}

/** Instances of profiles that their card has not would break every call that comes after. */
function strayInstance(state: MachineState): string | null {
  for (const [index, gpu] of state.gpus.entries()) {
    const model = modelByKey(gpu.model);
    for (const { profileId } of gpu.instances) {
      if (model?.kind !== 'mig' || !model.profiles.some((profile) => profile.id === profileId)) {
        return `gpus.${index}.instances: ${gpu.model} has no profile ${profileId}`;
      }
    }
  }
  return null;
}
