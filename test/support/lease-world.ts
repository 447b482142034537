/**
 * Machines with clocks of their own and one lease between them, on simulated time: requests take a while, hang, get lost
 * on the way there or back; machines stand still and their clocks jump. Who works when somebody else does is written down.
 */
import type { Clock } from '#ports/clock';
import type { LeaderLease, LeaseAnswer } from '#ports/leader-lease';

export type LeaseFault = 'none' | 'unreachable' | 'hangs' | 'late' | 'throws';

export interface Machine {
  readonly name: string;
  readonly clock: Clock;
  readonly lease: LeaderLease;
  /** Nothing on it runs for so long; its clock goes on. */
  readonly pause: (ms: number) => void;
  readonly jump: (ms: number) => void;
}

interface Due {
  readonly atMs: number;
  readonly order: number;
  readonly happen: () => void;
}

interface Stored {
  readonly holder: string;
  readonly version: number;
}

/** How long a machine that woke up may go on before it looks at its clock. */
const wakingMs = 700;

export class LeaseWorld {
  nowMs = 0;
  readonly overlaps: string[] = [];
  readonly #holdsMs: number;
  readonly #due: Due[] = [];
  #order = 0;
  #seed: number;
  #stored: Stored = { holder: '', version: 0 };
  readonly #asked = new Map<string, number>();
  readonly #faults = new Map<string, (count: number) => LeaseFault>();
  readonly #held = new Map<string, number>();
  readonly #acts: { readonly name: string; readonly atMs: number }[] = [];
  readonly #lastActs = new Map<string, number>();
  readonly #wokenMs = new Map<string, number>();

  constructor(holdsMs: number, seed = 1) {
    this.#holdsMs = holdsMs;
    this.#seed = seed;
  }

  readonly holder = (): string => this.#stored.holder;
  readonly asked = (name: string): number => this.#asked.get(name) ?? 0;
  readonly heldUntilMs = (name: string): number => this.#held.get(name) ?? -1;
  readonly lastActMs = (name: string): number => this.#lastActs.get(name) ?? -1;
  readonly actsOfLastMs = (ms: number): readonly string[] =>
    this.#acts.filter(({ atMs }) => atMs >= this.nowMs - ms).map(({ name }) => name);

  fault(name: string, faultOf: (count: number) => LeaseFault): void {
    this.#faults.set(name, faultOf);
  }

  give(holder: string): void {
    this.#stored = { holder, version: this.#stored.version + 1 };
  }

  /** Somebody does what only one may do. */
  act(name: string): void {
    const [other] = [...this.#lastActs]
      .filter(([who]) => who !== name)
      .map(([who, atMs]) => ({ name: who, atMs }))
      .sort((a, b) => b.atMs - a.atMs);
    const isWaking = (who: string): boolean => this.nowMs - (this.#wokenMs.get(who) ?? -Infinity) < wakingMs;
    if (other !== undefined && !isWaking(name) && !isWaking(other.name)) {
      // Each acts every tenth of a second: who did so just now has not stopped.
      if (this.nowMs - other.atMs < 110) this.overlaps.push(`${name} at ${this.nowMs}, as ${other.name} did`);
    }
    this.#lastActs.set(name, this.nowMs);
    this.#acts.push({ name, atMs: this.nowMs });
  }

  at(inMs: number, happen: () => void): void {
    this.#due.push({ atMs: this.nowMs + inMs, order: (this.#order += 1), happen });
  }

  async run(ms: number): Promise<void> {
    const endMs = this.nowMs + ms;
    for (;;) {
      await settled();
      const next = this.#due.reduce<Due | undefined>(
        (first, due) =>
          first === undefined || due.atMs < first.atMs || (due.atMs === first.atMs && due.order < first.order)
            ? due
            : first,
        undefined,
      );
      if (next === undefined || next.atMs > endMs) break;
      this.#due.splice(this.#due.indexOf(next), 1);
      this.nowMs = Math.max(this.nowMs, next.atMs);
      next.happen();
    }
    this.nowMs = endMs;
  }

  machine(name: string, skewMs = 0): Machine {
    let aheadMs = skewMs;
    let frozenUntilMs = 0;
    /** On this machine, and so not while it stands still. */
    const later = (inMs: number, happen: () => void): void => {
      this.at(inMs, () => {
        if (this.nowMs < frozenUntilMs) later(frozenUntilMs - this.nowMs, happen);
        else happen();
      });
    };
    const nowMs = (): number => this.nowMs + aheadMs;
    const sleep = (ms: number, signal?: AbortSignal): Promise<void> =>
      new Promise((resolve) => {
        if (signal?.aborted === true) {
          resolve();
          return;
        }
        let isOver = false;
        const wake = (): void => {
          isOver = true;
          signal?.removeEventListener('abort', wake);
          resolve();
        };
        signal?.addEventListener('abort', wake);
        later(Math.max(0, ms), () => {
          if (!isOver) wake();
        });
      });
    const clock: Clock = { nowMs, sleep };
    return {
      ...{ name, clock, lease: this.#leaseOf(name, clock) },
      pause: (ms) => {
        frozenUntilMs = Math.max(frozenUntilMs, this.nowMs + ms);
        this.#wokenMs.set(name, frozenUntilMs);
      },
      jump: (ms) => {
        aheadMs += ms;
        // A jump is noticed at the next look at the clock, and may make a foreign lease look over before it is.
        this.#wokenMs.set(name, Math.max(frozenUntilMs, this.nowMs));
      },
    };
  }

  /** As the adapter does it: read, judge by its own clock since when nothing changed, write if nobody else did. */
  #leaseOf(name: string, clock: Clock): LeaderLease {
    let observed: { readonly version: number; readonly atMs: number } | undefined;
    const failed = (message: string): LeaseAnswer => ({
      kind: 'failed',
      why: { kind: 'unreachable', message, retryAfterMs: null },
    });
    const trip = (fault: LeaseFault): Promise<void> =>
      clock.sleep(fault === 'late' ? 6_000 + this.#chance() * 1_000 : 5 + this.#chance() * 100);
    const hold = async (): Promise<LeaseAnswer> => {
      const count = this.asked(name) + 1;
      this.#asked.set(name, count);
      const fault = this.#faults.get(name)?.(count) ?? 'none';
      if (fault === 'throws') throw new Error('it threw');
      if (fault === 'unreachable') return failed('no answer');
      if (fault === 'hangs') {
        await clock.sleep(this.#holdsMs);
        return failed('no answer in time');
      }
      await trip(fault);
      const read = this.#stored;
      if (observed?.version !== read.version) observed = { version: read.version, atMs: clock.nowMs() };
      const isOver = read.holder === '' || clock.nowMs() >= observed.atMs + this.#holdsMs;
      if (read.holder !== name && !isOver) return { kind: 'other', holder: read.holder };
      const sentMs = clock.nowMs();
      await trip(fault);
      if (this.#stored.version !== read.version) return { kind: 'other', holder: this.#stored.holder };
      this.#stored = { holder: name, version: read.version + 1 };
      this.#held.set(name, this.nowMs + this.#holdsMs);
      await trip(fault);
      return { kind: 'held', untilMs: sentMs + this.#holdsMs };
    };
    return {
      hold,
      release: async () => {
        if (this.#stored.holder === name) this.#stored = { holder: '', version: this.#stored.version + 1 };
      },
    };
  }

  #chance(): number {
    this.#seed = (Math.imul(this.#seed, 1_103_515_245) + 12_345) >>> 0;
    return this.#seed / 2 ** 32;
  }
}

/** Promises go on before the time does. */
async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}
