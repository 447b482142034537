/** Empties the nodes of a pool: no new pods, and those that are there are evicted, as their budgets allow. */
import type { ClusterNode } from '#core/cluster/objects';
import type { PoolView } from '#ports/node-pools';
import { look } from './look.js';
import { mustMove, namesOf, nodesOf } from './movable.js';
import { cordonedFor, type PoolChangeOptions, type PoolPorts, type StepAnswer } from './ports.js';

const defaultTimeoutMs = 15 * 60_000;
const roundMs = 3000;

/** `forWhom`: the pool whose change this is. `evicted` gathers the pods that were told to go, each once. */
export async function emptyNodes(
  ports: PoolPorts,
  pool: PoolView,
  forWhom: string,
  evicted: Map<string, string>,
  options: PoolChangeOptions,
): Promise<StepAnswer> {
  const { cluster, clock } = ports;
  const { signal, say, drainTimeoutMs = defaultTimeoutMs } = options;
  const deadlineMs = clock.nowMs() + drainTimeoutMs;
  for (;;) {
    const state = await look(ports, options);
    const nodes = nodesOf(state, pool.nodeLabel);
    for (const node of nodes.filter(({ isCordoned }) => !isCordoned)) {
      const why = await cordon(cluster, node, forWhom);
      if (why !== null) return problem(`${node.name} cannot be cordoned: ${why}`);
    }
    const pods = mustMove(state, nodes);
    if (pods.length === 0 && nodes.every(({ isCordoned }) => isCordoned)) return { ok: true };
    let waitMs = roundMs;
    const held: string[] = [];
    for (const pod of pods.filter(({ uid, isDeleting }) => !isDeleting && !evicted.has(uid))) {
      if (signal.aborted) break;
      const { namespace, name, uid } = pod;
      const answer = await cluster.evict({ namespace, name, uid }, null);
      if (answer.ok) evicted.set(uid, `${namespace}/${name}`);
      else if (answer.why.kind === 'too-many') {
        held.push(`${namespace}/${name}`);
        waitMs = Math.max(waitMs, Math.min(answer.why.retryAfterMs ?? 0, 30_000));
      } else if (answer.why.kind === 'forbidden' || answer.why.kind === 'invalid') {
        return problem(`${namespace}/${name} cannot be evicted: ${answer.why.message}`);
      }
    }
    if (signal.aborted || clock.nowMs() >= deadlineMs) {
      const budgets = held.length === 0 ? '' : `; a PodDisruptionBudget holds ${held.slice(0, 3).join(', ')}`;
      return problem(`these pods did not go in time: ${namesOf(pods)}${budgets}`);
    }
    if (pods.length > 0) say(`${pods.length} pods are still to go`);
    await clock.sleep(waitMs, signal);
  }
}

/** Only what we cordoned ourselves for this change. */
export async function uncordon(
  { cluster }: PoolPorts,
  nodes: readonly ClusterNode[],
  forWhom: string,
): Promise<StepAnswer> {
  for (const node of nodes.filter(({ annotations }) => annotations[cordonedFor] === forWhom)) {
    const answer = await cluster.patchNode(node.name, {
      cordoned: false,
      annotations: { [cordonedFor]: null },
    });
    if (!answer.ok && answer.why.kind !== 'gone') {
      return problem(`${node.name} stays cordoned: ${answer.why.message}`);
    }
  }
  return { ok: true };
}

async function cordon(
  cluster: PoolPorts['cluster'],
  node: ClusterNode,
  forWhom: string,
): Promise<string | null> {
  const answer = await cluster.patchNode(node.name, {
    cordoned: true,
    annotations: { [cordonedFor]: forWhom },
  });
  if (answer.ok || answer.why.kind === 'gone') return null;
  const mayPass =
    answer.why.kind === 'conflict' || answer.why.kind === 'too-many' || answer.why.kind === 'unreachable';
  return mayPass ? null : answer.why.message;
}

function problem(message: string): StepAnswer {
  return {
    ok: false,
    why: { message, next: 'See what holds it (kubectl get pdb -A; kubectl describe node).' },
  };
}
