/** Looks at the cluster that do not give up at the first silence: a change is on its way. */
import { MicaError } from '#core/errors';
import type { ClusterNode, ClusterPod, ClusterState } from '#core/cluster/objects';
import type { ApiAnswer } from '#ports/cluster-api';
import type { PoolView } from '#ports/node-pools';
import { movable } from './movable.js';
import type { PoolChangeOptions, PoolPorts, StepAnswer } from './ports.js';

/** As long as a control plane of one machine may be away for an upgrade. */
const patienceMs = 5 * 60_000;
const longestWaitMs = 15_000;

type Asking = Pick<PoolChangeOptions, 'signal'>;

/** Before anything is touched: whoever asks hears at once that nobody answers. */
export async function look({ cluster, clock }: PoolPorts, { signal }: Asking): Promise<ClusterState> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await cluster.read(signal);
    } catch (error) {
      if (!(error instanceof MicaError) || attempt === 3 || signal.aborted) throw error;
      await clock.sleep(1000 * 2 ** attempt, signal);
    }
  }
}

/** What may be answered otherwise in a moment is asked again, for minutes. */
export async function patiently<T>(
  { clock }: PoolPorts,
  { signal }: Asking,
  ask: () => Promise<ApiAnswer<T>>,
): Promise<ApiAnswer<T>> {
  const deadlineMs = clock.nowMs() + patienceMs;
  for (let attempt = 0; ; attempt += 1) {
    const answer = await ask();
    if (answer.ok || signal.aborted || clock.nowMs() >= deadlineMs) return answer;
    const { kind, retryAfterMs } = answer.why;
    if (kind !== 'unreachable' && kind !== 'too-many' && kind !== 'conflict') return answer;
    await clock.sleep(Math.min(longestWaitMs, Math.max(retryAfterMs ?? 0, 1000 * 2 ** attempt)), signal);
  }
}

export function nodesIn(
  ports: PoolPorts,
  pool: Pick<PoolView, 'nodeLabel'>,
  asking: Asking,
): Promise<ApiAnswer<readonly ClusterNode[]>> {
  return patiently(ports, asking, () => ports.cluster.nodes(pool.nodeLabel));
}

/** All that must leave these nodes, with GPUs or without. */
export async function podsToMove(
  ports: PoolPorts,
  nodes: readonly ClusterNode[],
  asking: Asking,
): Promise<ApiAnswer<readonly ClusterPod[]>> {
  const all: ClusterPod[] = [];
  for (const { name } of nodes) {
    const found = await patiently(ports, asking, () => ports.cluster.podsOn(name));
    if (!found.ok) return found;
    all.push(...found.value.filter(movable));
  }
  return { ok: true, value: all };
}

/** What a step throws is a reason like others: what was begun must be brought to an end. */
export async function asAnswer(step: () => Promise<StepAnswer>): Promise<StepAnswer> {
  try {
    return await step();
  } catch (error) {
    if (error instanceof MicaError) return { ok: false, why: { message: error.message, next: error.next } };
    throw error;
  }
}
