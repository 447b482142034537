/** Figures that the server makes of steady lanes, and which of these lanes turn out to need their samples after all. */
import type { FinishedSeries } from '#core/observe/series';
import type { Coverage } from '#core/observe/observation';
import type { Stats } from '#core/observe/stats';
import type { Timeline } from '#core/observe/timeline';
import type { Answer, Labels } from './client.js';
import type { Asking } from './inventory.js';
import { matcherOf, type Gpu, type Lane, type Lanes } from './lanes.js';
import { over, selector } from './promql.js';
import { mainFigures, type Steady } from './steady.js';
import { timelinesOf } from './timelines.js';

/** A higher figure than any card has memory (in MiB), and lower than the sentinels. */
const mostMiB = 10_000_000;
/** A peak that is closer to the 99th percentile than this is no rare one. */
const nearby = { part: 1.1, MiB: 512 };

type Figure = 'min' | 'max' | 'mean' | 'p50' | 'p75' | 'p95' | 'p99';

const functions: Readonly<Record<Figure, (range: string) => string>> = {
  min: (range) => `min_over_time(${range})`,
  max: (range) => `max_over_time(${range})`,
  mean: (range) => `sum_over_time(${range})`,
  p50: (range) => `quantile_over_time(0.5,${range})`,
  p75: (range) => `quantile_over_time(0.75,${range})`,
  p95: (range) => `quantile_over_time(0.95,${range})`,
  p99: (range) => `quantile_over_time(0.99,${range})`,
};

/** First what shows whether the figures can be believed, then the rest of those that can. */
const waves: readonly (readonly Figure[])[] = [
  ['min', 'max', 'mean', 'p99'],
  ['p50', 'p75', 'p95'],
];

type Figures = Partial<Record<Figure, number>>;
export interface Summed {
  readonly steady: Steady;
  readonly finished: FinishedSeries;
}

/** The lanes of some cards; what is left out must be read sample by sample. */
export async function summedUp(
  asking: Asking,
  lanes: Lanes,
  steady: ReadonlyMap<Gpu, readonly Steady[]>,
  group: readonly Gpu[],
): Promise<readonly Summed[]> {
  let left = group;
  const memory = new Map<Lane, Figures>();
  const activity = new Map<Lane, Figures>();
  const of = (gpu: Gpu): readonly Steady[] => steady.get(gpu) ?? [];
  for (const wave of waves) {
    for (const kind of ['memory', 'activity'] as const) {
      const into = kind === 'memory' ? memory : activity;
      const answers = await Promise.all(
        questions(left.flatMap(of), kind).flatMap(({ name, asked }) =>
          wave.map((figure) => ask(asking, lanes, { name, asked, figure }, into)),
        ),
      );
      if (answers.some((ok) => !ok)) return [];
    }
    left = left.filter((gpu) =>
      of(gpu).every((one) => isClear(one, memory.get(one.lane), activity.get(one.lane))),
    );
    if (left.length === 0) return [];
  }
  const timelines = new Map<Lane, Timeline>();
  for (const { name, asked } of questions(left.flatMap(of), 'memory')) {
    const select = selector([name], matcherOf(gpusOf(asked)));
    const answer = await timelinesOf(
      asking.client,
      select,
      asking.window,
      asking.signal,
      (labels, timeline) => {
        const lane = lanes.find(labels)?.lane;
        if (lane !== undefined) timelines.set(lane, timeline);
      },
    );
    if (!answer.ok) return [];
  }
  return left.flatMap((gpu) => {
    const all = of(gpu).flatMap((one) => {
      const finished = finish(one, memory.get(one.lane), activity.get(one.lane), timelines.get(one.lane));
      return finished === null ? [] : [{ steady: one, finished }];
    });
    return all.length === gpu.lanes.size ? all : [];
  });
}

interface Question {
  readonly name: string;
  readonly asked: readonly Steady[];
}

function questions(all: readonly Steady[], kind: 'memory' | 'activity'): readonly Question[] {
  const byName = new Map<string, Steady[]>();
  for (const one of all) {
    const reading = kind === 'memory' ? 'memory' : one.activity;
    const [name] = (reading === null ? undefined : one.lane.figures.get(reading))?.names ?? [];
    if (name === undefined) continue;
    const asked = byName.get(name);
    if (asked === undefined) byName.set(name, [one]);
    else asked.push(one);
  }
  return [...byName].map(([name, asked]) => ({ name, asked }));
}

function gpusOf(asked: readonly Steady[]): readonly Gpu[] {
  return [...new Set(asked.map(({ gpu }) => gpu))];
}

/** `false`: the server does not do it. */
async function ask(
  { client, window, signal }: Pick<Asking, 'client' | 'window' | 'signal'>,
  lanes: Lanes,
  { name, asked, figure }: Question & { readonly figure: Figure },
  into: Map<Lane, Figures>,
): Promise<boolean> {
  const range = over(selector([name], matcherOf(gpusOf(asked))), window.endMs - window.startMs);
  const answer: Answer<readonly { labels: Labels; value: number }[]> = await client.points(
    functions[figure](range),
    window.endMs,
    signal,
  );
  if (!answer.ok) return false;
  const wanted = new Set(asked.map(({ lane }) => lane));
  for (const { labels, value } of answer.value) {
    const lane = lanes.find(labels)?.lane;
    if (lane === undefined || !wanted.has(lane)) continue;
    const figures = into.get(lane);
    if (figures === undefined) into.set(lane, { [figure]: value });
    else figures[figure] = value;
  }
  return true;
}

/** Nothing in it that must be dropped or clamped, and no rare peak of which one would like to know how rare it is. */
function isClear(one: Steady, memory: Figures | undefined, activity: Figures | undefined): boolean {
  const hasMemory = one.lane.figures.has('memory');
  if (hasMemory !== (memory !== undefined) || (one.activity !== null) !== (activity !== undefined))
    return false;
  if (memory !== undefined) {
    const { min = NaN, max = NaN, mean = NaN, p99 = NaN } = memory;
    if (!Number.isFinite(mean) || !(min >= 0) || !(max <= mostMiB)) return false;
    if (!(max <= p99 * nearby.part || max - p99 < nearby.MiB)) return false;
  }
  if (activity === undefined) return true;
  const { min = NaN, max = NaN, mean = NaN } = activity;
  return Number.isFinite(mean) && min >= 0 && max <= (one.activity === 'utilization-percent' ? 100 : 1);
}

function finish(
  one: Steady,
  memory: Figures | undefined,
  activity: Figures | undefined,
  timeline: Timeline | undefined,
): FinishedSeries | null {
  const { lane, activity: reading } = one;
  const memoryStats = memory === undefined ? null : statsOf(memory, lane.figures.get('memory')?.samples, 1);
  const scale = reading === 'utilization-percent' ? 100 : 1;
  const activityStats =
    activity === undefined || reading === null
      ? null
      : statsOf(activity, lane.figures.get(reading)?.samples, scale);
  if (memory !== undefined && (memoryStats === null || timeline === undefined)) return null;
  if (activity !== undefined && activityStats === null) return null;
  if (beginsBefore(one, timeline)) return null;
  return {
    memory: memoryStats === null || timeline === undefined ? null : { stats: memoryStats, timeline },
    activity:
      activityStats === null || reading === null
        ? []
        : [{ metric: reading === 'utilization-percent' ? 'utilization' : reading, stats: activityStats }],
    coverage: coverageOf(one, timeline),
  };
}

/** As many samples as a server that keeps little would have, but spread over more time: something is missing. */
function beginsBefore({ startMs, isWholeWindow }: Steady, timeline: Timeline | undefined): boolean {
  if (isWholeWindow) return false;
  return timeline === undefined || timeline.startMs + timeline.stepMs < startMs;
}

function statsOf(figures: Figures, samples: number | undefined, scale: number): Stats | null {
  const { mean, p50, p75, p95, p99, max } = figures;
  if ([mean, p50, p75, p95, p99, max].some((figure) => figure === undefined)) return null;
  if (samples === undefined || samples === 0) return null;
  return {
    samples,
    mean: mean! / samples / scale,
    ...{ p50: p50! / scale, p75: p75! / scale, p95: p95! / scale, p99: p99! / scale, max: max! / scale },
    top: null,
  };
}

/** From how many samples are missing; that they are missing together is assumed, as far as the timeline allows it. */
function coverageOf({ lane, everyMs, lastMs, startMs }: Steady, timeline: Timeline | undefined): Coverage {
  // More samples than one would think, from before the distance changed, do not make it begin before its first.
  const fromMs = Math.max(startMs, timeline === undefined ? -Infinity : timeline.startMs - 1);
  const expected = Math.floor((lastMs - fromMs - 1) / everyMs) + 1;
  const missing = Math.max(0, expected - mainFigures(lane).samples);
  let [empty, mostEmpty] = [0, 0];
  for (const value of timeline?.max ?? []) {
    empty = value === null ? empty + 1 : 0;
    if (empty > mostEmpty) mostEmpty = empty;
  }
  const allTogetherMs = (missing + 1) * everyMs;
  const seenMs = timeline === undefined ? Infinity : (mostEmpty + 2) * timeline.stepMs;
  return {
    firstMs: lastMs - (expected - 1) * everyMs,
    lastMs,
    everyMs,
    missingMs: missing * everyMs,
    largestGapMs: missing === 0 ? 0 : Math.min(allTogetherMs, seenMs),
    backwards: 0,
  };
}
