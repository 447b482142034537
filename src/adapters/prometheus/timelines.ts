/** The largest figure per stretch of time, asked of the server in the stretches of `core/observe/timeline`. */
import { timelineStepMs, type Timeline } from '#core/observe/timeline';
import type { Answer, Labels, PrometheusClient } from './client.js';
import type { Window } from './inventory.js';
import { over } from './promql.js';

/**
 * One maximum per stretch `first <= time < first + step` of the window. A range ends at its time of evaluation; whether
 * it holds a sample at its very beginning depends on the version, so stretches are asked for up to their last
 * millisecond and none begins at a round time.
 */
export async function timelinesOf(
  client: PrometheusClient,
  select: string,
  { startMs, endMs }: Window,
  signal: AbortSignal,
  found: (labels: Labels, timeline: Timeline) => void,
): Promise<Answer<undefined>> {
  const stepMs = timelineStepMs(startMs, endMs);
  const first = Math.floor(startMs / stepMs);
  const count = Math.floor(endMs / stepMs) - first + 1;
  const lastOf = (stretch: number): number => (first + stretch + 1) * stepMs - 1;
  const timelines = new Map<string, { readonly labels: Labels; readonly max: (number | null)[] }>();
  const maximaOf = (labels: Labels): (number | null)[] => {
    const key = JSON.stringify(labels);
    let timeline = timelines.get(key);
    if (timeline === undefined) {
      timeline = { labels, max: Array.from({ length: count }, () => null) };
      timelines.set(key, timeline);
    }
    return timeline.max;
  };

  // The first and the last stretch may lie partly outside of the window.
  for (const stretch of new Set([0, count - 1])) {
    const fromMs = Math.max(startMs, lastOf(stretch) - stepMs);
    const toMs = Math.min(endMs, lastOf(stretch));
    if (toMs <= fromMs) continue;
    const answer = await client.points(`max_over_time(${over(select, toMs - fromMs)})`, toMs, signal);
    if (!answer.ok) return answer;
    for (const { labels, value } of answer.value) maximaOf(labels)[stretch] = value;
  }
  if (count > 2) {
    const range = { startMs: lastOf(1), endMs: lastOf(count - 2), stepMs };
    const query = `max_over_time(${over(select, stepMs)})`;
    const answer = await client.range(query, range, signal, (all) => {
      for (const { labels, samples } of all) {
        const max = maximaOf(labels);
        for (let index = 0; index < samples.length; index += 1)
          max[Math.round((samples.timesMs[index]! - lastOf(1)) / stepMs) + 1] = samples.values[index]!;
      }
    });
    if (!answer.ok) return answer;
  }
  for (const { labels, max } of timelines.values()) {
    const begins = max.findIndex((value) => value !== null);
    const ends = max.findLastIndex((value) => value !== null);
    found(labels, { startMs: (first + begins) * stepMs, stepMs, max: max.slice(begins, ends + 1) });
  }
  return { ok: true, value: undefined };
}
