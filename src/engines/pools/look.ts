/** A look at the cluster that does not give up at the first silence: a change is on its way. */
import { MicaError } from '#core/errors';
import type { ClusterState } from '#core/cluster/objects';
import type { PoolChangeOptions, PoolPorts, StepAnswer } from './ports.js';

const tries = 5;

export async function look(
  { cluster, clock }: PoolPorts,
  { signal }: Pick<PoolChangeOptions, 'signal'>,
): Promise<ClusterState> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await cluster.read(signal);
    } catch (error) {
      if (!(error instanceof MicaError) || attempt === tries || signal.aborted) throw error;
      await clock.sleep(1000 * 2 ** attempt, signal);
    }
  }
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
