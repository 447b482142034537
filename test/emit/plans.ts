/** Small plans for the emitters, written as a person would say them. */
import { modelByKey } from '#core/catalogue/catalogue';
import type { Placement } from '#core/geometry/placement';
import type { Assignment, Plan, PlanCost, PlannedGpu } from '#core/plan/plan';
import type { EmitOptions } from '#engines/emit/emission';

export const rtx = 'rtx-pro-6000-blackwell-server';
export const h100 = 'h100-80gb-sxm';

export const options: EmitOptions = { modelOf: modelByKey };

const noCost: PlanCost = { usdPerHour: null, estimated: false, unknown: [] };
const noAlternative = { gpus: 0, cost: noCost, unplaced: 0, note: '' };

export function planOf(parts: Partial<Plan> & Pick<Plan, 'layouts'>): Plan {
  return {
    schema: 'mica/plan@1',
    objective: 'gpus',
    gpus: parts.layouts.length,
    assignment: [],
    unplaced: [],
    machines: [],
    steps: [],
    cost: noCost,
    alternatives: { wholeGpus: noAlternative, timeSliced: noAlternative },
    headroom: 0.1,
    notes: [],
    proof: { kind: 'none', why: 'a test' },
    proven: false,
    ...parts,
  };
}

/** `gpu('gpu-1', 0, rtx, '2g.48gb:0', '1g.24gb:6')`; without places: MIG on and empty. */
export function gpu(node: string, index: number, model: string, ...places: readonly string[]): PlannedGpu {
  return { node, index, model, mig: true, placements: places.map((text) => place(model, text)) };
}

export function whole(node: string, index: number, model: string): PlannedGpu {
  return { node, index, model, mig: false, placements: [] };
}

/** One replica on a slice, given as `PROFILE:START`. */
export function seat(need: string, on: PlannedGpu, text: string | null): Assignment {
  return { need, node: on.node, index: on.index, placement: text === null ? null : place(on.model, text) };
}

/** A replica of `need` on every slice of the GPUs, or on each whole card. */
export function fill(need: string, ...gpus: readonly PlannedGpu[]): readonly Assignment[] {
  return gpus.flatMap(({ node, index, mig, placements }) =>
    (mig ? placements : [null]).map((placement) => ({ need, node, index, placement })),
  );
}

export function place(modelKey: string, text: string): Placement {
  const [profile = '', start = ''] = text.split(':');
  const model = modelByKey(modelKey);
  const size =
    model?.kind === 'mig' ? model.profiles.find((one) => one.name === profile)?.sizeUnits : undefined;
  return { profile, start: Number(start), size: size ?? 0 };
}
