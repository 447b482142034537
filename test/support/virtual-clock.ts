/** A clock on which time passes only while everybody sleeps: a minute of waiting takes no time. */
import type { Clock } from '#ports/clock';

export class VirtualClock implements Clock {
  #nowMs: number;
  readonly #timers: { readonly atMs: number; readonly wake: () => void }[] = [];
  #isPumping = false;

  constructor(nowMs = 1_700_000_000_000) {
    this.#nowMs = nowMs;
  }

  readonly nowMs = (): number => this.#nowMs;

  readonly sleep = (ms: number): Promise<void> =>
    new Promise((wake) => {
      this.#timers.push({ atMs: this.#nowMs + ms, wake });
      this.#pump();
    });

  /** Something that happens by itself, after a while. */
  in(ms: number, happen: () => unknown): void {
    void this.sleep(ms).then(happen);
  }

  #pump(): void {
    if (this.#isPumping) return;
    this.#isPumping = true;
    setImmediate(() => {
      this.#isPumping = false;
      this.#timers.sort((a, b) => a.atMs - b.atMs);
      const next = this.#timers.shift();
      if (next === undefined) return;
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.wake();
      if (this.#timers.length > 0) this.#pump();
    });
  }
}
