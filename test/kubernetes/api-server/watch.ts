/** Watches: from a version on, through selectors, with bookmarks; an event is serialised once for all that see it alike. */
import type { ServerResponse } from 'node:http';
import type { Json } from './json.js';
import type { Matcher } from './selectors.js';
import { ApiError } from './status.js';
import type { Change, Store, Stored } from './store.js';

export interface WatchRequest {
  readonly where: string;
  readonly namespace: string;
  readonly match: Matcher | undefined;
  readonly from: number;
  /** Nothing was asked: the objects that are there come first. */
  readonly withObjects: boolean;
  /** The client wants to be told when those objects are all sent. */
  readonly initialBookmark: boolean;
  readonly bookmarks: boolean;
  readonly timeoutMs: number;
  /** How a JSON object is written on a line, under a name that equal forms share. */
  readonly form: { readonly name: string; readonly write: (object: Json, json: () => string) => string };
  readonly kind: { readonly apiVersion: string; readonly kind: string };
  /** Cuts the watch after so many events, or ends it as expired. */
  readonly cut: { readonly after: number; readonly gone: boolean } | undefined;
}

type EventType = 'ADDED' | 'MODIFIED' | 'DELETED';

/** A client that reads this much too slowly is let go, as the real one does. */
const backlogBytes = 256 * 1024 * 1024;

const lastBookmarkMs = 2_000;

export class Watches {
  private readonly store: Store;
  private readonly open = new Set<OpenWatch>();
  private readonly timer: NodeJS.Timeout;

  constructor(store: Store, bookmarkEveryMs: number) {
    this.store = store;
    this.timer = setInterval(() => {
      for (const watch of this.open) watch.bookmark();
    }, bookmarkEveryMs).unref();
  }

  get count(): number {
    return this.open.size;
  }

  start(request: WatchRequest, response: ServerResponse): void {
    response.writeHead(200, { 'Content-Type': 'application/json', 'Cache-Control': 'no-cache, private' });
    response.flushHeaders();
    const watch = new OpenWatch(this.store, request, response, () => this.open.delete(watch));
    this.open.add(watch);
    watch.begin();
  }

  /** Connections go, as when a load balancer or the server itself restarts. */
  cut(): void {
    for (const watch of this.open) watch.destroy();
  }

  /** All watches are told that they are too old. */
  expire(): void {
    for (const watch of this.open) watch.fail(tooOld(1, this.store.version));
  }

  close(): void {
    clearInterval(this.timer);
    this.cut();
  }
}

const tooOld = (asked: number, oldest: number): ApiError =>
  new ApiError(410, 'Expired', `too old resource version: ${asked} (${oldest})`);

class OpenWatch {
  private readonly store: Store;
  private readonly request: WatchRequest;
  private readonly response: ServerResponse;
  private readonly listener = (change: Change): void => this.see(change);
  private sent = 0;
  private deadline: NodeJS.Timeout | undefined;
  private last: NodeJS.Timeout | undefined;
  private readonly onEnd: () => void;

  constructor(store: Store, request: WatchRequest, response: ServerResponse, onEnd: () => void) {
    this.store = store;
    this.request = request;
    this.response = response;
    this.onEnd = onEnd;
    response.on('close', () => this.stop());
  }

  begin(): void {
    const { where, from, withObjects, initialBookmark, timeoutMs, namespace } = this.request;
    this.deadline = setTimeout(() => this.end(), timeoutMs).unref();
    // A last one comes this long before the end, if there is so much time at all.
    if (timeoutMs > lastBookmarkMs)
      this.last = setTimeout(() => this.bookmark(), timeoutMs - lastBookmarkMs).unref();
    if (!withObjects && from < this.store.compacted) {
      this.fail(tooOld(from, this.store.compacted));
      return;
    }
    if (withObjects) {
      const prefix = namespace === '' ? '' : `${namespace}/`;
      for (const stored of this.store.snapshot(where, prefix, this.store.version, '')) {
        if (this.wants(stored)) this.write(this.line('ADDED', stored));
      }
      if (initialBookmark) this.bookmark(true);
    } else {
      for (const change of this.store.since(where, from)) this.see(change);
    }
    this.store.of(where).watchers.add(this.listener);
  }

  private wants(stored: Stored | undefined): boolean {
    if (stored === undefined) return false;
    const { namespace, match } = this.request;
    if (namespace !== '' && !stored.key.startsWith(`${namespace}/`)) return false;
    return match === undefined || match(stored.object);
  }

  private see(change: Change): void {
    const was = this.wants(change.before);
    const is = this.wants(change.now);
    if (!was && !is) return;
    const type: EventType = is ? (was ? 'MODIFIED' : 'ADDED') : 'DELETED';
    // An object that a selector lost is sent as it was, with the version of the change.
    const stored = is || change.now === undefined ? change.last : undefined;
    const name = `${type} ${this.request.form.name} ${stored === undefined ? 'left' : ''}`;
    let line = change.lines.get(name);
    if (line === undefined) {
      change.lines.set(name, (line = this.line(type, stored ?? leaving(change))));
    }
    this.write(line);
  }

  private line(type: EventType, stored: Pick<Stored, 'object' | 'json'>): Buffer {
    const object = this.request.form.write(stored.object, () => stored.json);
    return Buffer.from(`{"type":"${type}","object":${object}}\n`);
  }

  private write(line: Buffer): void {
    if (this.response.destroyed || this.response.writableEnded) return;
    const { cut } = this.request;
    if (cut !== undefined && this.sent >= cut.after) {
      if (cut.gone) this.fail(tooOld(1, this.store.version));
      else this.destroy();
      return;
    }
    this.sent += 1;
    this.response.write(line);
    if (this.response.writableLength > backlogBytes) this.destroy();
  }

  bookmark(isInitial = false): void {
    const { bookmarks, kind } = this.request;
    if (!bookmarks || this.response.destroyed || this.response.writableEnded) return;
    const annotations = isInitial ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {};
    const metadata = { resourceVersion: String(this.store.version), creationTimestamp: null, ...annotations };
    this.response.write(`${JSON.stringify({ type: 'BOOKMARK', object: { ...kind, metadata } })}\n`);
  }

  fail(error: ApiError): void {
    if (this.response.destroyed || this.response.writableEnded) return;
    this.response.write(`${JSON.stringify({ type: 'ERROR', object: error.status })}\n`);
    this.end();
  }

  private end(): void {
    this.stop();
    this.response.end();
  }

  destroy(): void {
    this.stop();
    this.response.destroy();
  }

  private stop(): void {
    clearTimeout(this.deadline);
    clearTimeout(this.last);
    this.store.of(this.request.where).watchers.delete(this.listener);
    this.onEnd();
  }
}

function leaving(change: Change): Pick<Stored, 'object' | 'json'> {
  const before: Json = change.before?.object;
  const object = { ...before, metadata: { ...before.metadata, resourceVersion: String(change.version) } };
  return { object, json: JSON.stringify(object) };
}
