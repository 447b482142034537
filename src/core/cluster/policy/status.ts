/** What a policy says of itself: what it sees, what it does or would do, and what it waits for. */
import { bySize } from '../gpu-node.js';
import { annotations, readRecord } from '../operator/record.js';
import type { NodeChange, PoolChange } from '../planning/answer.js';
import { workloadKey, workloadOf } from '../planning/pod-asks.js';
import { whole } from '../planning/sites.js';
import type { ClusterPod } from '../objects.js';
import { awayOf, controllerName, type Chosen } from './beginnings.js';
import { changeUnderWay } from './future.js';
import type { Hold } from './hold.js';
import { lastChangeOf } from './last-change.js';
import type { MigPolicy, MigPolicySpec, PolicyCondition, PolicyStatus } from './mig-policy.js';
import { isWaiting, type Planned, type Scene, type Standing } from './scene.js';
import { utcText } from './windows.js';

export interface Facts {
  readonly scene: Scene;
  readonly standing: Standing;
  readonly action: Planned | null;
  readonly advice: Planned | null;
  readonly holds: ReadonlyMap<string, Hold>;
  readonly chosen: Chosen;
}

const longestMessage = 1_000;
const mostNames = 5;
const mostNodes = 20;

export function unfollowedStatus(
  { generation }: Pick<MigPolicy, 'generation'>,
  { reason, message }: { readonly reason: string; readonly message: string },
): PolicyStatus {
  const unknown = (type: PolicyCondition['type']): PolicyCondition => ({
    ...{ type, status: 'Unknown', reason: 'NotFollowed', message: 'The policy is not followed.' },
  });
  return {
    observedGeneration: generation,
    nodes: 0,
    waitingPods: 0,
    stuckNodes: 0,
    conditions: [
      { type: 'Ready', status: 'False', reason, message: cut(message) },
      ...(['Satisfied', 'Progressing', 'Degraded'] as const).map(unknown),
    ],
    recommendation: null,
    lastChange: null,
  };
}

export function statusOf(facts: Facts): PolicyStatus {
  const { policy, nodes } = facts.standing;
  const waiting = waitingFor(facts);
  const recommendation = recommendationOf(facts);
  const stuck = stuckIn(facts);
  return {
    observedGeneration: policy.generation,
    nodes: nodes.length,
    waitingPods: waiting.length,
    stuckNodes: stuck.length,
    conditions: [
      readyOf(facts),
      satisfiedOf(waiting),
      progressingOf(facts, waiting, recommendation),
      degradedOf(stuck),
    ],
    recommendation,
    lastChange: lastOf(facts.standing),
  };
}

/** Who pends for a slice that its nodes get, could get, or would have if they were cut so. */
function waitingFor({ scene, standing, action, advice }: Facts): readonly ClusterPod[] {
  const { name } = standing.policy;
  const changing = new Set(
    scene.state.nodes.flatMap((node) => (changeUnderWay(node) === null ? [] : [node.name])),
  );
  const pending = new Set(scene.state.pods.filter(isWaiting).map(({ uid }) => uid));
  const found = new Map<string, ClusterPod>();
  for (const planned of [action, advice]) {
    for (const { pod, node, group, isThere } of planned?.seats ?? []) {
      const isComing = !isThere || (node !== null && changing.has(node));
      if (group === name && isComing && pending.has(pod.uid)) found.set(pod.uid, pod);
    }
  }
  for (const { pod, groups } of (advice ?? action)?.leftOut ?? []) {
    if (groups.includes(name) && pending.has(pod.uid)) found.set(pod.uid, pod);
  }
  return [...found.values()];
}

function recommendationOf({ standing, action, advice }: Facts): PolicyStatus['recommendation'] {
  const own = new Set(standing.nodes.map(({ node }) => node.name));
  const planned = [action, advice].find((one) => one?.plan.nodes.some(({ node }) => own.has(node)));
  const pools = advice?.plan.pools.filter(({ leaving }) => leaving.some((node) => own.has(node))) ?? [];
  const left =
    (advice ?? action)?.leftOut.filter(({ groups }) => groups.includes(standing.policy.name)) ?? [];
  if (planned === undefined && pools.length === 0 && left.length === 0) return null;
  const from = planned ?? advice ?? action;
  const nodes = planned?.plan.nodes.filter(({ node }) => own.has(node)) ?? [];
  const moves = from?.plan.moves.filter((move) => own.has(move.from)) ?? [];
  const unplaced = (advice ?? action)?.plan.unplaced.slice(0, mostNodes) ?? [];
  return {
    summary: cut([from?.plan.summary ?? '', ...poolsInWords(pools, advice)].join(' ')),
    nodes: nodes.slice(0, mostNodes).map(({ node, before, after }) => ({
      ...{ node, before: inWords(before), after: inWords(after) },
    })),
    movedPods: moves.length,
    unplaced: left.length === 0 ? [] : unplaced.map((one) => ({ ...one, why: cut(one.why) })),
  };
}

/** Where a pool gives nodes away, others come; none of them can be told by the name of a node. */
function poolsInWords(leaving: readonly PoolChange[], advice: Planned | null): readonly string[] {
  if (leaving.length === 0) return [];
  const all = [...leaving, ...(advice?.plan.pools.filter(({ leaving: gone }) => gone.length === 0) ?? [])];
  const words = all.map(({ pool, nodes }) => `${pool} from ${nodes.before} to ${nodes.after} nodes`);
  return [`Pools: ${listed(words)}.`];
}

/** `2 x 1g.24gb, 1 x whole GPU`. */
export function inWords(counts: NodeChange['before']): string {
  const parts = Object.entries(counts)
    .filter(([, count]) => count > 0)
    .sort(([a], [b]) => bySize(a === whole ? null : a, b === whole ? null : b))
    .map(([slot, count]) => `${count} x ${slot === whole ? 'whole GPU' : slot}`);
  return parts.length === 0 ? 'nothing' : parts.join(', ');
}

function readyOf({ standing: { policy, nodes, lost } }: Facts): PolicyCondition {
  const [first] = lost;
  const others =
    first === undefined
      ? ''
      : ` ${count(lost.length, 'node')} that it selects belong to another policy (${first.node} to ${first.to}).`;
  if (nodes.length > 0) {
    return condition('Ready', true, 'Followed', `It has ${count(nodes.length, 'node')}.${others}`);
  }
  if (first !== undefined)
    return condition('Ready', false, 'Conflict', `It has no node of its own.${others}`);
  const message = `No node with GPUs that ${policy.spec.backend} cuts has the labels of nodeSelector.`;
  return condition('Ready', false, 'NoNodes', message);
}

function satisfiedOf(waiting: readonly ClusterPod[]): PolicyCondition {
  if (waiting.length === 0)
    return condition('Satisfied', true, 'NobodyWaits', 'No pod waits for a slice of its nodes.');
  const verb = waiting.length === 1 ? 'waits' : 'wait';
  const message = `${count(waiting.length, 'pod')} ${verb}: ${workloadsOf(waiting)}.`;
  return condition('Satisfied', false, 'PodsWait', message);
}

function workloadsOf(pods: readonly ClusterPod[]): string {
  const counts = new Map<string, number>();
  for (const pod of pods) {
    const resource = Object.keys(pod.wants)[0] ?? 'a claim';
    const key = `${workloadKey(workloadOf(pod))} (${resource.replace('nvidia.com/', '')})`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return listed([...counts].map(([name, number]) => (number === 1 ? name : `${number} of ${name}`)));
}

function progressingOf(
  facts: Facts,
  waiting: readonly ClusterPod[],
  advice: PolicyStatus['recommendation'],
): PolicyCondition {
  const { standing, chosen, holds } = facts;
  const { policy, nodes, isActing } = standing;
  const at = new Set([
    ...chosen.begin.flatMap((one) => (one.policy === policy.name ? [one.node] : [])),
    ...nodes.flatMap(({ node }) => (changeUnderWay(node) === null ? [] : [node.name])),
  ]);
  const no = (reason: string, message: string): PolicyCondition =>
    condition('Progressing', false, reason, message);
  if (at.size > 0) return condition('Progressing', true, 'Cutting', `Being cut: ${listed([...at].sort())}.`);
  if (waiting.length === 0) return no('Idle', 'There is nothing to do.');
  const isHelped = advice !== null && advice.nodes.length > 0;
  if (!isActing) {
    if (advice === null || (!isHelped && policy.spec.backend !== 'gke'))
      return no('NothingHelps', whyStuck(facts));
    return no('Recommends', `${advice.summary}${hintFor(policy.spec)}`);
  }
  if (chosen.full.has(policy.name)) {
    const away = awayOf(standing, facts.scene.running).map(({ name }) => name);
    const { maxUnavailable } = policy.spec;
    return no(
      'TooManyAway',
      `No more than ${count(maxUnavailable, 'node')} may be out of service, and these are: ${listed(away)}.`,
    );
  }
  const isInAction =
    facts.action?.plan.nodes.some(({ node }) => nodes.some((one) => one.node.name === node)) === true;
  if (isInAction && chosen.isRipe === false) {
    return no(
      'WaitsForPods',
      `Pods must have waited for ${policy.spec.pendingMs / 1000} s before anything is cut for them.`,
    );
  }
  const [first] = isHelped ? advice.nodes.flatMap(({ node }) => holds.get(node) ?? []) : [];
  if (first !== undefined) {
    const reasons = { cooling: 'CoolsDown', refused: 'Refused', window: 'WaitsForWindow' } as const;
    return no(reasons[first.kind], `${advice?.nodes[0]?.node ?? ''}: ${first.why}.`);
  }
  return no('NothingHelps', whyStuck(facts));
}

function hintFor({ backend, mode }: MigPolicySpec): string {
  if (backend === 'gke') return ' See `mica cluster plan`, and do it with `mica cluster pool`.';
  if (mode === 'Auto') return '';
  return ' Set mode: Auto to have it done, or do it with `mica cluster plan` and `apply`.';
}

function whyStuck({ advice, action, standing }: Facts): string {
  const planned = advice ?? action;
  const left = planned?.leftOut.find(({ groups }) => groups.includes(standing.policy.name));
  if (left === undefined || planned === null) return 'No cut of its nodes serves them now.';
  const workload = workloadKey(workloadOf(left.pod));
  const why = planned.plan.unplaced.find((one) => one.workload === workload)?.why;
  return why === undefined ? 'No cut of its nodes serves them now.' : `${workload}: ${why}.`;
}

/** A change takes an hour at most, and its return another. */
const forgottenMs = 3 * 3_600_000;

function stuckIn({ scene: { nowMs }, standing: { nodes } }: Facts): readonly string[] {
  return nodes.flatMap(({ node }) => {
    const record = readRecord(node.annotations);
    if (record === 'unreadable')
      return [`${node.name}: it carries a mica.dev/change that this version cannot read`];
    if (record === null) return [];
    if (record.phase !== 'stuck') {
      const isForgotten = nowMs - record.sinceMs >= forgottenMs && record.by !== controllerName;
      const how = 'go on with it by mica cluster apply, or take its annotation mica.dev/change away';
      const since = utcText(record.sinceMs);
      return isForgotten
        ? [`${node.name}: somebody began to change it, and left it at ${since} (${how})`]
        : [];
    }
    const next = node.annotations[annotations.nextStep];
    const why =
      node.annotations[annotations.reason] ??
      record.why?.message ??
      'an earlier change did not come to its end';
    return [`${node.name}: ${why}${next === undefined ? '' : ` (${next})`}`];
  });
}

function degradedOf(stuck: readonly string[]): PolicyCondition {
  if (stuck.length === 0) return condition('Degraded', false, 'AsExpected', 'No node needs a person.');
  return condition('Degraded', true, 'NodesStuck', `Left cordoned: ${listed(stuck)}`);
}

function lastOf({ nodes }: Standing): PolicyStatus['lastChange'] {
  let newest: PolicyStatus['lastChange'] = null;
  for (const { node } of nodes) {
    const last = lastChangeOf(node);
    if (last === null || (newest !== null && last.endedMs <= newest.atMs)) continue;
    const message = last.why === '' ? last.config : `${last.config}: ${last.why}`;
    newest = { node: node.name, outcome: last.outcome, message: cut(message), atMs: last.endedMs };
  }
  return newest;
}

function condition(
  type: PolicyCondition['type'],
  is: boolean,
  reason: string,
  message: string,
): PolicyCondition {
  return { type, status: is ? 'True' : 'False', reason, message: cut(message) };
}

function listed(names: readonly string[]): string {
  const more = names.length - mostNames;
  return `${names.slice(0, mostNames).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

function cut(message: string): string {
  return message.length <= longestMessage ? message : `${message.slice(0, longestMessage - 1)}…`;
}

function count(number: number, thing: string): string {
  return `${number} ${thing}${number === 1 ? '' : 's'}`;
}
