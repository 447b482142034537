/**
 * One kind of object, kept up to date: listed, then watched from the version of the list; resumed where it broke, listed
 * again where the server does not remember so far back.
 */
import { z } from 'zod';
import { MicaError } from '#core/errors';
import type { ApiRefusal } from '#ports/cluster-api';
import type { Clock } from '#ports/clock';
import { asRefusal, refusalOf, wordsOf } from './answers.js';
import type { Connection } from './connection.js';
import { listAll, readOrFail, type Listing, type ListOptions } from './lists.js';
import { linesOf } from './watch-lines.js';

/** What is kept of an object; `null`: nothing, it does not concern us. */
export interface Kept<T> {
  readonly key: string;
  readonly value: T | null;
}

export interface Kind<T> {
  readonly path: string;
  /** What the user has to be allowed to. */
  readonly may: string;
  /** Throws where it is no such object. */
  readonly read: (raw: unknown) => Kept<T>;
  /** Everything that there is now. */
  readonly replace: (all: ReadonlyMap<string, T>) => void;
  readonly put: (key: string, value: T) => void;
  readonly remove: (key: string) => void;
}

export interface InformerOptions {
  readonly connection: Connection;
  readonly clock: Clock;
  readonly pageSize: number;
  /** The server ends a watch after so long; its silence for longer is a connection that died. */
  readonly watchSeconds: number;
  /** From 0 to 1. */
  readonly random: () => number;
  /** What keeps it from being up to date; `null`: nothing any more. */
  readonly onTrouble: (trouble: ApiRefusal | null) => void;
}

export interface Informer {
  /** The first list. Throws MicaError; `absent`: the server has no such resource. */
  readonly start: (signal: AbortSignal) => Promise<Listing['kind']>;
  /** Until the signal aborts. Never throws. */
  readonly run: (signal: AbortSignal) => Promise<void>;
}

const eventShape = z.object({ type: z.string(), object: z.unknown() });
const bookmarkShape = z.object({ metadata: z.object({ resourceVersion: z.string() }) });
const statusShape = z.object({ code: z.number().default(0), message: z.string().default('') });

/** The version is no longer known to the server: list again. */
class Expired extends Error {}

/** The watch did not go well; it goes on from where it was. */
class Troubled extends Error {
  readonly why: ApiRefusal;
  constructor(why: ApiRefusal) {
    super(why.message);
    this.why = why;
  }
}

const firstWaitMs = 250;
const longestWaitMs = 30_000;
/** A watch that ends sooner, with nothing seen, is not asked for again at once. */
const shortWatchMs = 1000;
const silenceMs = 20_000;

export function informer<T>(kind: Kind<T>, options: InformerOptions): Informer {
  const { connection, clock, watchSeconds, random, onTrouble } = options;
  const listing: ListOptions = { ...options, may: kind.may };
  /** Undefined: what is known is too old to go on from. */
  let version: string | undefined;
  let failures = 0;

  const list = async (signal: AbortSignal): Promise<Listing['kind']> => {
    let found = new Map<string, T>();
    const restart = (): void => void (found = new Map());
    const take = (raw: unknown): void => {
      const { key, value } = kind.read(raw);
      if (value !== null) found.set(key, value);
    };
    const listed = await listAll(kind.path, listing, { restart, take }, signal);
    if (listed.kind === 'listed') {
      kind.replace(found);
      version = listed.resourceVersion;
    }
    return listed.kind;
  };

  const wentWell = (): void => {
    failures = 0;
    onTrouble(null);
  };

  const see = (line: string): void => {
    const { type, object } = readOrFail(connection.shown, () => eventShape.parse(JSON.parse(line)));
    const newVersion = (): string =>
      readOrFail(connection.shown, () => bookmarkShape.parse(object)).metadata.resourceVersion;
    switch (type) {
      case 'BOOKMARK':
        version = newVersion();
        return;
      case 'ADDED':
      case 'MODIFIED': {
        const { key, value } = readOrFail(connection.shown, () => kind.read(object));
        if (value === null) kind.remove(key);
        else kind.put(key, value);
        version = newVersion();
        return;
      }
      case 'DELETED':
        kind.remove(readOrFail(connection.shown, () => kind.read(object)).key);
        version = newVersion();
        return;
      case 'ERROR': {
        const { code, message } = statusShape.parse(object ?? {});
        if (code === 410) throw new Expired();
        const words = `${connection.shown}: the watch of ${kind.path} ended: ${message} (${code})`;
        throw new Troubled({ kind: 'unreachable', message: words, retryAfterMs: null });
      }
      default:
        throw new MicaError(
          'not-the-api',
          `${connection.shown}: a watch has no event ${JSON.stringify(type)}.`,
        );
    }
  };

  /** Until it ends or breaks; answers whether anything came. */
  const watchOnce = async (signal: AbortSignal): Promise<boolean> => {
    const seconds = Math.round(watchSeconds * (1 + random() / 2));
    const query = {
      watch: 'true',
      resourceVersion: version ?? '',
      allowWatchBookmarks: 'true',
      timeoutSeconds: String(seconds),
    };
    const timeoutMs = seconds * 1000 + silenceMs;
    const { status, retryAfterMs, stream } = await connection.stream({
      path: kind.path,
      query,
      signal,
      timeoutMs,
    });
    if (status !== 200) {
      let body = '';
      for await (const chunk of stream) if (body.length < 65_536) body += Buffer.from(chunk).toString('utf8');
      if (status === 410) throw new Expired();
      const why = refusalOf(connection.shown, `watching ${kind.path}`, { status, retryAfterMs, body });
      throw new Troubled({ ...why, message: why.message || wordsOf(body) });
    }
    onTrouble(null);
    let isAny = false;
    try {
      for await (const line of linesOf(stream, connection.shown)) {
        see(line);
        if (!isAny) wentWell();
        isAny = true;
      }
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof Expired || error instanceof Troubled || error instanceof MicaError) throw error;
      // Cut in the middle: what came until then counts, and the rest is asked for from there.
    }
    return isAny;
  };

  const backOff = async (signal: AbortSignal, askedMs: number | null): Promise<void> => {
    const waitMs = Math.min(firstWaitMs * 2 ** failures, longestWaitMs);
    failures += 1;
    await clock.sleep(Math.max(askedMs ?? 0, waitMs * (0.5 + random() / 2)), signal);
  };

  return {
    start: list,
    run: async (signal) => {
      const isOver = (): boolean => signal.aborted;
      while (!isOver()) {
        const begun = clock.nowMs();
        try {
          if (version === undefined) {
            const listed = await list(signal);
            // A resource that was there, as of DRA, was switched off.
            if (listed === 'absent') kind.replace(new Map());
            if (listed === 'absent') await clock.sleep(longestWaitMs, signal);
            else wentWell();
            continue;
          }
          const isAny = await watchOnce(signal);
          if (!isAny && clock.nowMs() - begun < shortWatchMs) await backOff(signal, null);
        } catch (error) {
          if (isOver()) return;
          if (error instanceof Expired) {
            version = undefined;
            continue;
          }
          const why = error instanceof Troubled ? error.why : asTrouble(error);
          // What cannot be read may have been a change: only a list says what is true.
          if (error instanceof MicaError && error.code === 'not-the-api') version = undefined;
          if (why.kind === 'gone') version = undefined;
          onTrouble(why);
          await backOff(signal, why.retryAfterMs);
        }
      }
    },
  };
}

function asTrouble(error: unknown): ApiRefusal {
  if (error instanceof MicaError) return asRefusal(error);
  const message = error instanceof Error ? error.message : String(error);
  return { kind: 'unreachable', message, retryAfterMs: null };
}
