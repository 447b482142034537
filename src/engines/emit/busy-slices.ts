/** Targets that clear a GPU before they cut it must not get a plan that keeps slices at work on it. */
import { asArgument } from '#core/geometry/placement';
import type { Plan } from '#core/plan/plan';
import { refuse, type Refused } from './emission.js';

/** `target` in words. A GPU that already is as planned is left alone, busy or not. */
export function refuseToClear(plan: Plan, target: string): Refused | undefined {
  const gpuOf = (on: { readonly node: string; readonly index: number }): string =>
    JSON.stringify([on.node, on.index]);
  const changed = new Set(
    plan.steps.filter(({ kind }) => kind === 'create' || kind === 'destroy').map(gpuOf),
  );
  const cleared = plan.layouts.find((gpu) => (gpu.busy ?? []).length > 0 && changed.has(gpuOf(gpu)));
  if (cleared === undefined) return undefined;
  const busy = (cleared.busy ?? []).map(asArgument).join(', ');
  const message = `GPU ${cleared.index} of node ${cleared.node} keeps slices at work (${busy}), and ${target} clears a GPU before it cuts it`;
  return refuse(
    'busy-slices',
    message,
    'Emit vm, which adds slices beside them, or free them and plan again.',
  );
}
