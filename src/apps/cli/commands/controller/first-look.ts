/** Whether a controller can do its work at all: better said at its start, and by its exit, than in a log that nobody reads. */
import { readFailure } from '#adapters/kubernetes/answers';
import type { Connection } from '#adapters/kubernetes/connection';
import { MicaError } from '#core/errors';
import type { News } from '#engines/reconcile/news';
import type { Clock } from '#ports/clock';
import type { MigPolicies } from '#ports/mig-policies';

export interface FirstLookOptions {
  readonly connection: Pick<Connection, 'send' | 'shown'>;
  readonly policies: Pick<MigPolicies, 'watch'>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly onNews: (news: News) => void;
}

/** A pod often starts before the network of its node is through. */
const patienceMs = 60_000;
const retryMs = 2_000;
const answerMs = 10_000;

/**
 * Ends quietly where the signal aborts. Throws MicaError where the cluster does not answer for a minute, where nodes or
 * policies may not be read, and where it has no policies.
 */
export async function firstLook(options: FirstLookOptions): Promise<void> {
  const { clock, signal, onNews } = options;
  const deadlineMs = clock.nowMs() + patienceMs;
  const isTold = (): boolean => signal.aborted;
  let said = '';
  while (!isTold()) {
    try {
      await look(options);
      return;
    } catch (error) {
      if (isTold()) return;
      if (!(error instanceof MicaError) || !mayPass(error) || clock.nowMs() >= deadlineMs) throw error;
      if (error.message !== said) onNews({ kind: 'trouble', message: error.message });
      said = error.message;
    }
    await clock.sleep(retryMs, signal);
  }
}

async function look({ connection, policies, signal }: FirstLookOptions): Promise<void> {
  const path = '/api/v1/nodes';
  const asked = { path, query: { limit: '1' }, timeoutMs: answerMs, signal };
  const reply = await connection.send(asked);
  if (reply.status !== 200) throw readFailure(connection.shown, path, reply, mayReadNodes);
  await (await policies.watch(signal)).close();
}

const mayReadNodes =
  'The user must be allowed to list and watch nodes: deploy/kubernetes/controller has a ClusterRole with these rights.';

function mayPass({ code }: MicaError): boolean {
  return code === 'server-unreachable' || code === 'server-failed';
}
