/** One process that runs the controller: it can be killed at any call, and its calls fail as the test says. */
import { runController } from '#engines/reconcile/controller';
import type { News } from '#engines/reconcile/news';
import type { ControllerOptions } from '#engines/reconcile/options';
import type { ReconcilePorts } from '#engines/reconcile/ports';
import type { ApiRefusal } from '#ports/cluster-api';
import type { Clock } from '#ports/clock';

export interface Server {
  readonly clock: Clock;
  /** On the way there, and again on the way back. */
  readonly latencyMs: number;
  /** Counts the call, and says what it meets. */
  readonly meets: (call: string) => ApiRefusal['kind'] | 'lost' | null;
  /** A call is about to be done. */
  readonly doing: (who: string, call: string, args: readonly unknown[]) => void;
}

/** At a call of its own: killed before it or when it was done, or told to end while it is on its way. */
export interface Death {
  readonly at: number;
  readonly how: 'before' | 'after' | 'told';
}

export class ControllerProcess {
  readonly name: string;
  readonly news: News[] = [];
  readonly done: Promise<void>;
  calls = 0;
  isDead = false;
  hasEnded = false;
  toldMs = Infinity;
  endedMs = Infinity;
  readonly #stop = new AbortController();
  readonly #death: Death | null;
  readonly #server: Server;

  constructor(
    name: string,
    server: Server,
    ports: ReconcilePorts,
    options: Omit<ControllerOptions, 'onNews' | 'signal'>,
    death: Death | null = null,
  ) {
    this.name = name;
    this.#server = server;
    this.#death = death;
    const clock: Clock = {
      nowMs: () => server.clock.nowMs(),
      sleep: (ms, signal) => this.#alive(server.clock.sleep(ms, signal)),
    };
    const mortal: ReconcilePorts = {
      ...ports,
      clock,
      api: this.#mortal(ports.api, 'api', false),
      cluster: this.#mortal(ports.cluster, 'cluster', true),
      policies: this.#mortal(ports.policies, 'policies', true),
      lease: this.#mortal(ports.lease, 'lease', true),
      holders: (...args) => this.#call('holders', 'holders', false, args, () => ports.holders(...args)),
    };
    const onNews = (news: News): void => {
      if (!this.isDead) this.news.push(news);
    };
    this.done = runController(mortal, { ...options, onNews, signal: this.#stop.signal }).then(() => {
      this.hasEnded = true;
      this.endedMs = server.clock.nowMs();
    });
  }

  /** Asked to end, as by a SIGTERM. */
  stop(): Promise<void> {
    this.toldMs = Math.min(this.toldMs, this.#server.clock.nowMs());
    this.#stop.abort();
    return this.done;
  }

  kill(): void {
    this.isDead = true;
  }

  count(kind: News['kind']): number {
    return this.news.filter((one) => one.kind === kind).length;
  }

  /** What a dead process waits for never comes. */
  async #alive<T>(coming: Promise<T>): Promise<T> {
    const value = await coming;
    return this.isDead ? never() : value;
  }

  #mortal<T extends object>(target: T, of: string, mayMeet: boolean): T {
    return new Proxy(target, {
      get: (there, key) => {
        const act = Reflect.get(there, key) as ((...args: unknown[]) => Promise<unknown>) | undefined;
        if (typeof act !== 'function') return act;
        return (...args: unknown[]) =>
          this.#call(of, String(key), mayMeet, args, () => act.apply(there, args));
      },
    });
  }

  async #call<T>(
    of: string,
    method: string,
    mayMeet: boolean,
    args: readonly unknown[],
    act: () => Promise<T>,
  ): Promise<T> {
    const { clock, latencyMs } = this.#server;
    this.calls += 1;
    const at = this.calls;
    const how = this.#death?.at === at ? this.#death.how : null;
    if (how === 'told') void this.stop();
    if (this.isDead || how === 'before') return this.#die();
    if (latencyMs > 0) await this.#alive(clock.sleep(latencyMs));
    this.#server.doing(this.name, `${of}.${method}`, args);
    const meets = mayMeet ? this.#server.meets(`${of}.${method}`) : null;
    const answer = meets === null || meets === 'lost' ? await act() : (undefined as T);
    if (how === 'after') return this.#die();
    if (latencyMs > 0) await this.#alive(clock.sleep(latencyMs));
    if (meets !== null) return failing(method, meets) as T;
    return this.#alive(Promise.resolve(answer));
  }

  #die<T>(): Promise<T> {
    this.isDead = true;
    return never();
  }
}

/** As the port says that it fails. */
function failing(method: string, kind: ApiRefusal['kind'] | 'lost'): unknown {
  const why: ApiRefusal = {
    kind: kind === 'lost' ? 'unreachable' : kind,
    message: `the server says ${kind}`,
    retryAfterMs: null,
  };
  switch (method) {
    case 'writeStatus':
      return { ok: false, why };
    case 'hold':
      return { kind: 'failed', why };
    default:
      throw new Error(why.message);
  }
}

function never<T>(): Promise<T> {
  return new Promise<T>(() => undefined);
}
