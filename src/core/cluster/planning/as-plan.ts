/** The nodes of a cluster plan as a plan of GPUs: what `mica cluster apply` and the emitters take. */
import { checkLayout } from '#core/geometry/check';
import { modelByKey } from '#core/catalogue/catalogue';
import type { MigModel } from '#core/catalogue/model';
import type { Layout, Placement } from '#core/geometry/placement';
import { totalCost, type CostItem } from '#core/cost/total-cost';
import type { PriceTable } from '#core/cost/price-table';
import type { Solve } from '#core/packing/linear-program';
import { usableMemory } from '#core/sizing/memory';
import { onTimeSlicedGpus, onWholeGpus } from '#core/plan/alternatives';
import type { Need } from '#core/plan/documents';
import type { Assignment, Plan, PlannedGpu } from '#core/plan/plan';
import { stepsBetween } from '#core/plan/steps';
import { supplyOf } from '#core/plan/supply';
import type { Counts } from './cuts.js';
import { workloadOf } from './pod-asks.js';
import type { Place, Seat } from './settled.js';
import { cardOf, whole, type Site } from './sites.js';

export interface PlanPart {
  /** The node's name in the plan; `null`: this place is not in it. */
  readonly nameOf: (place: Place) => string | null;
  readonly places: readonly Place[];
  readonly seats: readonly Seat[];
  readonly sites: readonly Site[];
  readonly prices: PriceTable;
  readonly solve: Solve;
  readonly headroom: number;
}

/** `null`: none of the places is in it. */
export function asPlan(part: PlanPart): Plan | null {
  const { places, sites, seats, nameOf } = part;
  const seatsAt = new Map<Place, Seat[]>();
  for (const seat of seats) {
    const list = seatsAt.get(seat.place);
    if (list === undefined) seatsAt.set(seat.place, [seat]);
    else list.push(seat);
  }
  const layouts: PlannedGpu[] = [];
  const assignment: Assignment[] = [];
  for (const place of places) {
    const node = nameOf(place);
    const site = sites[place.site];
    if (node === null || site === undefined || place.cards === null) continue;
    const gpus = place.cards.map((card, index) => plannedGpu(node, index, cardOf(site), card));
    layouts.push(...gpus);
    assignment.push(...assigned(gpus, seatsAt.get(place) ?? []));
  }
  if (layouts.length === 0) return null;
  const machines = rentedIn(part);
  return {
    schema: 'mica/plan@1',
    objective: 'gpus',
    gpus: layouts.length,
    layouts,
    assignment,
    unplaced: [],
    machines,
    steps: layouts.flatMap(({ node, index, mig, placements }) => {
      const answer = stepsBetween({ node, index, before: null, after: mig ? placements : null });
      return answer.ok ? answer.steps : [];
    }),
    cost: totalCost(
      machines.map(({ machineType, count, usdPerHour }): CostItem => {
        const estimate = part.prices.find((one) => one.machineType === machineType)?.estimate ?? false;
        return { name: machineType, count, usdPerHour, estimate };
      }),
    ),
    alternatives: alternativesOf(part, layouts, assignment),
    headroom: part.headroom,
    notes: ['where slices stand on these GPUs now is not known: a GPU that changes is cleared and cut anew'],
    proof: {
      kind: 'none',
      why: 'the nodes were chosen for the fewest disturbed pods, by a program solved to a gap of zero',
    },
    proven: false,
  };
}

const layoutCache = new WeakMap<MigModel, Map<string, Layout>>();

/** Places that leave the most open; equal counts make equal layouts. */
function placementsOf(model: MigModel, counts: Counts): Layout {
  const cache = layoutCache.get(model) ?? new Map<string, Layout>();
  layoutCache.set(model, cache);
  const key = JSON.stringify([...counts]);
  const known = cache.get(key);
  if (known !== undefined) return known;
  const asks = [...counts].flatMap(([profile, count]) => Array.from({ length: count }, () => ({ profile })));
  const answer = checkLayout(model, asks);
  if (!answer.ok)
    throw new RangeError(`planned a layout that ${model.key} cannot have: ${answer.why.message}`);
  cache.set(key, answer.placements);
  return answer.placements;
}

function plannedGpu(node: string, index: number, model: MigModel, counts: Counts): PlannedGpu {
  const mig = !counts.has(whole);
  return { node, index, model: model.key, mig, placements: mig ? placementsOf(model, counts) : [] };
}

/** Pods take the places of their slices in order: which pod gets which of them, the kubelet decides. */
function assigned(gpus: readonly PlannedGpu[], seats: readonly Seat[]): readonly Assignment[] {
  const open = new Map<string, { readonly gpu: PlannedGpu; readonly placement: Placement | null }[]>();
  for (const gpu of gpus) {
    const offers = gpu.mig ? gpu.placements : [null];
    for (const placement of offers) {
      const slot = placement?.profile ?? whole;
      open.set(slot, [...(open.get(slot) ?? []), { gpu, placement }]);
    }
  }
  return [...seats].flatMap(({ pod, podClass: { slot, count } }) =>
    (open.get(slot)?.splice(0, count) ?? []).map(({ gpu: { node, index }, placement }) => {
      const { namespace, name } = workloadOf(pod);
      return { need: `${namespace}/${name}`, node, index, placement };
    }),
  );
}

function rentedIn({ places, sites, nameOf, prices }: PlanPart): Plan['machines'] {
  const counts = new Map<string, { count: number; gpusEach: number; usdPerHour: number | null }>();
  for (const place of places) {
    const site = sites[place.site];
    if (place.unit !== null || site === undefined || nameOf(place) === null) continue;
    const machineType = site.rent?.machineType ?? site.like.machineType ?? '';
    const known = counts.get(machineType);
    const usdPerHour = prices.find((one) => one.machineType === machineType)?.usdPerHour ?? null;
    if (known === undefined) counts.set(machineType, { count: 1, gpusEach: site.like.gpus ?? 1, usdPerHour });
    else known.count += 1;
  }
  return [...counts].map(([machineType, rest]) => ({ machineType, ...rest }));
}

/** The pods of these nodes on whole and on time-sliced cards of the same nodes. */
function alternativesOf(
  { prices, solve }: PlanPart,
  layouts: readonly PlannedGpu[],
  assignment: readonly Assignment[],
): Plan['alternatives'] {
  const gpusOf = new Map<string, { model: string; gpus: number }>();
  for (const { node, model } of layouts) {
    const known = gpusOf.get(node);
    if (known === undefined) gpusOf.set(node, { model, gpus: 1 });
    else known.gpus += 1;
  }
  const needs = needsOf(assignment, layouts);
  const nodes = [...gpusOf].map(([name, rest]) => ({ name, ...rest }));
  const supply = supplyOf({ nodes, rent: [] }, prices);
  const pools = supply.ok ? supply.pools : [];
  const question = { needs, pools, sizing: { headroom: 0 }, objective: 'gpus', solve } as const;
  return { wholeGpus: onWholeGpus(question), timeSliced: onTimeSlicedGpus(question) };
}

/** A pod is taken to need what its slice has: that much it asked for. */
function needsOf(assignment: readonly Assignment[], layouts: readonly PlannedGpu[]): readonly Need[] {
  const modelOf = new Map(layouts.map(({ node, model }) => [node, modelByKey(model)]));
  const needs = new Map<string, Need>();
  for (const { need, node, placement } of assignment) {
    const model = modelOf.get(node);
    const profile =
      model?.kind === 'mig' ? model.profiles.find(({ name }) => name === placement?.profile) : undefined;
    const name = `${need} ${model?.key ?? ''} ${profile?.name ?? whole}`;
    const known = needs.get(name);
    const memoryMiB = profile === undefined ? null : usableMemory(profile).memoryMiB;
    const share =
      model?.kind === 'mig' && profile !== undefined ? profile.computeSlices / model.computeSlices : 1;
    needs.set(name, {
      ...{ name, count: (known?.count ?? 0) + 1, gpus: 1, p2p: profile === undefined, media: false },
      ...{ graphics: false, isolation: 'hardware' as const, priority: 0, movable: true },
      compute: { share, ...(model === undefined ? {} : { of: model.key }) },
      ...(memoryMiB === null ? {} : { memoryMiB }),
    });
  }
  return [...needs.values()];
}
