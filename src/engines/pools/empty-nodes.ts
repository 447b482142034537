/** Empties the nodes of a pool: no new pods, and those that are there are evicted, as their budgets allow. */
import type { ClusterNode } from '#core/cluster/objects';
import type { PoolView } from '#ports/node-pools';
import { nodesIn, patiently, podsToMove } from './look.js';
import { namesOf } from './movable.js';
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
  const said = new Map<string, string>();
  for (;;) {
    const nodes = await nodesIn(ports, pool, options);
    if (!nodes.ok) return problem(`the nodes of ${pool.name} cannot be looked at: ${nodes.why.message}`);
    let isClosed = true;
    for (const node of nodes.value.filter(({ isCordoned }) => !isCordoned)) {
      const why = await cordon(cluster, node, forWhom);
      if (why !== null && !why.mayPass) return problem(`${node.name} cannot be cordoned: ${why.message}`);
      isClosed &&= why === null;
    }
    const pods = await podsToMove(ports, nodes.value, options);
    if (!pods.ok) return problem(`the pods of ${pool.name} cannot be looked at: ${pods.why.message}`);
    if (pods.value.length === 0 && nodes.value.every(({ isCordoned }) => isCordoned)) return { ok: true };
    let waitMs = roundMs;
    // While a node is open, what is evicted may come up there, and would have to go again.
    const due = isClosed ? pods.value.filter(({ uid, isDeleting }) => !isDeleting && !evicted.has(uid)) : [];
    for (const pod of due) {
      if (signal.aborted) break;
      const { namespace, name, uid, resourceVersion } = pod;
      // Where somebody else told it to go meanwhile, it is not told again.
      const answer = await cluster.evict({ namespace, name, uid, resourceVersion }, null);
      said.delete(uid);
      if (answer.ok) evicted.set(uid, `${namespace}/${name}`);
      else if (answer.why.kind === 'forbidden' || answer.why.kind === 'invalid') {
        return problem(`${namespace}/${name} cannot be evicted: ${answer.why.message}`);
      } else if (answer.why.kind === 'too-many') {
        said.set(uid, `a PodDisruptionBudget holds ${namespace}/${name}`);
        waitMs = Math.max(waitMs, Math.min(answer.why.retryAfterMs ?? 0, 30_000));
      } else if (answer.why.kind === 'unreachable') said.set(uid, answer.why.message);
    }
    if (signal.aborted || clock.nowMs() >= deadlineMs) {
      const why = [...said.values()].slice(0, 3).map((one) => `; ${one}`);
      return problem(`these pods did not go in time: ${namesOf(pods.value)}${why.join('')}`);
    }
    if (pods.value.length > 0) say(`${pods.value.length} pods are still to go`);
    await clock.sleep(waitMs, signal);
  }
}

/** Only what we cordoned ourselves for this change. */
export async function uncordon(
  ports: PoolPorts,
  nodes: readonly ClusterNode[],
  forWhom: string,
  options: PoolChangeOptions,
): Promise<StepAnswer> {
  const edit = { cordoned: false, annotations: { [cordonedFor]: null } };
  const failed: string[] = [];
  for (const { name } of nodes.filter(({ annotations }) => annotations[cordonedFor] === forWhom)) {
    const answer = await patiently(ports, options, () => ports.cluster.patchNode(name, edit));
    if (!answer.ok && answer.why.kind !== 'gone')
      failed.push(`${name} stays cordoned: ${answer.why.message}`);
  }
  return failed.length === 0 ? { ok: true } : problem(failed.slice(0, 4).join('; '));
}

/** Only as it was seen: a cordon that somebody else was faster with is not ours to take away. */
async function cordon(
  cluster: PoolPorts['cluster'],
  { name, resourceVersion }: ClusterNode,
  forWhom: string,
): Promise<{ readonly message: string; readonly mayPass: boolean } | null> {
  const edit = { cordoned: true, annotations: { [cordonedFor]: forWhom } };
  const answer = await cluster.patchNode(name, edit, resourceVersion);
  if (answer.ok || answer.why.kind === 'gone') return null;
  const mayPass =
    answer.why.kind === 'conflict' || answer.why.kind === 'too-many' || answer.why.kind === 'unreachable';
  return { message: answer.why.message, mayPass };
}

function problem(message: string): StepAnswer {
  return {
    ok: false,
    why: { message, next: 'See what holds it (kubectl get pdb -A; kubectl describe node).' },
  };
}
