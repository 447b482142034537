/** What a process remembers of a node that it changes. Losing it costs time, never safety: the rest is on the node. */
import type { Ending } from '#core/cluster/operator/decision';
import type { ChangeRecord } from '#core/cluster/operator/record';
import { labels } from '#core/cluster/label-names';
import type { ClusterNode, ClusterPod } from '#core/cluster/objects';
import type { ApiRefusal } from '#ports/cluster-api';

interface Asked {
  readonly againMs: number;
  readonly said: string | null;
  readonly times: number;
}

const firstDelayMs = 5_000;
const longestDelayMs = 60_000;

export class NodeMemory {
  readonly asked = new Map<string, Asked>();
  blocked: string | null = null;
  /** The edit that ends the change was sent, and its answer was lost. */
  sentEnding: Ending | null = null;
  #state = '';
  #sinceMs = 0;
  #trouble = { times: 0, sinceMs: 0 };
  #lastMs = 0;
  /** Times of records as others wrote them, and as they are by our clock. */
  readonly #ours = new Map<number, number>();

  stateSince({ isReady, labels: of }: ClusterNode, nowMs: number): number {
    const state = `${isReady} ${of[labels.migConfigState] ?? ''}`;
    if (state !== this.#state) this.#sinceMs = nowMs;
    this.#state = state;
    return this.#sinceMs;
  }

  /**
   * What was remembered as yet to come, or lies in a record as yet to come, has happened by now: the clock was put back,
   * or the record is of a machine whose clock is ahead.
   */
  inOurTime(record: ChangeRecord, nowMs: number): ChangeRecord {
    const backMs = this.#lastMs - nowMs;
    if (backMs > 0) {
      this.#sinceMs -= backMs;
      this.#trouble = { ...this.#trouble, sinceMs: this.#trouble.sinceMs - backMs };
      for (const [uid, one] of this.asked) this.asked.set(uid, { ...one, againMs: one.againMs - backMs });
      for (const [written, oursMs] of this.#ours) this.#ours.set(written, oursMs - backMs);
    }
    this.#lastMs = nowMs;
    const ours = (atMs: number): number => {
      const seenMs = Math.min(this.#ours.get(atMs) ?? atMs, nowMs);
      this.#ours.set(atMs, seenMs);
      return seenMs;
    };
    return {
      ...record,
      sinceMs: ours(record.sinceMs),
      configMs: record.configMs === null ? null : ours(record.configMs),
      remedies: record.remedies.map((one) => ({ ...one, atMs: ours(one.atMs) })),
    };
  }

  /**
   * A pod that says no is asked again later and later, sooner where it only changed at that moment (`conflict`); one that
   * said yes is never asked again.
   */
  answered(pod: ClusterPod, why: ApiRefusal | null, nowMs: number): void {
    const times = (this.asked.get(pod.uid)?.times ?? 0) + 1;
    const isGone = why === null || why.kind === 'gone';
    const stepMs = why?.kind === 'conflict' ? firstDelayMs / 5 : firstDelayMs;
    const delayMs = Math.min(longestDelayMs, Math.max(why?.retryAfterMs ?? 0, stepMs * 2 ** (times - 1)));
    this.asked.set(pod.uid, {
      againMs: isGone ? Infinity : nowMs + delayMs,
      said: why?.message ?? null,
      times,
    });
  }

  /** How long to wait before the next try of anything; `since`: when the trouble began. */
  stumbled(why: ApiRefusal, nowMs: number): { readonly waitMs: number; readonly sinceMs: number } {
    const { times, sinceMs } = this.#trouble;
    this.#trouble = { times: times + 1, sinceMs: times === 0 ? nowMs : Math.min(sinceMs, nowMs) };
    const backOffMs = Math.min(10_000, 500 * 2 ** times);
    const waitMs =
      why.kind === 'conflict'
        ? Math.min(backOffMs, 2_000)
        : Math.min(longestDelayMs, Math.max(why.retryAfterMs ?? 0, backOffMs));
    return { waitMs, sinceMs: this.#trouble.sinceMs };
  }

  wentWell(): void {
    this.#trouble = { times: 0, sinceMs: 0 };
  }
}
