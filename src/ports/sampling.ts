/** Looking again and again, at even distances: what every live source of metrics does. */
import type { Clock } from './clock.js';
import type { ObserveRequest } from './metrics-source.js';

export interface Sampling {
  readonly clock: Clock;
  readonly forMs: number;
  readonly everyMs: number;
}

/** The first look is at once. A look that takes longer than the distance leaves the next ones out. */
export async function sampleRepeatedly(
  { clock, forMs, everyMs }: Sampling,
  { signal, progress }: Pick<ObserveRequest, 'signal' | 'progress'>,
  look: (timeMs: number) => Promise<void>,
): Promise<void> {
  const startMs = clock.nowMs();
  for (let next = 0; next * everyMs <= forMs;) {
    signal.throwIfAborted();
    await sleepUnlessAborted(clock, startMs + next * everyMs - clock.nowMs(), signal);
    await look(clock.nowMs());
    signal.throwIfAborted();
    const elapsedMs = Math.min(forMs, clock.nowMs() - startMs);
    progress({
      what: `sampling for ${seconds(forMs)}, every ${seconds(everyMs)}`,
      part: forMs === 0 ? 1 : elapsedMs / forMs,
    });
    next = Math.max(next + 1, Math.ceil((clock.nowMs() - startMs) / everyMs));
  }
}

/** Throws the reason of the signal as soon as there is one. */
export async function sleepUnlessAborted(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  if (ms <= 0) return;
  let stop = (): void => undefined;
  const aborted = new Promise<void>((resolve) => {
    stop = resolve;
    signal.addEventListener('abort', stop, { once: true });
  });
  await Promise.race([clock.sleep(ms), aborted]);
  signal.removeEventListener('abort', stop);
  signal.throwIfAborted();
}

function seconds(ms: number): string {
  return ms >= 120_000 ? `${Math.round(ms / 60_000)} min` : `${Math.round(ms / 1000)} s`;
}
