/**
 * What the controller does next: from the cluster, the policies and a planner to the nodes that are begun now, and to
 * what each policy says of itself.
 */
import type { ClusterPlan } from '../planning/answer.js';
import { notAsked, type NodeRules } from '../planning/sites.js';
import type { ClusterNode, ClusterState } from '../objects.js';
import { beginnings, type Beginning } from './beginnings.js';
import { asItWillBe, changeUnderWay } from './future.js';
import { holdOn, type Hold } from './hold.js';
import type { MigPolicy, PolicyStatus } from './mig-policy.js';
import { whyNotFollowed } from './follow.js';
import { isWaiting, type Planned, type Planner, type Scene, type Standing } from './scene.js';
import { selectNodes } from './selection.js';
import { statusOf, unfollowedStatus } from './status.js';
import { windowsAt } from './windows.js';

/** The next moves. */
export interface Round {
  readonly begin: readonly Beginning[];
  readonly statuses: ReadonlyMap<string, PolicyStatus>;
  /** Look again then, even where nothing changed. */
  readonly wakeMs: number;
  /** Of each plan that was made. */
  readonly verdicts: readonly ClusterPlan['verdict'][];
}

export function decide(scene: Scene): Round {
  const { nowMs, state, policies, isRehearsal } = scene;
  const followed: MigPolicy[] = [];
  const statuses = new Map<string, PolicyStatus>();
  for (const seen of policies) {
    const why = seen.ok ? whyNotFollowed(seen.policy) : { reason: 'Invalid', message: seen.why };
    if (why === null && seen.ok) followed.push(seen.policy);
    else if (why !== null) statuses.set(seen.policy.name, unfollowedStatus(seen.policy, why));
  }
  const standings = [...selectNodes(state.nodes, followed).values()].map((selected): Standing => ({
    ...selected,
    isActing: selected.policy.spec.mode === 'Auto' && !isRehearsal,
    windows: windowsAt(selected.policy.spec.maintenanceWindows, nowMs),
  }));
  const future = asItWillBe(state);
  const holds = holdsOf(scene, standings);
  const { action, advice } = plansFor(scene, standings, future, holds);
  const chosen = beginnings({ scene, standings, action });
  for (const standing of standings) {
    const { name } = standing.policy;
    const facts = { scene, standing, action, advice, holds, chosen };
    statuses.set(name, statusOf(facts));
  }
  return {
    begin: chosen.begin,
    statuses,
    wakeMs: Math.min(
      chosen.wakeMs,
      ...[...holds.values()].map(({ untilMs }) => untilMs),
      ...standings.map(({ windows }) => windows.untilMs),
    ),
    verdicts: [action, advice].flatMap((one) => (one === null ? [] : [one.plan.verdict])),
  };
}

/** Nodes that a policy has and that are not to be cut for the time being. */
function holdsOf({ nowMs, refusals }: Scene, standings: readonly Standing[]): ReadonlyMap<string, Hold> {
  const holds = new Map<string, Hold>();
  for (const { policy, nodes, isActing, windows } of standings) {
    if (!isActing) continue;
    for (const { node } of nodes) {
      const hold = holdOn(node, policy.spec, windows, refusals.get(node.name), nowMs);
      if (hold !== null) holds.set(node.name, hold);
    }
  }
  return holds;
}

interface Plans {
  /** What may be done now; `null`: nobody waits, or nobody may act. */
  readonly action: Planned | null;
  /** What would be done for those who go away empty-handed, if it might be done; `null`: there are none. */
  readonly advice: Planned | null;
}

function plansFor(
  { plan }: Scene,
  standings: readonly Standing[],
  future: ClusterState,
  holds: ReadonlyMap<string, Hold>,
): Plans {
  if (standings.every(({ nodes }) => nodes.length === 0) || !future.pods.some(isWaiting))
    return { action: null, advice: null };
  const owners = new Map(standings.flatMap((one) => one.nodes.map(({ node }) => [node.name, one] as const)));
  const isBeingChanged = (node: ClusterNode): boolean => changeUnderWay(node) !== null;
  const rulesFor =
    (frozen: (node: ClusterNode, owner: Standing) => string | null) =>
    (node: ClusterNode): NodeRules => {
      const owner = owners.get(node.name);
      if (owner === undefined) return { group: '', frozen: notAsked, allowed: null, mayMovePods: false };
      const { allowedProfiles, evictions } = owner.policy.spec;
      return {
        group: owner.policy.name,
        frozen: isBeingChanged(node) ? 'it is being changed' : frozen(node, owner),
        allowed: allowedProfiles === null ? null : new Set(allowedProfiles),
        mayMovePods: evictions === 'Allowed',
      };
    };
  const planned = (state: ClusterState, options: Parameters<Planner>[1]): Planned | null => {
    const answer = plan(state, options);
    return answer.ok ? answer : null;
  };
  const now = rulesFor((node, { isActing }) => (isActing ? (holds.get(node.name)?.why ?? null) : notAsked));
  const action = standings.some(({ isActing }) => isActing)
    ? planned(future, { target: 'gpu-operator', rulesOf: now })
    : null;
  const isAdviceDue =
    action === null ||
    (action.leftOut.length > 0 && (holds.size > 0 || standings.some(({ isActing }) => !isActing)));
  if (!isAdviceDue) return { action, advice: null };
  const served = new Set(action?.seats.flatMap(({ pod, isThere }) => (isThere ? [] : [pod.uid])));
  const taken = new Set(action?.plan.nodes.map(({ node }) => node));
  const later = rulesFor((node) => (taken.has(node.name) ? 'it is about to be changed' : null));
  const rest = { ...future, pods: future.pods.filter(({ uid, node }) => node !== null || !served.has(uid)) };
  return { action, advice: planned(rest, { rulesOf: later }) };
}
