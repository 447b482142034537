/** A cluster in, a plan out: how its GPUs are cut so that what pends gets a place and as few pods as can be are disturbed. */
import { usesGpus } from '../operator/disturbed.js';
import { totalCost, type CostItem } from '#core/cost/total-cost';
import type { PriceTable } from '#core/cost/price-table';
import { MicaError } from '#core/errors';
import type { Solve } from '#core/packing/linear-program';
import type { RentOption } from '#core/plan/documents';
import { defaultHeadroom } from '#core/sizing/memory';
import type { ClusterPod, ClusterState } from '../objects.js';
import type { ClusterPlan } from './answer.js';
import { asPlan } from './as-plan.js';
import { cardCountsOf, cutsOf, isSame, slicesOf, type Counts } from './cuts.js';
import { explain } from './explain.js';
import { classesOf, type Classed, type ClassedUnit, type RightSize } from './pod-classes.js';
import { poolsOf } from './pools.js';
import type { Draft } from './draft.js';
import { decide, type DecideOptions, type Kind, type PlanProgram, type ProgramSite } from './program.js';
import { rentedSites } from './rented-sites.js';
import { settle } from './settle.js';
import type { Place, Settled } from './settled.js';
import { changingNamesOf, sitesOf, sizesOfOneName, type Site, type SiteOptions } from './sites.js';

export interface ClusterPlanOptions extends SiteOptions {
  readonly prices: PriceTable;
  readonly solve: Solve;
  /** Of an audit: those that it is sure of. */
  readonly rightSizes?: readonly RightSize[];
  readonly rent?: readonly RentOption[];
  /** Moves pods also to leave nodes empty. */
  readonly consolidate?: boolean;
  /** For one program; default 20 s. */
  readonly timeLimitMs?: number;
  /** Part of the figures of an audit already. */
  readonly headroom?: number;
}

/** A pending pod with a place. */
export interface PodSeat {
  readonly pod: ClusterPod;
  /** `null`: a node that is made. */
  readonly node: string | null;
  /** Of the nodes that it is one of, or will be. */
  readonly group: string;
  /** The slice is there already. */
  readonly isThere: boolean;
}

/** A pending pod without one. */
export interface LeftOutPod {
  readonly pod: ClusterPod;
  /** Of the nodes that could serve it if they were cut so. */
  readonly groups: readonly string[];
}

export type ClusterPlanAnswer =
  | {
      readonly ok: true;
      readonly plan: ClusterPlan;
      /** Who would be where, pod by pod. */
      readonly seats: readonly PodSeat[];
      readonly leftOut: readonly LeftOutPod[];
    }
  | {
      readonly ok: false;
      readonly why: { readonly kind: 'machine-type' | 'no-pool'; readonly message: string };
    };

/** Never cuts a slice away under a pod that may not move. Throws MicaError `solver-failed`. */
export function planCluster(state: ClusterState, options: ClusterPlanOptions): ClusterPlanAnswer {
  const owned = sitesOf(state, options);
  const pools = new Set(owned.flatMap(({ units }) => units.flatMap(({ seen }) => seen.pool ?? [])));
  const missing = options.pools?.find((pool) => !pools.has(pool));
  if (missing !== undefined) {
    const there =
      pools.size === 0 ? 'no GPU node says its pool' : `there are ${[...pools].sort().join(', ')}`;
    return {
      ok: false,
      why: { kind: 'no-pool', message: `no node pool with GPUs is called '${missing}': ${there}` },
    };
  }
  const wanted = state.pods
    .filter((pod) => pod.node === null && usesGpus(pod))
    .reduce((sum, { wants }) => sum + Object.values(wants).reduce((all, count) => all + count, 0), 0);
  const rented = rentedSites(options.rent ?? [], owned, options.prices, options.target, wanted);
  if (!rented.ok) return { ok: false, why: { kind: 'machine-type', message: rented.message } };
  const sites = [...owned, ...rented.sites];
  const { rightSizes = [], consolidate = false } = options;
  const plain = draftOf(state, sites, [], options, consolidate);
  if (plain === null)
    throw new MicaError('solver-failed', 'running pods have no place in the plan of the cluster');
  if (rightSizes.length === 0) return answer(plain, options, []);
  const resized = draftOf(state, sites, rightSizes, options, true);
  const helps = resized !== null && (leftOf(resized) < leftOf(plain) || savedBy(resized) > savedBy(plain));
  if (helps) return answer(resized, options, []);
  const note =
    resized === null
      ? 'the slices that the audit recommends do not all fit at once: pods are planned with what they ask for'
      : 'the slices that the audit recommends would free no node and place no more pods: pods keep what they ask for';
  return answer(plain, options, [note]);
}

function leftOf({ settled, classed }: Draft): number {
  return settled.leftOut.length + classed.hopeless.length;
}

function savedBy({ settled }: Draft): number {
  return settled.leaving.filter(({ isReplaced }) => !isReplaced).length;
}

/** Programs of more kinds of nodes with pods take long: those with the most pods stay as they are. */
const mostKinds = 400;

/** Ways of cutting a node with several GPUs, each a column of the program. */
const mostWaysOfNode = 200;
const mostWaysOfAll = 2000;

/** `null`: something that runs would have no place. */
function draftOf(
  state: ClusterState,
  sites: readonly Site[],
  rightSizes: readonly RightSize[],
  options: ClusterPlanOptions,
  save: boolean,
): Draft | null {
  const nodes = sites.flatMap(({ style, units }) => units.map(({ seen }) => ({ seen, style })));
  const names = {
    changingNames: changingNamesOf(nodes.map(({ seen }) => seen)),
    sizesOfOneName: sizesOfOneName(nodes, state.pods),
  };
  const classed = classesOf(state.pods, sites, names, rightSizes);
  const { kinds, notWeighed } = kindsOf(classed.units);
  const mostWays = Math.min(mostWaysOfNode, mostWaysOfAll / sites.length);
  const program: PlanProgram = {
    kinds,
    classes: classed.classes,
    sites: sites.map((site, index) => programSite(site, index, classed, options, mostWays)),
  };
  const how = { save, timeLimitMs: options.timeLimitMs ?? 20_000 };
  const settled = attempt(program, sites, options.solve, how);
  if (settled !== null) return { sites, classed, settled, notWeighed };
  if (rightSizes.length > 0) return null;
  // Pods that want several slices of one node got in each other's way: then nothing that runs is touched.
  const still = {
    ...program,
    kinds: kinds.map((kind) => ({ ...kind, isFrozen: kind.isFrozen || kind.held.size > 0 })),
  };
  const second = attempt(still, sites, options.solve, { ...how, save: false });
  return second === null ? null : { sites, classed, settled: second, notWeighed };
}

const mostAttempts = 6;

/** Kinds of nodes that could only be cut into what they are, stay as they are in the next attempt. */
function attempt(
  first: PlanProgram,
  sites: readonly Site[],
  solve: Solve,
  how: DecideOptions,
): Settled | null {
  let program = first;
  for (let count = 0; count < mostAttempts; count += 1) {
    const decision = decide(program, solve, how);
    if (decision === null) return null;
    const answered = settle(program, sites, decision);
    if (answered.ok) return answered.settled;
    if (answered.kinds.length === 0) return null;
    const shut = new Set(answered.kinds);
    const kinds = program.kinds.map((kind, index) => (shut.has(index) ? { ...kind, isFrozen: true } : kind));
    program = { ...program, kinds };
  }
  return null;
}

function programSite(
  site: Site,
  index: number,
  { classes }: Classed,
  { prices }: ClusterPlanOptions,
  mostWays: number,
): ProgramSite {
  const gpus = site.like.gpus ?? 0;
  const before = usualCards(site);
  const cuts = cutsOf(site, index, classes, before, mostWays);
  const unusual = cuts.map(
    ({ cards }) => cards.filter((card) => !before.some((one) => isSame(one, card))).length,
  );
  const price = prices.find(({ machineType }) => machineType === site.like.machineType)?.usdPerHour ?? null;
  const rent = site.rent === null ? null : { max: site.rent.max, cost: site.rent.usdPerHour ?? gpus };
  return { gpus, cuts, unusual, rent, worth: price ?? gpus };
}

/** The ways in which cards of the site are cut now, the commonest first. */
function usualCards(site: Site): readonly Counts[] {
  if (site.style !== 'mixed' || (site.like.gpus ?? 1) < 2) return [];
  const found = new Map<string, { readonly card: Counts; count: number }>();
  for (const unit of site.units) {
    const card = cardCountsOf(unit, site);
    if (card === null || card.has('whole')) continue;
    const key = JSON.stringify([...card].sort());
    const known = found.get(key);
    if (known === undefined) found.set(key, { card, count: 1 });
    else known.count += 1;
  }
  return [...found.values()]
    .sort((a, b) => b.count - a.count)
    .slice(0, 20)
    .map(({ card }) => card);
}

function kindsOf(units: readonly ClassedUnit[]): {
  readonly kinds: readonly Kind[];
  readonly notWeighed: number;
} {
  const found = new Map<string, { readonly like: ClassedUnit; readonly units: ClassedUnit[] }>();
  for (const unit of units) {
    const free = [...unit.free].sort();
    const held = [...unit.held].map(([{ key }, pods]) => [key, pods.length]).sort();
    const cards = unit.seen.offers.map(({ profile, allocatable }) => [profile, allocatable]);
    const key = JSON.stringify([
      unit.site,
      free,
      held,
      unit.frozen !== null,
      unit.frozen === null ? cards : 0,
    ]);
    const known = found.get(key);
    if (known === undefined) found.set(key, { like: unit, units: [unit] });
    else known.units.push(unit);
  }
  const kinds = [...found.values()].map(({ like, units: all }): Kind => ({
    site: like.site,
    units: all,
    free: like.free,
    held: new Map([...like.held].map(([podClass, pods]) => [podClass, pods.length])),
    isFrozen: like.frozen !== null,
    before: slicesOf(like),
  }));
  const podsIn = ({ held }: Kind): number => [...held.values()].reduce((sum, count) => sum + count, 0);
  const open = kinds.filter(({ isFrozen }) => !isFrozen).sort((a, b) => podsIn(a) - podsIn(b));
  const shut = new Set(open.slice(mostKinds));
  const notWeighed = [...shut].reduce((sum, kind) => sum + kind.units.length, 0);
  return { kinds: kinds.map((kind) => (shut.has(kind) ? { ...kind, isFrozen: true } : kind)), notWeighed };
}

function answer(draft: Draft, options: ClusterPlanOptions, notes: readonly string[]): ClusterPlanAnswer {
  const { sites, settled } = draft;
  const { prices, solve, headroom = defaultHeadroom } = options;
  const pools = poolsOf(settled, sites);
  const part = { places: settled.places, seats: settled.seats, sites, prices, solve, headroom };
  const isCut = (place: Place): boolean => place.cards !== null;
  const counters = new Map<string, number>();
  const madeNames = new Map<Place, string>();
  for (const place of settled.places) {
    const site = sites[place.site];
    if (place.unit !== null || site === undefined) continue;
    const machineType = site.rent?.machineType ?? site.like.machineType ?? 'node';
    const next = (counters.get(machineType) ?? 0) + 1;
    counters.set(machineType, next);
    madeNames.set(place, `${machineType}-${next}`);
  }
  const plan = asPlan({
    ...part,
    nameOf: (place) => (place.unit !== null && isCut(place) ? place.unit.seen.node.name : null),
  });
  const machines = asPlan({ ...part, nameOf: (place) => madeNames.get(place) ?? null });
  const said = explain(draft, pools);
  return {
    ok: true,
    ...podsOf(draft),
    plan: {
      schema: 'mica/cluster-plan@1',
      ...said,
      cost: costsOf(draft, prices),
      plan,
      machines,
      notes: [...said.notes, ...notes],
    },
  };
}

function podsOf({
  sites,
  settled,
  classed,
}: Draft): Pick<Extract<ClusterPlanAnswer, { readonly ok: true }>, 'seats' | 'leftOut'> {
  const seats = settled.seats
    .filter(({ pod }) => pod.node === null)
    .map(({ pod, place: { site, unit, cards } }) => ({
      pod,
      node: unit?.seen.node.name ?? null,
      group: sites[site]?.group ?? '',
      isThere: unit !== null && cards === null,
    }));
  const groups = new Map(
    sites.flatMap(({ units, group }) => units.map(({ seen }) => [seen.node.name, group] as const)),
  );
  const taken = classed.taken.map(({ pod, node }) => ({
    ...{ pod, node, group: groups.get(node) ?? '', isThere: true },
  }));
  const leftOut = settled.leftOut.map(({ pod, podClass }) => ({
    pod,
    groups: [...new Set(podClass.sites.flatMap((site) => sites[site]?.group ?? []))],
  }));
  const hopeless = classed.hopeless.map(({ pod }) => ({ pod, groups: [] }));
  return { seats: [...seats, ...taken], leftOut: [...leftOut, ...hopeless] };
}

function costsOf({ sites, settled }: Draft, prices: PriceTable): ClusterPlan['cost'] {
  const itemOf = (machineType: string | null, card: string): CostItem => {
    const price = prices.find((one) => one.machineType === machineType);
    return {
      name: machineType ?? card,
      count: 1,
      usdPerHour: price?.usdPerHour ?? null,
      estimate: price?.estimate ?? false,
    };
  };
  const ofSite = ({ like, rent }: Site): CostItem =>
    itemOf(rent?.machineType ?? like.machineType, like.model?.key ?? like.product ?? 'unknown GPU');
  const now = sites.map((site) => ({ ...ofSite(site), count: site.units.length }));
  const after = sites.map((site, index) => ({
    ...ofSite(site),
    count: settled.places.filter((place) => place.site === index).length,
  }));
  return { now: totalCost(now), after: totalCost(after) };
}
