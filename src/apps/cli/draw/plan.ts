/** The GPUs of a plan as drawings: each with who is in its slices, or equal layouts once with their number. */
import { modelByKey } from '#core/catalogue/catalogue';
import { asArgument } from '#core/geometry/placement';
import type { Fleet } from '#core/plan/documents';
import type { Plan, PlannedGpu } from '#core/plan/plan';
import { drawGpus, type DrawnGpu } from './gpu.js';
import { shortName } from '#core/catalogue/short-name';

/** Every GPU on a line of its own: `gpu-1/0`, its card, its slices and who is in them. */
export function drawEachGpu(plan: Plan, fleet: Fleet, columns: number): string {
  const users = usersOf(plan, fleet);
  return drawGpus(
    plan.layouts.map((gpu) =>
      drawn(gpu, `${gpu.node}/${gpu.index}`, (start) => {
        return describeUsers(users.get(placeOf(gpu.node, gpu.index, start)) ?? []);
      }),
    ),
    columns,
  );
}

/** Equal layouts once: `312 x`, the most frequent first. `most` of them, and how many GPUs are not shown. */
export function drawLayouts(
  { layouts }: Plan,
  columns: number,
  most: number,
): { readonly text: string; readonly gpusLeft: number; readonly layoutsLeft: number } {
  const groups = new Map<string, { gpu: PlannedGpu; count: number }>();
  for (const gpu of layouts) {
    const key = `${gpu.model} ${gpu.mig ? gpu.placements.map(asArgument).join() : 'whole'}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { gpu, count: 1 });
    else group.count += 1;
  }
  const sorted = [...groups.values()].sort((a, b) => b.count - a.count);
  const rows = sorted.slice(0, most).map(({ gpu, count }) => drawn(gpu, `${count} x`));
  const left = sorted.slice(most);
  return {
    text: drawGpus(rows, columns),
    gpusLeft: left.reduce((sum, { count }) => sum + count, 0),
    layoutsLeft: left.length,
  };
}

/** Who is at each place: replicas of the plan, and whatever kept a slice busy before it. */
function usersOf({ assignment }: Plan, fleet: Fleet): ReadonlyMap<string, readonly string[]> {
  const users = new Map<string, string[]>();
  const add = (place: string, user: string): void => {
    const there = users.get(place);
    if (there === undefined) users.set(place, [user]);
    else there.push(user);
  };
  for (const { need, node, index, placement } of assignment)
    add(placeOf(node, index, placement?.start), need);
  for (const { name, layouts = [] } of fleet.nodes) {
    for (const { index, slices } of layouts) {
      for (const { busy, start } of slices) if (busy) add(placeOf(name, index, start), 'busy');
    }
  }
  return users;
}

/** `userAt` gives who is in the slice that starts there, or on the whole card; left out: not the question. */
function drawn(gpu: PlannedGpu, label: string, userAt?: (start?: number) => string | null): DrawnGpu {
  const model = modelByKey(gpu.model);
  const title = model === undefined ? gpu.model : shortName(model);
  if (model?.kind !== 'mig' || !gpu.mig) {
    return { label, title, card: { kind: 'whole', user: userAt?.() ?? '' } };
  }
  const slices = gpu.placements.map((placement) => ({
    placement,
    ...(userAt === undefined ? {} : { user: userAt(placement.start) }),
  }));
  return { label, title, card: { kind: 'sliced', model, slices } };
}

function placeOf(node: string, index: number, start: number | undefined): string {
  return `${node}/${index}/${start ?? 'whole'}`;
}

/** `bert`, or `bert x4` where replicas share. */
function describeUsers(needs: readonly string[]): string | null {
  const [first, ...others] = needs;
  if (first === undefined) return null;
  return others.length === 0 ? first : `${first} x${needs.length}`;
}
