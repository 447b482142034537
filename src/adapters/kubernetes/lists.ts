/** Lists of one kind, page by page: tried again where the server is busy, and from the start where it forgot them. */
import { z } from 'zod';
import { MicaError } from '#core/errors';
import type { Clock } from '#ports/clock';
import { parsedBody, readFailure } from './answers.js';
import type { Connection, Reply } from './connection.js';

export interface ListOptions {
  readonly connection: Connection;
  readonly clock: Clock;
  readonly pageSize: number;
  /** What the user has to be allowed to. */
  readonly may: string;
  readonly query?: Readonly<Record<string, string>>;
}

export type Listing =
  { readonly kind: 'listed'; readonly resourceVersion: string } | { readonly kind: 'absent' };

const page = z.object({
  metadata: z.object({ resourceVersion: z.string().default(''), continue: z.string().nullish() }),
  items: z.array(z.unknown()).nullable(),
});

/** Between tries of one page. */
const waitsMs = [250, 1000, 3000];
const mostRestarts = 3;

/**
 * `take` gets each object; `restart` is called before the first one, and again where the list begins anew: what was taken
 * is to be forgotten. `absent`: the server has no such resource.
 */
export async function listAll(
  path: string,
  { connection, clock, pageSize, may, query = {} }: ListOptions,
  { restart, take }: { readonly restart: () => void; readonly take: (raw: unknown) => void },
  signal: AbortSignal,
): Promise<Listing> {
  for (let restarts = 0; ; restarts += 1) {
    restart();
    let next: string | undefined;
    for (;;) {
      const asked = { ...query, limit: String(pageSize), ...(next === undefined ? {} : { continue: next }) };
      const reply = await patiently(() => connection.send({ path, query: asked, signal }), clock, signal);
      if (reply.status === 404) return { kind: 'absent' };
      if (reply.status === 410 && restarts < mostRestarts) break;
      if (reply.status !== 200) throw readFailure(connection.shown, path, reply, may);
      const { metadata, items } = parsedBody(connection.shown, page, reply.body);
      for (const item of items ?? []) readOrFail(connection.shown, () => take(item));
      const more = metadata.continue ?? '';
      if (more === '') return { kind: 'listed', resourceVersion: metadata.resourceVersion };
      if (more === next)
        throw new MicaError(
          'not-the-api',
          `${connection.shown} gives the same page of ${path} again and again.`,
        );
      next = more;
    }
  }
}

/** An object that lacks what every object has is the server's mistake, not ours. */
export function readOrFail<T>(shown: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof MicaError) throw cause;
    throw new MicaError('not-the-api', `${shown} answers, but not as a Kubernetes API does.`, { cause });
  }
}

/** Reading may be repeated: after a lost connection, 429 and 5xx. */
async function patiently(once: () => Promise<Reply>, clock: Clock, signal: AbortSignal): Promise<Reply> {
  for (let attempt = 0; ; attempt += 1) {
    const waitMs = waitsMs[attempt];
    let askedMs: number | null = null;
    try {
      const reply = await once();
      if (waitMs === undefined || !(reply.status === 429 || reply.status >= 500)) return reply;
      askedMs = reply.retryAfterMs;
    } catch (error) {
      const isLost = error instanceof MicaError && isBroken(error);
      if (waitMs === undefined || !isLost) throw error;
    }
    await clock.sleep(Math.min(askedMs ?? waitMs, 30_000), signal);
    signal.throwIfAborted();
  }
}

/** A connection that ended in the middle; one that was never there is no better a second later. */
function isBroken({ code, message }: MicaError): boolean {
  return code === 'server-unreachable' && /ECONNRESET|EPIPE|UND_ERR_SOCKET|ECONNABORTED/.test(message);
}
