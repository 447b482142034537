/**
 * A small Prometheus for bad days: it knows the questions that we ask, refuses every other as the real one would, and
 * can be told to misbehave. What right answers are, the tests with the real one say.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TlsOptions } from 'node:tls';

export interface FakeSeries {
  readonly labels: Readonly<Record<string, string>>;
  /** Ascending times, unless the test is about that. */
  readonly samples: readonly (readonly [timeMs: number, value: number])[];
}

export interface FakeRequest {
  readonly path: string;
  readonly parameters: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
}

export interface FakeOptions {
  readonly series: readonly FakeSeries[];
  /** Speaks HTTPS. */
  readonly tls?: TlsOptions;
  /** Under which the API is; empty: at the root. */
  readonly prefix?: string;
  readonly mostSeries?: number;
  readonly mostSamples?: number;
  /** Instead of the API: `true`, when it has answered itself. */
  readonly instead?: (request: FakeRequest, response: ServerResponse) => boolean;
}

export interface FakePrometheus {
  readonly url: string;
  readonly requests: FakeRequest[];
  readonly close: () => Promise<void>;
}

export async function fakePrometheus(options: FakeOptions): Promise<FakePrometheus> {
  const requests: FakeRequest[] = [];
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    void bodyOf(request).then((body) => {
      const { pathname, searchParams } = new URL(request.url ?? '/', 'http://fake');
      const parameters = request.method === 'POST' ? new URLSearchParams(body) : searchParams;
      const asked = { path: pathname, parameters, headers: request.headers };
      requests.push(asked);
      if (options.instead?.(asked, response) === true) return;
      answer(options, request, asked, response);
    });
  };
  const server = options.tls === undefined ? createServer(listener) : createTlsServer(options.tls, listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http${options.tls === undefined ? '' : 's'}://127.0.0.1:${(server.address() as AddressInfo).port}${options.prefix ?? ''}`,
    requests,
    close: () => closed(server),
  };
}

function closed(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let body = '';
  for await (const chunk of request) body += String(chunk);
  return body;
}

class Refused extends Error {
  readonly status: number;
  readonly errorType: string;
  constructor(status: number, errorType: string, message: string) {
    super(message);
    this.status = status;
    this.errorType = errorType;
  }
}

function answer(
  options: FakeOptions,
  { method, headers }: IncomingMessage,
  { path, parameters }: FakeRequest,
  response: ServerResponse,
): void {
  const prefix = `${options.prefix ?? ''}/api/v1/`;
  try {
    if (!path.startsWith(prefix)) {
      response.writeHead(404, { 'content-type': 'text/plain' }).end('404 page not found');
      return;
    }
    const call = path.slice(prefix.length);
    const values = /^label\/([a-zA-Z_]\w*)\/values$/.exec(call);
    if (values !== null && method === 'GET') {
      send(response, { status: 'success', data: labelValues(options, values[1]!, parameters) });
      return;
    }
    if ((call !== 'query' && call !== 'query_range') || (method !== 'POST' && method !== 'GET'))
      throw new Refused(404, 'not_found', `no ${String(method)} ${call}`);
    if (method === 'POST' && headers['content-type'] !== 'application/x-www-form-urlencoded')
      throw new Refused(400, 'bad_data', 'not a form');
    const data = call === 'query' ? query(options, parameters) : rangeQuery(options, parameters);
    send(response, { status: 'success', data });
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    send(response, { status: 'error', errorType: error.errorType, error: error.message }, error.status);
  }
}

function send(response: ServerResponse, body: unknown, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

function timeMs(parameters: URLSearchParams, name: string): number {
  const text = parameters.get(name) ?? '';
  if (!/^\d+(\.\d+)?$/.test(text)) throw new Refused(400, 'bad_data', `invalid parameter "${name}"`);
  return Math.round(Number(text) * 1000);
}

function labelValues({ series }: FakeOptions, label: string, parameters: URLSearchParams): string[] {
  const matches = matcherOf(parameters.get('match[]') ?? '');
  const [startMs, endMs] = [timeMs(parameters, 'start'), timeMs(parameters, 'end')];
  const found = series.filter(
    ({ labels, samples }) => matches(labels) && samples.some(([at]) => at >= startMs && at <= endMs),
  );
  return [...new Set(found.flatMap(({ labels }) => labels[label] ?? []))].sort();
}

const name = '[a-zA-Z_]\\w*';
const select = `\\{(?:[^"{}]|"(?:[^"\\\\]|\\\\.)*")*\\}`;
const forms = {
  raw: new RegExp(`^(${select})\\[(\\d+)ms\\]$`),
  over: new RegExp(`^(\\w+)_over_time\\((?:(0\\.\\d+),)?(${select})\\[(\\d+)ms\\]\\)$`),
  count: new RegExp(
    `^count(?: by \\(((?:${name},?)+)\\) )?\\((${select})\\)$|^count(?: by \\(((?:${name},?)+)\\)) \\((${select})\\)$`,
  ),
};

function query(options: FakeOptions, parameters: URLSearchParams) {
  const text = parameters.get('query') ?? '';
  const atMs = timeMs(parameters, 'time');
  const raw = forms.raw.exec(text);
  if (raw !== null) {
    const found = inRange(options, raw[1]!, atMs - Number(raw[2]), atMs);
    return {
      resultType: 'matrix',
      result: found.map(({ labels, samples }) => ({
        metric: labels,
        values: samples.map(([at, value]) => pair(at, value)),
      })),
    };
  }
  const count = forms.count.exec(text);
  if (count !== null) {
    const by = (count[1] ?? count[3] ?? '').split(',').filter((label) => label !== '');
    const groups = new Map<string, { metric: Record<string, string>; count: number }>();
    for (const { labels } of inRange(options, count[2] ?? count[4]!, atMs - 300_000, atMs, true)) {
      const metric = Object.fromEntries(
        by.flatMap((label) => (labels[label] === undefined ? [] : [[label, labels[label]]])),
      );
      const group = groups.get(JSON.stringify(metric)) ?? { metric, count: 0 };
      group.count += 1;
      groups.set(JSON.stringify(metric), group);
    }
    return {
      resultType: 'vector',
      result: [...groups.values()].map((group) => ({ metric: group.metric, value: pair(atMs, group.count) })),
    };
  }
  return {
    resultType: 'vector',
    result: overTime(options, text, atMs).map(({ labels, value }) => ({
      metric: labels,
      value: pair(atMs, value),
    })),
  };
}

function rangeQuery(options: FakeOptions, parameters: URLSearchParams) {
  const [startMs, endMs, stepMs] = [
    timeMs(parameters, 'start'),
    timeMs(parameters, 'end'),
    timeMs(parameters, 'step'),
  ];
  if (stepMs <= 0 || endMs < startMs || (endMs - startMs) / stepMs > 11_000)
    throw new Refused(400, 'bad_data', 'exceeded maximum resolution of 11,000 points per timeseries');
  const found = new Map<string, { metric: Readonly<Record<string, string>>; values: unknown[] }>();
  for (let atMs = startMs; atMs <= endMs; atMs += stepMs) {
    for (const { labels, value } of overTime(options, parameters.get('query') ?? '', atMs)) {
      const key = JSON.stringify(labels);
      const series = found.get(key) ?? { metric: labels, values: [] };
      series.values.push(pair(atMs, value));
      found.set(key, series);
    }
  }
  return { resultType: 'matrix', result: [...found.values()] };
}

function overTime(options: FakeOptions, text: string, atMs: number) {
  const [, kind, part, of, rangeMs] = forms.over.exec(text) ?? [];
  if (kind === undefined || of === undefined) throw new Refused(400, 'bad_data', `parse error: ${text}`);
  return inRange(options, of, atMs - Number(rangeMs), atMs, true).map(({ labels, samples }) => {
    const rest = Object.fromEntries(Object.entries(labels).filter(([label]) => label !== '__name__'));
    return {
      labels: rest,
      value: aggregate(
        kind,
        part,
        samples.map(([, value]) => value),
      ),
    };
  });
}

function aggregate(kind: string, part: string | undefined, values: number[]): number {
  switch (kind) {
    case 'count':
      return values.length;
    case 'sum':
      return values.reduce((sum, value) => sum + value, 0);
    case 'min':
      return Math.min(...values);
    case 'max':
      return Math.max(...values);
    case 'last':
      return values.at(-1) ?? NaN;
    case 'quantile': {
      const sorted = values.toSorted((a, b) => a - b);
      const rank = Number(part) * (sorted.length - 1);
      const below = sorted[Math.floor(rank)]!;
      return below + (sorted[Math.ceil(rank)]! - below) * (rank % 1);
    }
    default:
      throw new Refused(400, 'bad_data', `unknown function with name "${kind}_over_time"`);
  }
}

function inRange(
  options: FakeOptions,
  of: string,
  fromMs: number,
  toMs: number,
  summed = false,
): readonly FakeSeries[] {
  const matches = matcherOf(of);
  const found: FakeSeries[] = [];
  let samples = 0;
  for (const series of options.series) {
    if (!matches(series.labels)) continue;
    const inside = series.samples.filter(([at]) => at > fromMs && at <= toMs);
    if (inside.length === 0) continue;
    found.push({ labels: series.labels, samples: inside });
    samples += inside.length;
  }
  if (
    found.length > (options.mostSeries ?? Infinity) ||
    (!summed && samples > (options.mostSamples ?? Infinity))
  )
    throw new Refused(
      422,
      'execution',
      'query processing would load too many samples into memory in query execution',
    );
  return found;
}

function matcherOf(text: string): (labels: Readonly<Record<string, string>>) => boolean {
  const inside = /^\{(.*)\}$/s.exec(text)?.[1];
  const parts = [...(inside ?? '').matchAll(/(\w+)(=~|!=|=)"((?:[^"\\]|\\.)*)"(,|$)/g)];
  if (inside === undefined || parts.map(([whole]) => whole).join('') !== inside)
    throw new Refused(400, 'bad_data', `parse error: ${text}`);
  const tests = parts.map(([, label = '', operator, quoted = '']) => {
    const value = JSON.parse(`"${quoted}"`) as string;
    // 100,000 series times a long list of alternatives is too much for a regular expression.
    const isPlain = /^(?:[^\\.*+?^$()[\]{}]|\\.)*$/.test(value);
    const words = isPlain ? new Set(value.split('|').map((word) => word.replaceAll(/\\(.)/g, '$1'))) : null;
    const pattern =
      operator === '=~'
        ? { test: (own: string) => words?.has(own) ?? new RegExp(`^(?:${value})$`).test(own) }
        : null;
    return (labels: Readonly<Record<string, string>>): boolean => {
      const own = labels[label] ?? '';
      if (pattern !== null) return pattern.test(own);
      return (own === value) === (operator === '=');
    };
  });
  // As Prometheus has it: a question that could match everything is none.
  if (!parts.some(([, , operator, value]) => operator === '!=' || value !== ''))
    throw new Refused(400, 'bad_data', 'no matcher');
  return (labels) => tests.every((test) => test(labels));
}

function pair(atMs: number, value: number): readonly [number, string] {
  return [atMs / 1000, value === Infinity ? '+Inf' : String(value)];
}
