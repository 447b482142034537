/** Demands placed on cards by the planner: equal ones are planned as one, and told apart again afterwards. */
import { modelByKey } from '#core/catalogue/catalogue';
import { MicaError } from '#core/errors';
import type { Solve } from '#core/packing/linear-program';
import type { FleetNode } from '#core/plan/documents';
import { makePlan } from '#core/plan/make-plan';
import type { Plan } from '#core/plan/plan';
import { servingOptions } from '#core/sizing/serving-options';
import type { SizingOptions } from '#core/sizing/wants';
import type { DrawnGpu } from './answer.js';
import type { Demand, Seat } from './demand.js';

/** A card that is drawn once. */
export type DrawnCard = Omit<DrawnGpu, 'count'>;

export interface Placed {
  readonly cards: readonly DrawnCard[];
  /** Seats without a place, by demand. */
  readonly unplaced: readonly { readonly demand: Demand; readonly seats: number }[];
}

export function placeDemands(
  demands: readonly Demand[],
  nodes: readonly FleetNode[],
  sizing: SizingOptions,
  solve: Solve,
): Placed {
  const groups = groupsOf(demands, [...new Set(nodes.map(({ model }) => model))], sizing);
  if (groups.length === 0) return { cards: [], unplaced: [] };
  const answer = makePlan({
    fleet: { nodes, rent: [] },
    needs: groups.map(({ members, need }, index) => ({
      ...need,
      name: String(index),
      count: members.reduce((sum, { seats }) => sum + seats.length, 0),
    })),
    prices: [],
    solve,
    sizing,
  });
  if (!answer.ok) throw new MicaError('unknown-model', answer.why.message);
  return { cards: drawn(answer.plan, groups), unplaced: unplacedOf(answer.plan, groups) };
}

interface Group {
  readonly need: Demand['need'];
  readonly members: readonly Demand[];
}

/** Needs that the same slices of every model serve are one need; those that share a slice stay with their own kind. */
function groupsOf(
  demands: readonly Demand[],
  models: readonly string[],
  sizing: SizingOptions,
): readonly Group[] {
  const groups = new Map<string, { need: Demand['need']; members: Demand[] }>();
  const cards = models.flatMap((model) => modelByKey(model) ?? []);
  for (const [index, demand] of demands.entries()) {
    // Who is alone has nobody to share with: strangers never do.
    const need: Demand['need'] =
      demand.seats.length === 1 ? { ...demand.need, isolation: 'hardware' } : demand.need;
    const served = cards.map((card) =>
      servingOptions(need, card, sizing).map(({ profile, replicasPerSlice }) => [
        profile === 'whole' ? profile : profile.name,
        replicasPerSlice,
      ]),
    );
    const sharer = need.isolation === 'shared' ? index : null;
    const key = JSON.stringify([served, need.gpus, need.p2p, sharer]);
    const known = groups.get(key);
    if (known === undefined) groups.set(key, { need, members: [demand] });
    else known.members.push(demand);
  }
  return [...groups.values()];
}

/** The planner hands places out in order, so each group's seats are taken in the order of its members. */
function drawn(plan: Plan, groups: readonly Group[]): readonly DrawnCard[] {
  const seats = groups.map(({ members }) => members.flatMap((demand) => demand.seats));
  const given = groups.map(() => 0);
  const names = new Map<string, Set<string>>();
  for (const { need, node, index, placement } of plan.assignment) {
    const group = Number(need);
    const place = (given[group] ?? 0) / (groups[group]?.need.gpus ?? 1);
    given[group] = (given[group] ?? 0) + 1;
    const seat: Seat = seats[group]?.[Math.floor(place)] ?? [];
    const key = placeKey(node, index, placement?.start);
    const there = names.get(key) ?? new Set();
    names.set(key, there);
    for (const name of seat) there.add(name);
  }
  const at = (node: string, index: number, start?: number): readonly string[] => [
    ...(names.get(placeKey(node, index, start)) ?? []),
  ];
  return plan.layouts.map(({ node, index, model, mig, placements }) => {
    const card = modelByKey(model);
    return {
      model,
      gridUnits: card?.kind === 'mig' ? card.gridUnits : null,
      slices: mig
        ? placements.map(({ profile, start, size }) => {
            return { profile, start, sizeUnits: size, workloads: at(node, index, start) };
          })
        : [{ profile: null, start: null, sizeUnits: null, workloads: at(node, index) }],
    };
  });
}

function placeKey(node: string, index: number, start: number | undefined): string {
  return `${node}/${index}/${start ?? 'whole'}`;
}

/** The planner leaves out the last replicas of a need. */
function unplacedOf(plan: Plan, groups: readonly Group[]): Placed['unplaced'] {
  return plan.unplaced.flatMap(({ need, count }) => {
    let left = count;
    return (groups[Number(need)]?.members ?? []).toReversed().flatMap((demand) => {
      const seats = Math.min(left, demand.seats.length);
      left -= seats;
      return seats === 0 ? [] : [{ demand, seats }];
    });
  });
}
