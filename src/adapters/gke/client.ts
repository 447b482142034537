/** HTTP with the Container API v1: credentials, and questions asked again where that can do no harm. */
import { Agent, request as send } from 'undici';
import { z } from 'zod';
import type { CloudAnswer, CloudRefusal } from '#ports/node-pools';
import type { Clock } from '#ports/clock';

export interface GkeAccess {
  /** Left out: Google's. */
  readonly endpoint?: string;
  /** Headers with credentials; left out: none are sent. */
  readonly authorize?: () => Promise<Readonly<Record<string, string>>>;
  readonly clock: Clock;
}

export interface GkeReply {
  readonly status: number;
  readonly body: unknown;
  readonly retryAfterMs: number | null;
  readonly message: string;
}

export interface GkeClient {
  /** Once. `null`: no answer; whether it was done is not known. */
  readonly call: (method: string, path: string, body?: object | null) => Promise<GkeReply | null>;
  /** Asked again while the server is busy or silent. 404 is an answer: `null`. */
  readonly look: (path: string) => Promise<CloudAnswer<unknown>>;
  readonly clock: Clock;
  readonly close: () => Promise<void>;
}

const looks = 6;
/** Whatever the server asks for. */
const longestWaitMs = 60_000;
const timeoutMs = 60_000;
const mostBytes = 16 * 1024 * 1024;
const failure = z.object({
  error: z.object({ message: z.string().optional(), status: z.string().optional() }),
});

export function gkeClient({ endpoint, authorize, clock }: GkeAccess): GkeClient {
  const origin = (endpoint ?? 'https://container.googleapis.com/').replace(/\/*$/, '/');
  const dispatcher = new Agent({
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
    maxResponseSize: mostBytes,
  });
  const call: GkeClient['call'] = async (method, path, body = null) => {
    const headers = {
      accept: 'application/json',
      ...(body !== null && { 'content-type': 'application/json' }),
      ...(await authorize?.()),
    };
    try {
      const reply = await send(`${origin}${path}`, {
        method: method as 'GET',
        headers,
        dispatcher,
        ...(body !== null && { body: JSON.stringify(body) }),
      });
      const text = await reply.body.text();
      const after = Number(reply.headers['retry-after']);
      const said = parsed(text);
      const message = failure.safeParse(said).data?.error.message ?? text.replace(/\s+/g, ' ').slice(0, 300);
      const retryAfterMs =
        Number.isFinite(after) && after >= 0 ? Math.min(after * 1000, longestWaitMs) : null;
      return { status: reply.statusCode, body: said, message, retryAfterMs };
    } catch {
      return null;
    }
  };
  const look: GkeClient['look'] = async (path) => {
    for (let attempt = 1; ; attempt += 1) {
      const reply = await call('GET', path);
      if (reply?.status === 200 && reply.body !== undefined) return { ok: true, value: reply.body };
      if (reply?.status === 404) return { ok: true, value: null };
      if (!isPassing(reply) || attempt === looks) return { ok: false, why: refusalOf(reply, origin) };
      await clock.sleep(reply?.retryAfterMs ?? backOffMs(attempt));
    }
  };
  return { call, look, clock, close: () => dispatcher.close() };
}

/** Another time the same may be taken. */
export function isPassing(reply: GkeReply | null): boolean {
  return reply === null || reply.status === 429 || reply.status >= 500;
}

export function backOffMs(attempt: number): number {
  return Math.min(1000 * 1.6 ** (attempt - 1), 15_000);
}

export function refusalOf(reply: GkeReply | null, origin = 'the Container API'): CloudRefusal {
  if (reply === null) {
    const message = `${origin} does not answer`;
    return {
      kind: 'unreachable',
      message,
      next: 'Check the network, then run this again: it goes on from there.',
    };
  }
  const message = `the Container API says ${reply.status}: ${reply.message}`;
  if (reply.status === 401 || reply.status === 403) {
    return {
      kind: 'forbidden',
      message,
      next: 'Give credentials with roles/container.admin on the project.',
    };
  }
  if (reply.status === 404)
    return { kind: 'not-found', message, next: 'Check project, location and cluster.' };
  if (reply.status === 409) {
    return {
      kind: 'busy',
      message,
      next: 'Wait for the other operation (`gcloud container operations list`).',
    };
  }
  if (isPassing(reply))
    return { kind: 'unreachable', message, next: 'Run this again later: it goes on from there.' };
  return { ...ofText(message), message };
}

/** What an operation or a condition says, by the words that the cloud uses. */
export function ofText(text: string): Omit<CloudRefusal, 'message'> {
  if (/quota|RESOURCE_EXHAUSTED(?!.*stock)/i.test(text)) {
    return { kind: 'quota', next: 'Ask for a larger quota in this region, or make the pool smaller.' };
  }
  if (/stock.?out|does not have enough resources|ZONE_RESOURCE_POOL_EXHAUSTED/i.test(text)) {
    return { kind: 'no-stock', next: 'Try another zone or machine type, a reservation, or later.' };
  }
  return { kind: 'invalid', next: 'Mend what the message names; --dry-run shows what is sent.' };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
