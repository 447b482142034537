/** The four questions that we ask of a Prometheus, with typed answers. */
import { z } from 'zod';
import { MicaError } from '#core/errors';
import type { Endpoint } from './endpoint.js';
import { isTooLarge, notTheApi, statusFailure } from './failures.js';
import { Arena, NotJson, ResponseReader, TooLarge, type Samples } from './response.js';
import type { Call, Transport } from './transport.js';

export type Labels = Readonly<Record<string, string>>;

/** A value per series, as an instant query answers. */
export interface Point {
  readonly labels: Labels;
  readonly value: number;
}

export interface Series {
  readonly labels: Labels;
  readonly samples: Samples;
}

/** All series of an answer; their samples are gone when it returns. */
export type TakeSeries = (series: readonly Series[]) => void;

/** A limit of the server or of ours was hit, and a part of the question may be answered. */
export type Answer<T> =
  | { readonly ok: true; readonly value: T }
  | {
      readonly ok: false;
      readonly why: { readonly kind: 'too-large' | 'timed-out'; readonly message: string };
    };

export interface PrometheusClient {
  readonly points: (query: string, atMs: number, signal: AbortSignal) => Promise<Answer<readonly Point[]>>;
  /** Of a range selector: the samples as they are stored. */
  readonly samples: (
    query: string,
    atMs: number,
    signal: AbortSignal,
    take: TakeSeries,
  ) => Promise<Answer<undefined>>;
  readonly range: (
    query: string,
    range: { readonly startMs: number; readonly endMs: number; readonly stepMs: number },
    signal: AbortSignal,
    take: TakeSeries,
  ) => Promise<Answer<undefined>>;
  /** `null`: the server does not know this question. */
  readonly labelValues: (
    label: string,
    match: readonly string[],
    range: { readonly startMs: number; readonly endMs: number },
    signal: AbortSignal,
  ) => Promise<readonly string[] | null>;
  /** What the server warned of, each once: a part of the data was not at hand. */
  readonly warnings: ReadonlySet<string>;
  readonly close: () => Promise<void>;
}

const limits = { skeletonBytes: 64 * 1024 * 1024, samples: 3_000_000 };

const labels = z.record(z.string(), z.string());
const success = { status: z.literal('success'), warnings: z.array(z.string()).optional() };
const vector = z.object({
  ...success,
  data: z.object({
    resultType: z.literal('vector'),
    result: z.array(z.object({ metric: labels, value: z.tuple([z.number(), z.string()]) })),
  }),
});
const matrix = z.object({
  ...success,
  data: z.object({
    resultType: z.literal('matrix'),
    result: z.array(z.object({ metric: labels, values: z.int().optional() })),
  }),
});
const names = z.object({ ...success, data: z.array(z.string()) });
const failure = z.object({
  status: z.literal('error'),
  errorType: z.string().optional(),
  error: z.string().optional(),
});

export function prometheusClient(
  endpoint: Endpoint,
  transport: Transport,
  timeoutMs: number,
): PrometheusClient {
  const warnings = new Set<string>();
  /** As many as questions with samples were ever asked at one time. */
  const arenas: Arena[] = [];
  let method: Call['method'] = 'POST';

  const ask = async <T extends { warnings?: string[] | undefined }>(
    shape: z.ZodType<T>,
    call: Call,
    signal: AbortSignal,
    arena?: Arena,
  ): Promise<Answer<{ readonly body: T; readonly series: readonly Samples[] }>> => {
    const answer = await transport.exchange(call, (body) => readBody(body, arena), signal);
    if (answer.kind === 'timed-out') return tooLarge(`no answer within ${timeoutMs / 1000} s`, 'timed-out');
    if (answer.kind === 'status') {
      // Some gateways let only GET through.
      if (answer.status === 405 && call.method === 'POST') {
        method = 'GET';
        return ask(shape, { ...call, method: 'GET' }, signal, arena);
      }
      const { errorType, error } = parsedFailure(answer.said);
      if (isTooLarge(answer.status, errorType, error)) return tooLarge(error);
      throw statusFailure(endpoint.shown, answer.status, error);
    }
    const { value } = answer;
    if (value.kind === 'too-large') return tooLarge(value.message);
    if (value.kind === 'not-json')
      throw notTheApi(
        endpoint.shown,
        value.html ? 'a web page, as a log-in or a front page is' : value.message,
      );
    const parsed = shape.safeParse(value.skeleton);
    if (!parsed.success) {
      const failed = failure.safeParse(value.skeleton);
      if (!failed.success) throw notTheApi(endpoint.shown, 'the JSON has another shape than its API');
      const { errorType = '', error = '' } = failed.data;
      if (isTooLarge(200, errorType, error)) return tooLarge(error);
      throw new MicaError('server-failed', `${endpoint.shown} answers with an error: ${error}.`);
    }
    for (const warning of parsed.data.warnings ?? []) if (warnings.size < 10) warnings.add(warning);
    return { ok: true, value: { body: parsed.data, series: value.series } };
  };

  const seriesOf = async (
    path: string,
    parameters: Readonly<Record<string, string>>,
    signal: AbortSignal,
    take: TakeSeries,
  ): Promise<Answer<undefined>> => {
    const arena = arenas.pop() ?? new Arena();
    try {
      const answer = await ask(matrix, { method, path, parameters }, signal, arena);
      if (!answer.ok) return answer;
      const { body, series } = answer.value;
      take(
        body.data.result.flatMap(({ metric, values }) => {
          const samples = values === undefined ? undefined : series[values];
          return samples === undefined ? [] : [{ labels: metric, samples }];
        }),
      );
      return { ok: true, value: undefined };
    } finally {
      arenas.push(arena);
    }
  };

  return {
    points: async (query, atMs, signal) => {
      const parameters = { query, time: seconds(atMs) };
      const answer = await ask(vector, { method, path: '/api/v1/query', parameters }, signal);
      if (!answer.ok) return answer;
      const { result } = answer.value.body.data;
      return {
        ok: true,
        value: result.map(({ metric, value }) => ({ labels: metric, value: spelled(value[1]) })),
      };
    },
    samples: (query, atMs, signal, take) =>
      seriesOf('/api/v1/query', { query, time: seconds(atMs) }, signal, take),
    range: (query, { startMs, endMs, stepMs }, signal, take) =>
      seriesOf(
        '/api/v1/query_range',
        { query, start: seconds(startMs), end: seconds(endMs), step: seconds(stepMs) },
        signal,
        take,
      ),
    labelValues: async (label, match, { startMs, endMs }, signal) => {
      const results: string[] = [];
      for (const selector of match) {
        const parameters = { 'match[]': selector, start: seconds(startMs), end: seconds(endMs) };
        const path = `/api/v1/label/${label}/values`;
        try {
          const answer = await ask(names, { method: 'GET', path, parameters }, signal);
          // This is a small question: a server that has no time for it has none for larger ones.
          if (!answer.ok && answer.why.kind === 'timed-out')
            throw new MicaError(
              'server-unreachable',
              `${endpoint.shown} takes the question and gives ${answer.why.message}.`,
            );
          if (!answer.ok) return null;
          results.push(...answer.value.body.data);
        } catch (error) {
          // Asked of the query API next, which says the same thing if it is the server's fault.
          if (error instanceof MicaError && (error.code === 'not-the-api' || error.code === 'server-failed'))
            return null;
          throw error;
        }
      }
      return [...new Set(results)].sort();
    },
    warnings,
    close: transport.close,
  };
}

type Body =
  | { readonly kind: 'json'; readonly skeleton: unknown; readonly series: readonly Samples[] }
  | { readonly kind: 'too-large'; readonly message: string }
  | { readonly kind: 'not-json'; readonly html: boolean; readonly message: string };

async function readBody(body: AsyncIterable<Uint8Array>, arena?: Arena): Promise<Body> {
  const reader = new ResponseReader(limits, arena);
  try {
    for await (const chunk of body) reader.push(chunk);
    return { kind: 'json', skeleton: reader.finish(), series: reader.series };
  } catch (error) {
    if (error instanceof TooLarge) return { kind: 'too-large', message: error.message };
    if (!(error instanceof NotJson)) throw error;
    const beginning = reader.beginning();
    if (beginning === '') return { kind: 'not-json', html: false, message: 'with nothing at all' };
    return beginning.startsWith('{')
      ? { kind: 'not-json', html: false, message: 'its JSON breaks off or is damaged' }
      : { kind: 'not-json', html: /^<(!doctype|html)/i.test(beginning), message: 'not with JSON' };
  }
}

function tooLarge(
  message: string,
  kind: 'too-large' | 'timed-out' = 'too-large',
): Extract<Answer<never>, { ok: false }> {
  return { ok: false, why: { kind, message } };
}

/** Of an answer that is not a 200: Prometheus explains itself in JSON, what stands before it in text or HTML. */
function parsedFailure(said: string): { readonly errorType: string; readonly error: string } {
  try {
    const { errorType = '', error = '' } = failure.parse(JSON.parse(said));
    return { errorType, error };
  } catch {
    return {
      errorType: '',
      error: said.trimStart().startsWith('<') ? '' : said.replaceAll(/\s+/g, ' ').trim().slice(0, 300),
    };
  }
}

function spelled(value: string): number {
  return value === '+Inf' ? Infinity : value === '-Inf' ? -Infinity : Number(value);
}

function seconds(ms: number): string {
  return String(ms / 1000);
}
