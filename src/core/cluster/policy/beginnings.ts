/** Which nodes of a plan are begun now: as many as may be out of service, and those first that disturb nobody. */
import type { PodSeat } from '../planning/plan-cluster.js';
import { cutOf, countsOf, type GpuCut, type NodeCut } from '../operator/mig-config.js';
import { annotations } from '../operator/record.js';
import type { ClusterNode, ClusterPod } from '../objects.js';
import { changeUnderWay } from './future.js';
import type { MigPolicySpec } from './mig-policy.js';
import type { Planned, Scene, Standing } from './scene.js';

/** Written into the records of nodes that the controller changes. */
export const controllerName = 'mica-controller';

export interface Beginning {
  readonly node: string;
  /** Empty: it was begun under a policy that is gone. */
  readonly policy: string;
  readonly cut: NodeCut;
  /** Catalogue keys by GPU index. */
  readonly models: ReadonlyMap<number, string>;
  readonly mayEvict: boolean;
  /** Pods are waited for no longer. */
  readonly deadlineMs: number;
  /** Pending pods that get a place on it. */
  readonly pods: readonly ClusterPod[];
  /** An earlier leader left it half-way. */
  readonly isResumed: boolean;
}

export interface Chosen {
  readonly begin: readonly Beginning[];
  /** Somebody has waited long enough. `null`: nothing would be begun anyway. */
  readonly isRipe: boolean | null;
  /** Policies that may not take one more node out of service now. */
  readonly full: ReadonlySet<string>;
  readonly wakeMs: number;
}

interface Question {
  readonly scene: Scene;
  readonly standings: readonly Standing[];
  readonly action: Planned | null;
}

export function beginnings({ scene, standings, action }: Question): Chosen {
  const resumed = scene.isRehearsal ? [] : leftHalfWay(scene, standings);
  const none = { begin: resumed, isRipe: null, full: new Set<string>(), wakeMs: Infinity };
  if (action === null || action.plan.nodes.length === 0) return none;
  const owners = new Map(standings.flatMap((one) => one.nodes.map(({ node }) => [node.name, one] as const)));
  const coming = action.seats.filter(({ isThere }) => !isThere);
  const { isRipe, ripeMs } = ripeness(coming, owners, scene.nowMs);
  if (!isRipe) return { ...none, isRipe, wakeMs: ripeMs };
  const cuts = cutsOf(action);
  const rooms = new Map(
    standings.map((one) => [
      one.policy.name,
      one.policy.spec.maxUnavailable - awayOf(one, scene.running).length,
    ]),
  );
  const full = new Set<string>();
  const begin: Beginning[] = [];
  for (const node of inOrder(action, scene)) {
    const owner = owners.get(node);
    const cut = cuts.get(node);
    if (owner === undefined || cut === undefined) continue;
    const { name } = owner.policy;
    const room = rooms.get(name) ?? 0;
    if (room <= 0) {
      full.add(name);
      continue;
    }
    rooms.set(name, room - 1);
    const pods = coming.flatMap((seat) => (seat.node === node ? [seat.pod] : []));
    begin.push({ node, policy: name, ...cut, ...limitsOf(owner), pods, isResumed: false });
  }
  return { begin: [...resumed, ...begin], isRipe, full, wakeMs: Infinity };
}

function limitsOf({ policy, windows }: Standing): Pick<Beginning, 'mayEvict' | 'deadlineMs'> {
  return { mayEvict: policy.spec.evictions === 'Allowed', deadlineMs: windows.untilMs };
}

/** Nodes of a policy that take no pods now, whoever is to blame, or are about to. `running`: though it may not be seen yet. */
export function awayOf({ nodes }: Standing, running: ReadonlySet<string>): readonly ClusterNode[] {
  return nodes
    .map(({ node }) => node)
    .filter(
      (node) =>
        !node.isReady ||
        node.isCordoned ||
        node.annotations[annotations.change] !== undefined ||
        running.has(node.name),
    );
}

function leftHalfWay(
  { state, running, refusals, nowMs }: Scene,
  standings: readonly Standing[],
): readonly Beginning[] {
  return state.nodes.flatMap((node): Beginning[] => {
    const record = changeUnderWay(node);
    if (record?.by !== controllerName || running.has(node.name)) return [];
    // It was tried a moment ago, and nothing could be done.
    if ((refusals.get(node.name)?.untilMs ?? 0) > nowMs) return [];
    const owner = standings.find(({ nodes }) => nodes.some((one) => one.node.name === node.name));
    const cut = cutOf(record.goal.entries, mostIndex(record.goal.entries) + 1);
    const limits = { mayEvict: record.mayEvict !== false, deadlineMs: owner?.windows.untilMs ?? Infinity };
    return [
      {
        node: node.name,
        policy: owner?.policy.name ?? '',
        cut,
        models: new Map(),
        ...limits,
        pods: [],
        isResumed: true,
      },
    ];
  });
}

function mostIndex(entries: Parameters<typeof cutOf>[0]): number {
  return Math.max(-1, ...entries.flatMap(({ devices }) => (devices === 'all' ? [] : devices)));
}

/** Hysteresis: a pod that waits has to do so for a while, as its policy says. */
function ripeness(
  coming: readonly PodSeat[],
  owners: ReadonlyMap<string, Standing>,
  nowMs: number,
): { readonly isRipe: boolean; readonly ripeMs: number } {
  let ripeMs = Infinity;
  for (const { pod, node } of coming) {
    const owner = node === null ? undefined : owners.get(node);
    if (owner === undefined || pod.unschedulable === null) continue;
    ripeMs = Math.min(ripeMs, ripeAt(pod.unschedulable.sinceMs, owner.policy.spec, nowMs));
  }
  return { isRipe: ripeMs <= nowMs, ripeMs };
}

/** Whoever wrote the time may have had another clock. */
function ripeAt(sinceMs: number, { pendingMs }: MigPolicySpec, nowMs: number): number {
  return Math.min(sinceMs, nowMs) + pendingMs;
}

/**
 * Nodes whose pods go to a node that is still to be cut wait for that one, so that they have where to go; where all of
 * them wait for each other, the one with the fewest pods goes first.
 */
function inOrder({ plan }: Planned, { state }: Scene): readonly string[] {
  const moving = new Map<string, string[]>();
  for (const { from, to } of plan.moves) moving.set(from, [...(moving.get(from) ?? []), to]);
  const unfinished = new Set(plan.nodes.map(({ node }) => node));
  for (const node of state.nodes) if (changeUnderWay(node) !== null) unfinished.add(node.name);
  const names = plan.nodes
    .map(({ node }) => node)
    .sort((a, b) => (moving.get(a)?.length ?? 0) - (moving.get(b)?.length ?? 0) || (a < b ? -1 : 1));
  const free = names.filter((node) =>
    (moving.get(node) ?? []).every((to) => to === node || !unfinished.has(to)),
  );
  const isAnybodyAtWork = unfinished.size > names.length;
  return free.length > 0 || isAnybodyAtWork ? free : names.slice(0, 1);
}

function cutsOf({ plan: { plan } }: Planned): ReadonlyMap<string, Pick<Beginning, 'cut' | 'models'>> {
  const found = new Map<
    string,
    { readonly cut: Map<number, GpuCut>; readonly models: Map<number, string> }
  >();
  for (const { node, index, model, mig, placements } of plan?.layouts ?? []) {
    const one = found.get(node) ?? { cut: new Map(), models: new Map() };
    found.set(node, one);
    one.cut.set(index, mig ? { mig: true, counts: countsOf(placements) } : { mig: false });
    one.models.set(index, model);
  }
  return found;
}
