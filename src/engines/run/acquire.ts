/** Queueing for slices at a desk, until they are granted or somebody has waited long enough. */
import type { LeaseWish } from '#core/run/slice';
import { hold } from './hold.js';
import type { AcquireAnswer, AcquireOptions } from './leases.js';
import type { HolderPorts } from './ports.js';
import { firstPollMs, slowestPollMs } from './timing.js';

export async function acquire(
  ports: HolderPorts,
  wish: LeaseWish,
  { signal, waitMs, command, onQueued }: AcquireOptions,
): Promise<AcquireAnswer> {
  const { desk, clock } = ports;
  const askedMs = clock.nowMs();
  const request = { id: ports.newId(), wish, command, queue: waitMs !== 0 };
  let isOver = false;
  let pollMs = firstPollMs;
  let said = '';
  try {
    while (!signal.aborted) {
      const answer = await desk.ask(request, signal).catch((error: unknown) => {
        if (isAborted(signal)) return null;
        throw error;
      });
      if (answer === null) break;
      isOver = answer.kind !== 'waits' || !request.queue;
      if (answer.kind === 'granted') return { ok: true, lease: hold(ports, answer.lease) };
      if (answer.kind !== 'waits') return no(answer.kind, answer.why);
      const leftMs = waitMs === null ? Infinity : askedMs + waitMs - clock.nowMs();
      if (leftMs <= 0) return no('timed-out', answer.why);
      const saying = `${answer.place}: ${answer.why}`;
      if (saying !== said) {
        onQueued({ place: answer.place, why: answer.why });
        pollMs = firstPollMs;
      }
      said = saying;
      await clock.sleep(Math.min(pollMs, leftMs), signal);
      pollMs = Math.min(slowestPollMs, pollMs * 1.5);
    }
    return no('aborted', 'the wait was ended');
  } finally {
    // A place that nobody asks for is given up by itself, where the desk cannot be told.
    if (!isOver) await desk.withdraw(request.id).catch(() => undefined);
  }
}

function no(
  kind: Extract<AcquireAnswer, { readonly ok: false }>['why']['kind'],
  message: string,
): AcquireAnswer {
  return { ok: false, why: { kind, message } };
}

/** A signal that may have changed while something was waited for. */
function isAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}
