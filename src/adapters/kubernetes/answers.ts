/** What an API server's answers mean: a value, a refusal that the caller can act on, or a failure that stops it. */
import { z } from 'zod';
import { MicaError } from '#core/errors';
import type { ApiAnswer, ApiRefusal } from '#ports/cluster-api';
import type { ApiRequest, Connection, Reply, ReplyHead } from './connection.js';

const status = z.object({
  message: z.string().optional(),
  details: z
    .object({
      retryAfterSeconds: z.number().optional(),
      causes: z.array(z.object({ message: z.string().optional(), reason: z.string().optional() })).optional(),
    })
    .nullish(),
});

/** The server's own words, in a sentence or two. */
export function wordsOf(body: string): string {
  const said = statusOf(body);
  if (said === undefined) return '';
  const causes = (said.details?.causes ?? []).flatMap(({ message }) => message ?? []);
  const more = causes.filter((cause) => said.message?.includes(cause) !== true).slice(0, 3);
  return [said.message ?? '', ...more]
    .filter((text) => text !== '')
    .join(' ')
    .slice(0, 1000);
}

function statusOf(body: string): z.infer<typeof status> | undefined {
  try {
    return status.safeParse(JSON.parse(body)).data;
  } catch {
    return undefined;
  }
}

export function refusalOf(shown: string, what: string, reply: Reply): ApiRefusal {
  const words = wordsOf(reply.body);
  const { retryAfterSeconds: seconds, causes = [] } = statusOf(reply.body)?.details ?? {};
  const isOwned = causes.some(({ reason }) => reason === 'FieldManagerConflict');
  const message = `${shown}: ${what}: ${reply.status}${words === '' ? '' : `, ${words}`}`;
  const retryAfterMs = reply.retryAfterMs ?? (seconds === undefined ? null : seconds * 1000);
  return { kind: kindOf(reply, isOwned), message, retryAfterMs };
}

function kindOf({ status: code }: ReplyHead, isOwned: boolean): ApiRefusal['kind'] {
  switch (code) {
    case 401:
    case 403:
      return 'forbidden';
    case 404:
    case 410:
      return 'gone';
    case 409:
      return isOwned ? 'owned' : 'conflict';
    case 429:
      return 'too-many';
    default:
      // 408 is the server's own time-out: it may have been done.
      return code >= 500 || code === 408 ? 'unreachable' : 'invalid';
  }
}

function isDone({ status: code }: ReplyHead): boolean {
  return code >= 200 && code < 300;
}

/** A request whose refusal is an answer, not an error. An aborted one throws. */
export async function ask<T>(
  connection: Connection,
  what: string,
  request: ApiRequest,
  read: (body: string) => T,
): Promise<ApiAnswer<T>> {
  try {
    const reply = await connection.send(request);
    if (isDone(reply)) return { ok: true, value: read(reply.body) };
    return { ok: false, why: refusalOf(connection.shown, what, reply) };
  } catch (error) {
    return { ok: false, why: asRefusal(error) };
  }
}

/** Of a failure to get an answer at all. */
export function asRefusal(error: unknown): ApiRefusal {
  if (!(error instanceof MicaError)) throw error;
  const kind = error.code === 'access-refused' ? 'forbidden' : 'unreachable';
  return { kind, message: error.message, retryAfterMs: null };
}

export function parsedBody<T>(shown: string, schema: z.ZodType<T>, body: string): T {
  try {
    return schema.parse(JSON.parse(body));
  } catch (cause) {
    throw new MicaError('not-the-api', `${shown} answers, but not as a Kubernetes API does.`, { cause });
  }
}

/** Where a list is needed and there is none. `may`: what the user has to be allowed to. */
export function readFailure(shown: string, path: string, reply: Reply, may: string): MicaError {
  const said = wordsOf(reply.body);
  const words = said === '' ? '' : `: ${said}`;
  if (reply.status === 401 || reply.status === 403)
    return new MicaError('access-refused', `${shown} does not show ${path} (${reply.status}${words}).`, {
      next:
        reply.status === 401 ? `${may} Its credentials may have expired: kubectl says the same then.` : may,
    });
  if (reply.status === 404)
    return new MicaError('not-the-api', `${shown} has no ${path} (404${words}).`, {
      next: 'Check the server of the kubeconfig: this is not a Kubernetes API, or one behind another path.',
    });
  return new MicaError('server-failed', `${shown} answers with an error (${reply.status}${words}).`);
}
