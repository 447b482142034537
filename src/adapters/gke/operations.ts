/** Operations of the Container API: polled until they end. What went wrong is in `error`, or only in `statusMessage`. */
import { z } from 'zod';
import { clusterPath, type GkeCluster } from '#core/clouds/gke/node-pool';
import type { CallOptions, CloudAnswer } from '#ports/node-pools';
import { backOffMs, ofText, type GkeClient } from './client.js';

const operation = z.looseObject({
  name: z.string(),
  status: z.enum(['STATUS_UNSPECIFIED', 'PENDING', 'RUNNING', 'DONE', 'ABORTING']).optional(),
  error: z.object({ code: z.int().optional(), message: z.string().optional() }).optional(),
  statusMessage: z.string().optional(),
  detail: z.string().optional(),
});

/** `began`: what the request was answered with. Interrupted, the operation goes on in the cloud. */
export async function operationEnd(
  client: GkeClient,
  place: GkeCluster,
  began: unknown,
  timeoutMs: number,
  { signal, say }: CallOptions,
): Promise<CloudAnswer<null>> {
  const deadlineMs = client.clock.nowMs() + timeoutMs;
  let seen = operation.safeParse(began);
  for (let attempt = 1; ; attempt += 1) {
    if (!seen.success) {
      const message = 'the Container API answers with something that is no operation';
      return { ok: false, why: { kind: 'failed', message, next: 'Check the address of the endpoint.' } };
    }
    const { name, status, error, statusMessage } = seen.data;
    if (status === 'DONE') return ended(error, statusMessage);
    const why = { kind: 'timed-out', next: `See \`gcloud container operations describe ${name}\`.` } as const;
    if (signal.aborted) return { ok: false, why: { ...why, message: `interrupted while ${name} goes on` } };
    if (client.clock.nowMs() >= deadlineMs) {
      const message = `operation ${name} is ${status ?? 'unknown'} after ${timeoutMs / 60_000} min`;
      return { ok: false, why: { ...why, message } };
    }
    say(`operation ${name} is ${(status ?? 'unknown').toLowerCase()}`);
    await client.clock.sleep(backOffMs(attempt), signal);
    // The project here: an operation belongs to the place, not to the cluster.
    const parent = clusterPath(place).replace(/\/clusters\/.*$/, '');
    const looked = await client.look(`v1/${parent}/operations/${encodeURIComponent(name)}`);
    if (!looked.ok) return looked;
    seen = operation.safeParse(looked.value);
  }
}

function ended(
  error: { readonly code?: number | undefined; readonly message?: string | undefined } | undefined,
  statusMessage: string | undefined,
): CloudAnswer<null> {
  const failed = error !== undefined && (error.code ?? 0) !== 0;
  const said = (failed ? error.message : undefined) ?? statusMessage ?? '';
  if (!failed && said === '') return { ok: true, value: null };
  const { kind, next } = ofText(said);
  const message = said === '' ? `the operation failed with code ${error?.code ?? 0}` : said;
  return { ok: false, why: { kind: kind === 'invalid' ? 'failed' : kind, message, next } };
}
