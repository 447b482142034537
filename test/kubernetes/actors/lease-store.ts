/** One lease in memory, and what each of several processes that want it has seen of it. */
import type { Clock } from '#ports/clock';
import type { LeaderLease } from '#ports/leader-lease';

export class LeaseStore {
  holder = '';
  /** Whom the server does not answer. */
  readonly cutOff = new Set<string>();
  readonly #holdsMs: number;
  #version = 0;

  constructor(holdsMs = 15_000) {
    this.#holdsMs = holdsMs;
  }

  /** As the adapter does it: whoever sees nothing change for as long as the lease holds takes it. */
  leaseOf(name: string, clock: Clock): LeaderLease {
    let seen = { version: -1, atMs: 0 };
    return {
      hold: async () => {
        if (this.cutOff.has(name)) {
          const why = { kind: 'unreachable', message: 'no answer', retryAfterMs: null } as const;
          return { kind: 'failed', why };
        }
        if (seen.version !== this.#version) seen = { version: this.#version, atMs: clock.nowMs() };
        const isOver = this.holder === '' || clock.nowMs() >= seen.atMs + this.#holdsMs;
        if (this.holder !== name && !isOver) return { kind: 'other', holder: this.holder };
        this.holder = name;
        this.#version += 1;
        return { kind: 'held', untilMs: clock.nowMs() + this.#holdsMs };
      },
      release: async () => {
        if (this.holder !== name) return;
        this.holder = '';
        this.#version += 1;
      },
    };
  }
}
