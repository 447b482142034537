/** What one holder used of one device: the samples, when they were taken, and what of them was not believed. */
import { countDropped, type DropReason, type Reading } from './believe.js';
import type { ActivityMetric, Coverage, Device, Dropped, Holder } from './observation.js';
import { SampleBag } from './sample-bag.js';
import type { Stats } from './stats.js';
import { TimelineBuilder, type Timeline } from './timeline.js';
import { TimeTrack } from './time-track.js';

/** Figures that a server made of samples that it did not send. */
export interface FinishedSeries {
  readonly memory: { readonly stats: Stats; readonly timeline: Timeline } | null;
  readonly activity: readonly { readonly metric: ActivityMetric; readonly stats: Stats }[];
  readonly coverage: Coverage;
}

/** What is known before the samples come, to take no more memory than they need. */
export interface SeriesHints {
  readonly timelineStepMs?: number | undefined;
  readonly expected?: number | undefined;
}

interface Figures {
  readonly bag: SampleBag;
  readonly track: TimeTrack;
}

const nothing = new TimelineBuilder();

export class Series {
  readonly device: Device;
  readonly holder: Holder;
  /** The same for all holders of one device. */
  readonly deviceKey: string;
  readonly #expected: number;
  readonly figures = new Map<Reading, Figures>();
  timeline: TimelineBuilder;
  readonly dropped = { sentinel: 0, text: 0, notFinite: 0, negative: 0 };
  readonly sharedWith = new Set<Series>();
  /** Memory of its card at a later time came before, so that rows of one time were not seen together. */
  isLate = false;
  shared = 0;
  identical = 0;
  finished: FinishedSeries | null = null;
  #presence: TimeTrack | null = null;
  #seenMs = NaN;
  #reading: Reading | null = null;
  #figures: Figures | null = null;

  constructor(
    device: Device,
    holder: Holder,
    deviceKey: string,
    { timelineStepMs, expected }: SeriesHints = {},
  ) {
    this.#expected = expected ?? 0;
    this.timeline = new TimelineBuilder(timelineStepMs);
    this.device = device;
    this.holder = holder;
    this.deviceKey = deviceKey;
  }

  record(reading: Reading, timeMs: number, value: number): void {
    const { bag, track } = this.#reading === reading ? this.#figures! : this.#turnTo(reading);
    bag.add(value);
    track.see(timeMs);
    if (reading === 'memory') this.timeline.add(timeMs, value);
  }

  /** It was there at that time, with or without figures. */
  seen(timeMs: number): void {
    if (timeMs !== this.#seenMs) this.#presenceTrack().see(timeMs);
    this.#seenMs = timeMs;
  }

  drop(reason: DropReason): void {
    this.dropped[reason] += 1;
  }

  dropMany(more: Dropped): void {
    this.dropped.sentinel += more.sentinel;
    this.dropped.text += more.text;
    this.dropped.notFinite += more.notFinite;
    this.dropped.negative += more.negative;
  }

  /** Of memory, or else of the activity metric with the most of them. */
  get samples(): number {
    if (this.finished !== null) {
      const { memory, activity } = this.finished;
      return memory?.stats.samples ?? activity.reduce((most, { stats }) => Math.max(most, stats.samples), 0);
    }
    return this.mainTrack().samples;
  }

  /** The times of its memory, or else of what else is known of it. */
  mainTrack(): TimeTrack {
    const memory = this.figures.get('memory');
    if (memory !== undefined) return memory.track;
    let longest = null;
    for (const { track } of this.figures.values()) {
      if (longest === null || track.samples > longest.samples) longest = track;
    }
    return longest ?? this.#presenceTrack();
  }

  /** When its figures are taken: of a hundred thousand series, one kind of figures is enough at a time. */
  release(): void {
    this.figures.clear();
    this.timeline = nothing;
    this.#presence = null;
    this.#reading = null;
    this.#figures = null;
  }

  /** There was nothing but rows that stand for its slices. */
  get isEmpty(): boolean {
    return this.finished === null && this.mainTrack().samples === 0 && countDropped(this.dropped) === 0;
  }

  /** Few series have times without figures. */
  #presenceTrack(): TimeTrack {
    this.#presence ??= new TimeTrack();
    return this.#presence;
  }

  #turnTo(reading: Reading): Figures {
    let figures = this.figures.get(reading);
    if (figures === undefined) {
      figures = { bag: new SampleBag(this.#expected), track: new TimeTrack() };
      this.figures.set(reading, figures);
    }
    this.#reading = reading;
    this.#figures = figures;
    return figures;
  }
}
