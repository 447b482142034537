/** Which metrics, hosts and series there are, and how many samples: what decides how everything else is asked. */
import { gpuMetrics, readingOf, spellingsOf } from '#core/observe/metric-names';
import { MicaError } from '#core/errors';
import { isAboutTime } from './failures.js';
import type { Answer, Labels, PrometheusClient } from './client.js';
import { Lanes } from './lanes.js';
import { halves, inGroups, inParallel } from './pool.js';
import { over, selector, type Matcher } from './promql.js';

export interface Window {
  readonly startMs: number;
  readonly endMs: number;
}

export interface Asking {
  readonly client: PrometheusClient;
  readonly window: Window;
  readonly atOnce: number;
  readonly signal: AbortSignal;
  readonly progress: (what: string, part: number | null) => void;
}

/** So many samples a query may touch on the server, which by default allows five times as many. */
const mostTouched = 10_000_000;
const mostHosts = 100;
const candidates = gpuMetrics.flatMap(({ names }) => names.flatMap(spellingsOf));
/** By these one asks for a host; the first that a series has. */
const hostLabels = ['Hostname', 'hostname', 'instance'] as const;
/** Shorter questions than this are given up when the server says that they are too large. */
const shortestMs = 600_000;

export async function inventory(asking: Asking): Promise<Lanes> {
  const { client, atOnce, window } = asking;
  asking.progress('looking for GPU metrics', null);
  const names = await metricNames(asking);
  if (names.length === 0)
    throw new MicaError('no-gpu-metrics', 'The Prometheus has no metrics of dcgm-exporter in the window.');
  const hosts = await hostsOf(asking, names);
  const lanes = new Lanes(await relabelledJobs(asking, names));
  const perHost = await samplesPerHost(asking, names);
  const groups = inGroups(
    hosts,
    { size: mostTouched, items: mostHosts },
    (host) => perHost.get(host.value) ?? 0,
  );
  const tasks = groups.flatMap((group) => names.map((name) => ({ group, name })));
  let done = 0;
  await inParallel(tasks, atOnce, asking.signal, async ({ group, name }, signal) => {
    const reading = readingOf(name)!;
    for (const matchers of matchersOf(group)) {
      await countSamples(client, name, matchers, window, signal, (labels, samples) =>
        lanes.add(labels, name, reading, samples),
      );
    }
    done += 1;
    asking.progress(`counting the samples of ${hosts.length} hosts`, done / tasks.length);
  });
  return lanes;
}

async function metricNames(asking: Asking): Promise<readonly string[]> {
  const { client, window, signal } = asking;
  const listed = await client.labelValues('__name__', [selector(candidates)], window, signal);
  if (listed !== null) return listed.filter((name) => readingOf(name) !== null);
  const found = new Set<string>();
  for (const name of candidates) {
    const points = await atThreeTimes(asking, `count(${selector([name])})`);
    if (points.length > 0) found.add(name);
  }
  return [...found];
}

interface Host {
  readonly value: string;
  /** Under which of the labels it is found. */
  readonly labels: readonly (typeof hostLabels)[number][];
}

/** By all labels together: an exporter that was upgraded has its host under two of them. */
async function hostsOf(asking: Asking, names: readonly string[]): Promise<readonly Host[]> {
  const { client, window, signal } = asking;
  const found = new Map<string, (typeof hostLabels)[number][]>();
  for (const [index, label] of hostLabels.entries()) {
    const select = selector(names, without(hostLabels.slice(0, index)));
    const values =
      (await client.labelValues(label, [select], window, signal)) ??
      (await atThreeTimes(asking, `count by (${label}) (${select})`)).map(
        ({ labels }) => labels[label] ?? '',
      );
    for (const value of values) {
      if (value === '') continue;
      const labels = found.get(value);
      if (labels === undefined) found.set(value, [label]);
      else if (!labels.includes(label)) labels.push(label);
    }
  }
  const hosts = [...found].map(([value, labels]): Host => ({ value, labels }));
  hosts.sort((a, b) => (a.value < b.value ? -1 : 1));
  // What has none of the labels is asked for as one more host.
  return [...hosts, { value: '', labels: [] }];
}

function without(labels: readonly string[]): readonly Matcher[] {
  return labels.map((label) => ({ label, values: [''] }));
}

/** Selectors that find each series of these hosts once. */
function matchersOf(hosts: readonly Host[]): readonly (readonly Matcher[])[] {
  const found = hostLabels.flatMap((label, index) => {
    const values = hosts.filter(({ labels }) => labels.includes(label)).map(({ value }) => value);
    return values.length === 0 ? [] : [[...without(hostLabels.slice(0, index)), { label, values }]];
  });
  return hosts.some(({ value }) => value === '') ? [...found, without(hostLabels)] : found;
}

async function relabelledJobs(asking: Asking, names: readonly string[]): Promise<readonly string[]> {
  const select = `${selector(names).slice(0, -1)},exported_pod!=""}`;
  const listed = await asking.client.labelValues('job', [select], asking.window, asking.signal);
  // A series without a job is not listed; that there is one at all, the count below tells.
  if (listed !== null && listed.length > 0) return listed;
  return (await atThreeTimes(asking, `count by (job) (${select})`)).map(({ labels }) => labels['job'] ?? '');
}

/** A guess that only decides how much is asked at once: the series of the fullest of three times, all along. */
async function samplesPerHost(
  asking: Asking,
  names: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const { startMs, endMs } = asking.window;
  const series = new Map<string, number>();
  const everyMs = 15_000;
  const [name = ''] = names;
  const points = await atThreeTimes(asking, `count by (${hostLabels.join(',')}) (${selector([name])})`);
  for (const { labels, value } of points) {
    const host = hostLabels.map((label) => labels[label] ?? '').find((one) => one !== '') ?? '';
    series.set(host, Math.max(series.get(host) ?? 0, value));
  }
  return new Map([...series].map(([host, count]) => [host, (count * (endMs - startMs)) / everyMs]));
}

async function atThreeTimes({ client, window, signal }: Asking, query: string) {
  const { startMs, endMs } = window;
  const times = [endMs, (startMs + endMs) / 2, startMs + 300_000].map(Math.round);
  const answers = await Promise.all(times.map((atMs) => client.points(query, atMs, signal)));
  return answers.flatMap((answer) => (answer.ok ? answer.value : []));
}

/** Where the answer would be too large, of half the hosts, then of half the time, and so on. */
async function countSamples(
  client: PrometheusClient,
  name: string,
  matchers: readonly Matcher[],
  window: Window,
  signal: AbortSignal,
  found: (labels: Labels, samples: number) => void,
): Promise<void> {
  const { startMs, endMs } = window;
  const query = `count_over_time(${over(selector([name], matchers), endMs - startMs)})`;
  const answer = await client.points(query, endMs, signal);
  if (answer.ok) {
    for (const { labels, value } of answer.value) found(labels, value);
    return;
  }
  for (const part of partsOf(matchers, window, answer))
    await countSamples(client, name, part.matchers, part.window, signal, found);
}

function partsOf(
  matchers: readonly Matcher[],
  { startMs, endMs }: Window,
  answer: Extract<Answer<unknown>, { ok: false }>,
): readonly { readonly matchers: readonly Matcher[]; readonly window: Window }[] {
  const last = matchers.at(-1);
  if (last !== undefined && last.values.length > 1 && !isAboutTime(answer.why.message)) {
    return halves(last.values).map((values) => ({
      matchers: [...matchers.slice(0, -1), { label: last.label, values }],
      window: { startMs, endMs },
    }));
  }
  const middleMs = Math.round((startMs + endMs) / 2);
  if (endMs - startMs < shortestMs) throw stillTooLarge(answer);
  return [
    { matchers, window: { startMs, endMs: middleMs } },
    { matchers, window: { startMs: middleMs, endMs } },
  ];
}

export function stillTooLarge(answer: Extract<Answer<unknown>, { ok: false }>): MicaError {
  return new MicaError(
    'server-failed',
    `The Prometheus refuses even small questions as too large: ${answer.why.message}.`,
  );
}
