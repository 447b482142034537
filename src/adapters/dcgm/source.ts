/** dcgm-exporters as a source of metrics: saved answers are read once, live ones are asked for a while. */
import { MicaError, type ErrorCode } from '#core/errors';
import { Collector, type SeriesHandle } from '#core/observe/collector';
import type { MetricsSource, ObserveRequest } from '#ports/metrics-source';
import { sampleRepeatedly, type Sampling } from '#ports/sampling';
import { listSnapshots, readSnapshot } from './snapshots.js';
import { scrape, type Fetch, type ScrapeAnswer } from './http-scrape.js';
import { readScrape, takeScrape, type ScrapeCounts } from './take-scrape.js';

export interface DcgmSourceOptions extends Sampling {
  /** Files with saved answers, and addresses of exporters. */
  readonly targets: readonly string[];
  readonly fetch?: Fetch;
}

export function dcgmSource(options: DcgmSourceOptions): MetricsSource {
  return {
    observe: async (request) => {
      request.signal.throwIfAborted();
      const collector = new Collector();
      const totals = new Totals(collector);
      const files = options.targets.filter((target) => !isUrl(target));
      const urls = options.targets.filter(isUrl).map(metricsUrl);
      await takeFiles(files, collector, totals, request);
      if (urls.length > 0) await new Exporters(urls, options, collector, totals).sample(request);
      if (!totals.hasGpus) throw noGpus(options.targets);
      totals.note();
      const pods = collector.pods();
      const ownerOf = pods.length === 0 ? () => null : await request.owners.ownersOf(pods, request.signal);
      return { source: 'dcgm', ...collector.finish(ownerOf) };
    },
  };
}

class Totals {
  readonly #collector: Collector;
  #ofGpus = 0;
  #read = 0;
  #unreadable = 0;

  constructor(collector: Collector) {
    this.#collector = collector;
  }

  get hasGpus(): boolean {
    return this.#ofGpus > 0;
  }

  count({ ofGpus, read, unreadable }: ScrapeCounts): void {
    this.#ofGpus += ofGpus;
    this.#read += read;
    this.#unreadable += unreadable;
  }

  note(): void {
    if (this.#unreadable > 0) {
      this.#collector.note(
        this.#unreadable === 1
          ? '1 line that is no metric was left out.'
          : `${this.#unreadable} lines that are no metrics were left out.`,
      );
    }
    if (this.#read === 0) {
      this.#collector.note(
        'There are rows of GPUs, but none of memory in use (DCGM_FI_DEV_FB_USED) or activity: add them to the counters of dcgm-exporter.',
      );
    }
  }
}

async function takeFiles(
  files: readonly string[],
  collector: Collector,
  totals: Totals,
  { signal, progress }: ObserveRequest,
): Promise<void> {
  const snapshots = await listSnapshots(files);
  for (const [index, snapshot] of snapshots.entries()) {
    signal.throwIfAborted();
    totals.count(takeScrape(readScrape(await readSnapshot(snapshot)), snapshot.timeMs, collector));
    progress({
      what: `reading ${files.length === 1 ? '1 file' : `${files.length} files`}`,
      part: (index + 1) / snapshots.length,
    });
  }
  signal.throwIfAborted();
}

/** Asked together; each may fail now and then. */
class Exporters {
  readonly #urls: readonly string[];
  readonly #options: DcgmSourceOptions;
  readonly #collector: Collector;
  readonly #totals: Totals;
  readonly #failed = new Map<string, { times: number; last: Failed }>();
  readonly #answered = new Set<string>();
  /** Time of the last row of a series, since an exporter may give a row twice. */
  readonly #lastMs = new Map<string, number>();
  #rounds = 0;

  constructor(urls: readonly string[], options: DcgmSourceOptions, collector: Collector, totals: Totals) {
    this.#urls = urls;
    this.#options = options;
    this.#collector = collector;
    this.#totals = totals;
  }

  async sample(request: ObserveRequest): Promise<void> {
    await sampleRepeatedly(this.#options, request, (timeMs) => this.#round(timeMs, request.signal));
    for (const [url, { times, last }] of this.#failed) {
      this.#collector.note(`${url} did not answer ${times} of ${this.#rounds} times: ${last.message}.`);
    }
    this.#failIfNoneAnswered();
  }

  async #round(timeMs: number, signal: AbortSignal): Promise<void> {
    const { everyMs, fetch = globalThis.fetch } = this.#options;
    const timeoutMs = Math.min(longestWaitMs, Math.max(shortestWaitMs, everyMs));
    this.#rounds += 1;
    const waiting = [...this.#urls];
    const worker = async (): Promise<void> => {
      for (let url = waiting.shift(); url !== undefined; url = waiting.shift()) {
        this.#take(url, await scrape(url, timeoutMs, signal, fetch), timeMs);
      }
    };
    await Promise.all(Array.from({ length: Math.min(mostAtOnce, this.#urls.length) }, worker));
    // A mistyped address should not take ten minutes to be told.
    if (this.#rounds === patience) this.#failIfNoneAnswered();
  }

  #take(url: string, answer: ScrapeAnswer, timeMs: number): void {
    if (!answer.ok) {
      this.#failed.set(url, { times: (this.#failed.get(url)?.times ?? 0) + 1, last: answer });
      return;
    }
    this.#answered.add(url);
    this.#totals.count(takeScrape(readScrape(answer.text), timeMs, this.#collector, this.#isNew));
  }

  readonly #isNew = (handle: SeriesHandle, name: string, timeMs: number): boolean => {
    const key = `${handle} ${name}`;
    if (timeMs === this.#lastMs.get(key)) return false;
    this.#lastMs.set(key, timeMs);
    return true;
  };

  #failIfNoneAnswered(): void {
    const [first] = this.#failed.values();
    if (this.#answered.size > 0 || this.#totals.hasGpus || first === undefined) return;
    const more = this.#urls.length > 1 ? ` (and ${this.#urls.length - 1} more did not answer)` : '';
    throw new MicaError(first.last.code, first.last.message + more);
  }
}

interface Failed {
  readonly code: ErrorCode;
  readonly message: string;
}

const patience = 3;
const mostAtOnce = 32;
const longestWaitMs = 10_000;
const shortestWaitMs = 2000;

function isUrl(target: string): boolean {
  return /^https?:\/\//i.test(target);
}

/** An exporter answers under /metrics; whoever names another path means it. */
function metricsUrl(text: string): string {
  if (!URL.canParse(text)) throw new MicaError('bad-url', `'${text}' is not a URL`);
  const url = new URL(text);
  if (url.pathname === '/') url.pathname = '/metrics';
  return url.href;
}

function noGpus(targets: readonly string[]): MicaError {
  return new MicaError(
    'no-gpu-metrics',
    `${targets.join(', ')}: no row of a GPU (DCGM_FI_... with a label gpu or UUID)`,
    {
      next: 'Give the answer of dcgm-exporter as it is: curl http://EXPORTER:9400/metrics > FILE.prom.',
    },
  );
}
