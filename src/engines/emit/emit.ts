/** A plan as files that another tool applies, one emitter per target. Pure: nothing is written or run here. */
import type { Plan } from '#core/plan/plan';
import { emitBottlerocket } from './bottlerocket/bottlerocket.js';
import { emitDra } from './dra/dra.js';
import type { Emission, EmitOptions, Emitter } from './emission.js';
import { emitGke } from './gke/gke.js';
import { emitGpuOperator } from './gpu-operator/gpu-operator.js';
import { emitMigParted } from './mig-parted/mig-parted.js';
import { emitVm } from './vm/vm.js';

const emitters = {
  vm: emitVm,
  'mig-parted': emitMigParted,
  gke: emitGke,
  'gpu-operator': emitGpuOperator,
  bottlerocket: emitBottlerocket,
  dra: emitDra,
} as const satisfies Record<string, Emitter>;

export type EmitTarget = keyof typeof emitters;

export const emitTargets = Object.keys(emitters) as readonly EmitTarget[];

/** The files for a target. Needs that the plan could not place are in no file, and a note says so. */
export function emit(target: EmitTarget, plan: Plan, options: EmitOptions): Emission {
  const emission = emitters[target](plan, options);
  if (!emission.ok || plan.unplaced.length === 0) return emission;
  const missing = plan.unplaced.map(({ need, count }) => `${count} x ${need}`).join(', ');
  return {
    ...emission,
    notes: [...emission.notes, `Not placed by the plan, so not in these files: ${missing}.`],
  };
}
