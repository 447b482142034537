/** Who sat on which device at one moment, as far as the source names cards. */
import { mostAtOnce, type Span } from '../observe/spans.js';
import type { DeviceHolder, Observation, ObservedGpu, ObservedWorkload } from '../observe/observation.js';
import type { Assessment } from './assess.js';

export interface Moment {
  readonly gpus: readonly ObservedGpu[];
  readonly atMs: number;
}

/** Picks, of the holders of a device, the names of those that are there at the moment. */
export type WhoIsThere = (holders: readonly DeviceHolder[]) => readonly string[];

/** Only of these workloads; one that has no sample at the moment itself is where it was next to it in time. */
export function whoIsThere({ gpus, atMs }: Moment, of: readonly Assessment[]): WhoIsThere {
  const wanted = new Set(of.map(({ judged }) => keyOf(judged)));
  const nearest = new Map<string, number>();
  for (const holder of gpus.flatMap(allHolders)) {
    const key = keyOf(holder);
    nearest.set(key, Math.min(nearest.get(key) ?? Infinity, distanceMs(holder, atMs)));
  }
  return (holders) => {
    const there = holders.filter((holder) => {
      const key = keyOf(holder);
      return wanted.has(key) && distanceMs(holder, atMs) === nearest.get(key);
    });
    return [...new Set(there.map(nameOf))];
  };
}

/** The whole cards of a model that any of these held: as many as they held at one time, those of the moment first. */
export function wholeCardsOf(
  { gpus, atMs }: Moment,
  model: string | null,
  of: readonly Assessment[],
): readonly (readonly string[])[] {
  const wanted = new Set(of.map(({ judged }) => keyOf(judged)));
  const cards = gpus.flatMap((gpu) => {
    const holders = gpu.model === model ? gpu.holders.filter((holder) => wanted.has(keyOf(holder))) : [];
    if (holders.length === 0) return [];
    const awayMs = Math.min(...holders.map((holder) => distanceMs(holder, atMs)));
    const nearest = holders.filter((holder) => distanceMs(holder, atMs) === awayMs);
    return [
      { awayMs, spans: holders.flatMap(({ spans }) => spans), names: [...new Set(nearest.map(nameOf))] },
    ];
  });
  const most = mostAtOnce(cards.map(({ spans }) => spans));
  return cards
    .sort((a, b) => a.awayMs - b.awayMs || (a.names.join() < b.names.join() ? -1 : 1))
    .slice(0, most)
    .map(({ names }) => names);
}

/** `search/reranker`, as reports name it. */
export function nameOf({
  namespace,
  workload,
}: {
  readonly namespace?: string | null;
  readonly workload: string;
}): string {
  return namespace == null ? workload : `${namespace}/${workload}`;
}

/**
 * When a workload ran. A service runs from its first to its last sample, whatever samples are missing between them; a
 * job only when one of its pods did, which for a nightly one is a small part of that.
 */
export function spansOf({ gpus }: Observation): (workload: ObservedWorkload) => readonly Span[] {
  const spans = new Map<string, Span[]>();
  for (const holder of gpus.flatMap(allHolders)) {
    const key = keyOf(holder);
    spans.set(key, [...(spans.get(key) ?? []), ...holder.spans]);
  }
  return (workload) => {
    const { firstMs, lastMs } = workload.coverage;
    const comesAndGoes = workload.owner?.kind === 'Job' || workload.owner?.kind === 'CronJob';
    const whole = [{ startMs: firstMs, endMs: lastMs }];
    return comesAndGoes ? (spans.get(keyOf(workload)) ?? whole) : whole;
  };
}

function allHolders({ holders, slices }: ObservedGpu): readonly DeviceHolder[] {
  return [...holders, ...slices.flatMap((slice) => slice.holders)];
}

function keyOf({
  namespace,
  workload,
  owner,
}: {
  readonly namespace?: string | null;
  readonly workload: string;
  readonly owner?: DeviceHolder['owner'];
}): string {
  return JSON.stringify([namespace ?? null, owner?.kind ?? null, workload]);
}

/** 0: it is there. */
function distanceMs({ spans }: DeviceHolder, atMs: number): number {
  return spans.reduce((least, span) => Math.min(least, awayFrom(span, atMs)), Infinity);
}

function awayFrom({ startMs, endMs }: Span, atMs: number): number {
  return Math.max(0, startMs - atMs, atMs - endMs);
}
