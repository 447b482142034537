/** The rows of one scrape that an audit needs, given to the collector. */
import { nothingDropped } from '#core/observe/believe';
import type { Collector, SeriesHandle } from '#core/observe/collector';
import { deviceOfLabels, holderOfLabels, isRelabelledBy, type Label } from '#core/observe/dcgm-labels';
import { readingOf } from '#core/observe/metric-names';
import { metricsLines, type Sample } from './metrics-text.js';
import { isNumeral } from './numeral.js';

/** Every line is counted once. */
export interface ScrapeCounts {
  /** With a number, of metrics that are read and of others. */
  readonly read: number;
  readonly other: number;
  /** The value is a text, or cannot be. */
  readonly dropped: number;
  readonly remarks: number;
  readonly unreadable: number;
  /** Rows of GPUs. */
  readonly ofGpus: number;
}

export interface Scrape {
  readonly samples: readonly Sample[];
  readonly remarks: number;
  readonly unreadable: number;
}

export function readScrape(text: string): Scrape {
  const samples: Sample[] = [];
  let remarks = 0;
  let unreadable = 0;
  // Every line of the format has an end. Where the last has none the text breaks off: half a number is another number.
  const end = text.lastIndexOf('\n') + 1;
  if (end < text.length && !text.slice(end).trimStart().startsWith('#')) unreadable += 1;
  for (const line of metricsLines(text.slice(0, end))) {
    if (line.kind === 'sample') samples.push(line);
    else if (line.kind === 'remark') remarks += 1;
    else unreadable += 1;
  }
  return { samples, remarks, unreadable };
}

/** Rows without a time of their own are of `timeMs`. `isNew`: whether a row was not there in the scrape before. */
export function takeScrape(
  { samples, remarks, unreadable }: Scrape,
  timeMs: number,
  collector: Collector,
  isNew: (handle: SeriesHandle, name: string, timeMs: number) => boolean = () => true,
): ScrapeCounts {
  const isRelabelled = samples.some((sample) => isRelabelledBy(labelOf(sample)));
  const counts = { read: 0, other: 0, dropped: 0, remarks, unreadable, ofGpus: 0 };
  const ordered = samples.some((sample) => sample.timeMs !== null)
    ? [...samples].sort((a, b) => (a.timeMs ?? timeMs) - (b.timeMs ?? timeMs))
    : samples;
  for (const sample of ordered) {
    const label = labelOf(sample);
    const reading = readingOf(sample.name);
    const isOfGpu = sample.name.includes('DCGM_FI_') && (label('gpu') ?? label('UUID')) !== undefined;
    const isNumber = isNumeral(sample.value);
    if (isOfGpu) {
      counts.ofGpus += 1;
      const handle = collector.series(deviceOfLabels(label), holderOfLabels(label, isRelabelled));
      const atMs = sample.timeMs ?? timeMs;
      if (reading === null) {
        collector.see(handle, atMs);
        // A text where a number should be is worth knowing of, whatever it should have said.
        if (!isNumber) collector.drop(handle, { ...nothingDropped, text: 1 });
      } else if (!isNew(handle, sample.name, atMs)) {
        counts.other += 1;
        continue;
      } else if (!collector.add(handle, reading, atMs, sample.value)) {
        counts.dropped += 1;
        continue;
      }
    }
    counts[!isNumber ? 'dropped' : isOfGpu && reading !== null ? 'read' : 'other'] += 1;
  }
  return counts;
}

function labelOf(sample: Sample): Label {
  return (name) => sample.labels.get(name);
}
