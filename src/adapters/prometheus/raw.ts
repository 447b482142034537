/** Samples as they are stored, card by card and in the order of time, to where they are judged one by one. */
import type { Collector, SeriesHandle } from '#core/observe/collector';
import { readingOf } from '#core/observe/metric-names';
import type { Reading } from '#core/observe/believe';
import type { Series } from './client.js';
import { isAboutTime } from './failures.js';
import { stillTooLarge, type Asking, type Window } from './inventory.js';
import { activityOf, matcherOf, type Gpu, type Lane, type Lanes } from './lanes.js';
import { halves } from './pool.js';
import { over, selector } from './promql.js';

const shortestMs = 600_000;

/** What one answer may hold; 16 bytes each here, and about 30 in the answer. */
export const mostSamples = 200_000;

export function samplesOf(gpu: Gpu): number {
  const sums = new Map<Reading, number>();
  for (const lane of gpu.lanes.values()) {
    for (const reading of readingsOf(lane))
      sums.set(reading, (sums.get(reading) ?? 0) + (lane.figures.get(reading)?.samples ?? 0));
  }
  return Math.max(0, ...sums.values());
}

function readingsOf(lane: Lane): readonly Reading[] {
  const activity = activityOf(lane);
  return [
    ...(lane.figures.has('memory') ? (['memory'] as const) : []),
    ...(activity === null ? [] : [activity]),
  ];
}

/** All that is wanted of these cards; a lane that was not counted before is left out. */
export async function readRaw(
  asking: Asking,
  lanes: Lanes,
  gpus: readonly Gpu[],
  collector: Collector,
): Promise<void> {
  const plain = gpus.filter((gpu) => !isWholeAndCut(gpu));
  // One after the other: the memory of all devices of a card must come in the order of time, to see who shares it.
  for (const reading of readingsOfAll(plain))
    await readSome(asking, { lanes, gpus: plain, readings: [reading], collector }, asking.window);
  // Any row of a slice makes the whole card's row of that time a double, whatever the two count.
  const cut = gpus.filter(isWholeAndCut);
  if (cut.length > 0)
    await readSome(asking, { lanes, gpus: cut, readings: readingsOfAll(cut), collector }, asking.window);
}

function readingsOfAll(gpus: readonly Gpu[]): readonly Reading[] {
  return [...new Set(gpus.flatMap((gpu) => [...gpu.lanes.values()].flatMap(readingsOf)))];
}

function isWholeAndCut({ lanes }: Gpu): boolean {
  return new Set([...lanes.values()].map(({ device }) => device.slice === null)).size === 2;
}

interface Wanted {
  readonly lanes: Lanes;
  readonly gpus: readonly Gpu[];
  readonly readings: readonly Reading[];
  readonly collector: Collector;
}

async function readSome(asking: Asking, wanted: Wanted, { startMs, endMs }: Window): Promise<void> {
  const { gpus, readings } = wanted;
  const inHalfTheTime = async (): Promise<void> => {
    const middleMs = Math.round((startMs + endMs) / 2);
    await readSome(asking, wanted, { startMs, endMs: middleMs });
    await readSome(asking, wanted, { startMs: middleMs, endMs });
  };
  const part = (endMs - startMs) / (asking.window.endMs - asking.window.startMs);
  const expected = part * readings.length * gpus.reduce((sum, gpu) => sum + samplesOf(gpu), 0);
  if (expected > 2 * mostSamples && endMs - startMs > shortestMs) return inHalfTheTime();
  const names = new Set(
    gpus.flatMap((gpu) =>
      [...gpu.lanes.values()].flatMap((lane) =>
        readings.flatMap((reading) => lane.figures.get(reading)?.names ?? []),
      ),
    ),
  );
  const select = over(selector([...names], matcherOf(gpus)), endMs - startMs);
  const answer = await asking.client.samples(select, endMs, asking.signal, (all) =>
    feed(all, wanted, startMs),
  );
  if (answer.ok) return;
  if (gpus.length > 1 && !isAboutTime(answer.why.message)) {
    for (const half of halves(gpus)) await readSome(asking, { ...wanted, gpus: half }, { startMs, endMs });
    return;
  }
  if (endMs - startMs <= shortestMs) throw stillTooLarge(answer);
  return inHalfTheTime();
}

/** Where the reader stands in a series. */
interface Cursor {
  readonly series: Series;
  readonly reading: Reading;
  readonly handle: SeriesHandle;
  readonly everyMs: number;
  at: number;
}

/** Whether a range holds a sample at its very beginning depends on the version; here it never does. */
function feed(all: readonly Series[], { lanes, gpus, readings, collector }: Wanted, afterMs: number): void {
  const asked = new Set(gpus);
  const perGpu = new Map<Gpu, Cursor[]>();
  for (const series of all) {
    const found = lanes.find(series.labels);
    if (found === undefined || !asked.has(found.gpu)) continue;
    const { gpu, lane } = found;
    const { timesMs, length } = series.samples;
    const reading = readingOf(series.labels['__name__'] ?? '');
    if (reading === null || !readings.includes(reading) || !readingsOf(lane).includes(reading)) continue;
    let at = 0;
    while (at < length && timesMs[at]! <= afterMs) at += 1;
    if (at === length) continue;
    const everyMs = (timesMs[Math.min(length - 1, at + 20)]! - timesMs[at]!) / Math.min(20, length - 1 - at);
    const cursor = {
      series,
      reading,
      handle: collector.series(lane.device, lane.holder, lane.figures.get(reading)?.samples),
      everyMs,
      at,
    };
    const cursors = perGpu.get(gpu);
    if (cursors === undefined) perGpu.set(gpu, [cursor]);
    else cursors.push(cursor);
  }
  for (const cursors of perGpu.values()) feedGpu(cursors, collector);
}

/** In the order of time: only the series that have begun and not ended are looked at. */
function feedGpu(cursors: Cursor[], collector: Collector): void {
  const timeOf = ({ series, at }: Cursor): number => series.samples.timesMs[at]!;
  cursors.sort((one, other) => timeOf(one) - timeOf(other));
  const doubles = new Map<string, { cursor: Cursor; timeMs: number }>();
  const once = new Set(cursors.map(figureOf)).size === cursors.length;
  const begun: Cursor[] = [];
  let next = 0;
  while (next < cursors.length || begun.length > 0) {
    if (begun.length === 0) begun.push(cursors[next++]!);
    let first = begun[0]!;
    for (const cursor of begun) if (timeOf(cursor) < timeOf(first)) first = cursor;
    if (next < cursors.length && timeOf(cursors[next]!) < timeOf(first)) {
      first = cursors[next]!;
      next += 1;
      begun.push(first);
    }
    const { samples } = first.series;
    const timeMs = samples.timesMs[first.at]!;
    if (once || !isDouble(doubles, first, timeMs))
      collector.add(first.handle, first.reading, timeMs, samples.values[first.at]!);
    first.at += 1;
    if (first.at === samples.length) begun.splice(begun.indexOf(first), 1);
  }
}

function figureOf({ handle, reading }: Cursor): string {
  return `${handle} ${reading}`;
}

/** One exporter that two jobs scrape shows everything twice: what comes from the second, too soon, is left out. */
function isDouble(
  last: Map<string, { cursor: Cursor; timeMs: number }>,
  cursor: Cursor,
  timeMs: number,
): boolean {
  const before = last.get(figureOf(cursor));
  if (before === undefined) {
    last.set(figureOf(cursor), { cursor, timeMs });
    return false;
  }
  if (before.cursor !== cursor && timeMs - before.timeMs < 0.9 * cursor.everyMs) return true;
  before.cursor = cursor;
  before.timeMs = timeMs;
  return false;
}
