/** Bad days of a Prometheus: a clear error, a flagged row, or an answer all the same; never a wrong number. Long, since bad days are many. */
import { createServer } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { MicaError } from '#core/errors';
import type { Observation } from '#core/observe/observation';
import type { Clock } from '#ports/clock';
import type { PodOwners } from '#ports/pod-owners';
import {
  fakePrometheus,
  type FakeOptions,
  type FakePrometheus,
  type FakeSeries,
} from '../../../test/support/fake-prometheus.js';
import { prometheusSource, type PrometheusOptions } from './source.js';

const endMs = Date.UTC(2026, 2, 1);
const window = { startMs: endMs - 6 * 3_600_000, endMs };
const minutes = 360;

const nobodyKnows: PodOwners = { ownersOf: async () => () => null };

/** A clock on which waiting takes no time. */
function quickClock(): Clock & { readonly waitsMs: number[] } {
  const waitsMs: number[] = [];
  return {
    waitsMs,
    nowMs: () => endMs,
    sleep: async (ms) => {
      waitsMs.push(ms);
    },
  };
}

async function serve(options: Partial<FakeOptions>): Promise<FakePrometheus> {
  const fake = await fakePrometheus({ series: [], ...options });
  onTestFinished(() => fake.close());
  return fake;
}

async function observe(
  url: string,
  options: Partial<PrometheusOptions> = {},
  owners: PodOwners = nobodyKnows,
): Promise<Observation> {
  const { source, close } = prometheusSource({ url, clock: quickClock(), ...options });
  try {
    return await source.observe({
      window,
      owners,
      progress: () => undefined,
      signal: new AbortController().signal,
    });
  } finally {
    await close();
  }
}

async function failure(url: string, options: Partial<PrometheusOptions> = {}): Promise<MicaError> {
  const error: unknown = await observe(url, options).then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!(error instanceof MicaError)) throw new Error(`not a MicaError: ${String(error)}`);
  return error;
}

interface Row {
  readonly name?: string;
  readonly host?: string;
  readonly gpu?: number;
  readonly pod?: string;
  readonly value?: (minute: number) => number;
  readonly timeMs?: (minute: number) => number;
  readonly minutes?: readonly number[];
  readonly more?: Readonly<Record<string, string>>;
}

const every = Array.from({ length: minutes }, (_, minute) => minute);
const onTheMinute = (minute: number): number => window.startMs + minute * 60_000 + 500;

function row({
  name = 'DCGM_FI_DEV_FB_USED',
  host = 'node-1',
  gpu = 0,
  pod = 'train',
  value = (minute) => 5000 + (minute % 7),
  timeMs = onTheMinute,
  minutes: at = every,
  more = {},
}: Row = {}): FakeSeries {
  return {
    labels: {
      __name__: name,
      UUID: `GPU-${host}-${gpu}`,
      gpu: String(gpu),
      Hostname: host,
      modelName: 'NVIDIA L4',
      ...(pod === '' ? {} : { namespace: 'ml', pod, container: 'main' }),
      ...more,
    },
    samples: at.map((minute) => [timeMs(minute), value(minute)]),
  };
}

describe('a Prometheus that cannot be read', () => {
  it('does not answer', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as { port: number };
    await new Promise((resolve) => server.close(resolve));
    const error = await failure(`http://audit:hunter2@127.0.0.1:${port}/prometheus?token=hunter2`);
    expect(error.code).toBe('server-unreachable');
    expect(error.message).toBe(`Nothing answers at http://127.0.0.1:${port}/prometheus (ECONNREFUSED).`);
  });

  it('wants other credentials, and is never told on', async () => {
    for (const status of [401, 403]) {
      const fake = await serve({
        instead: (_, response) => {
          response.writeHead(status).end('who are you');
          return true;
        },
      });
      const error = await failure(fake.url.replace('//', '//audit:hunter2@'), {
        headers: { 'X-Scope-OrgID': 'team-hunter2' },
      });
      expect([error.code, error.exit]).toEqual(['access-refused', 3]);
      expect(error.message).toContain(String(status));
      expect(`${error.message} ${error.next}`).not.toContain('hunter2');
      const [first] = fake.requests;
      expect(first?.headers.authorization).toBe(`Basic ${Buffer.from('audit:hunter2').toString('base64')}`);
      expect(first?.headers['x-scope-orgid']).toBe('team-hunter2');
    }
  });

  it.each([
    ['a log-in page', 200, '<!DOCTYPE html><html><body>Sign in</body></html>', 'a web page'],
    [
      'half a JSON',
      200,
      '{"status":"success","data":{"resultType":"vector","result":[{"metric":{',
      'breaks off',
    ],
    ['an empty answer', 200, '', 'nothing at all'],
    ['another JSON', 200, '{"hello":"world"}', 'another shape'],
    [
      'another API',
      200,
      '{"status":"success","data":{"resultType":"scalar","result":[1,"2"]}}',
      'another shape',
    ],
    ['a way to somewhere else', 302, '', 'sends its callers elsewhere'],
    ['no API', 404, '404 page not found', 'no Prometheus API'],
  ])('answers with %s', async (_, status, body, words) => {
    const fake = await serve({
      instead: (_request, response) => {
        response.writeHead(status, status === 302 ? { location: 'https://login.example' } : {}).end(body);
        return true;
      },
    });
    const error = await failure(fake.url);
    expect(error.code).toBe('not-the-api');
    expect(error.message).toContain(words);
    expect(error.next).not.toBe('');
  });

  it('says itself what is wrong', async () => {
    for (const status of [200, 400, 500]) {
      const fake = await serve({
        instead: (_, response) => {
          response
            .writeHead(status)
            .end(JSON.stringify({ status: 'error', errorType: 'internal', error: 'the disk is on fire' }));
          return true;
        },
      });
      const error = await failure(fake.url);
      expect(error.code).toBe('server-failed');
      expect(error.message).toContain('the disk is on fire');
    }
  });

  it('hangs up in the middle, each time', async () => {
    const fake = await serve({
      instead: (_, response) => {
        response.writeHead(200, { 'content-length': '1000' }).write('{"status":');
        setTimeout(() => response.destroy(), 5);
        return true;
      },
    });
    const error = await failure(fake.url);
    expect(error.code).toBe('server-unreachable');
  });

  it('takes its time for ever', async () => {
    const fake = await serve({ instead: () => true });
    const error = await failure(fake.url, { timeoutMs: 300 });
    expect(error.code).toBe('server-unreachable');
    expect(error.message).toContain('no answer within 0.3 s');
  });

  it('has nothing about GPUs', async () => {
    const fake = await serve({ series: [row({ name: 'up' })] });
    expect((await failure(fake.url)).code).toBe('no-gpu-metrics');
  });

  it('has an address that is none', async () => {
    for (const url of ['prometheus:9090', 'ftp://prometheus', 'http//:hunter2@x', '']) {
      const error = await failure(url);
      expect(error.code, url).toBe('bad-url');
      expect(error.message).not.toContain('hunter2');
    }
  });
});

describe('a Prometheus on a bad day', () => {
  const fleet = [
    row(),
    row({ name: 'DCGM_FI_PROF_GR_ENGINE_ACTIVE', value: (minute) => (minute % 10) / 10 }),
  ];

  it('is busy at first, and asked again after the time that it names', async () => {
    let times = 0;
    const clock = quickClock();
    const fake = await serve({
      series: fleet,
      instead: (_, response) => {
        times += 1;
        if (times > 3) return false;
        response
          .writeHead([503, 429, 504][times - 1]!, times === 2 ? { 'retry-after': '7' } : {})
          .end('later');
        return true;
      },
    });
    const { workloads } = await observe(fake.url, { clock });
    expect(workloads).toHaveLength(1);
    expect(clock.waitsMs).toEqual([500, 7000, 2000]);
  });

  it('hangs up once', async () => {
    let times = 0;
    const fake = await serve({
      series: fleet,
      instead: ({ path }, response) => {
        if (!path.endsWith('/query') || times > 0) return false;
        times += 1;
        response
          .writeHead(200, { 'content-length': '1000' })
          .write('{"status":"success","data":{"resultType":"vec');
        setTimeout(() => response.destroy(), 5);
        return true;
      },
    });
    const { workloads } = await observe(fake.url);
    expect(workloads[0]?.memory?.samples).toBe(minutes);
  });

  it('stands behind a path, and lets only GET through', async () => {
    const fake = await serve({ series: fleet, prefix: '/prometheus' });
    expect((await observe(`${fake.url}/`)).workloads).toHaveLength(1);
    expect((await observe(`${fake.url}/api/v1`)).workloads).toHaveLength(1);
    let posts = 0;
    const picky = await serve({
      series: fleet,
      instead: ({ headers }, response) => {
        if (headers['content-type'] === undefined) return false;
        posts += 1;
        response.writeHead(405).end();
        return true;
      },
    });
    expect((await observe(picky.url, { concurrency: 1 })).workloads).toHaveLength(1);
    expect(posts).toBeLessThanOrEqual(3);
  });

  it('does not list labels', async () => {
    const fake = await serve({
      series: fleet,
      instead: ({ path }, response) => {
        if (!path.includes('/label/')) return false;
        response.writeHead(404).end();
        return true;
      },
    });
    const { workloads } = await observe(fake.url);
    expect(workloads[0]?.memory?.samples).toBe(minutes);
  });

  it('takes only small questions, and the figures are the same', async () => {
    const series = [0, 1, 2, 3, 4, 5].flatMap((gpu) => [
      row({
        host: `node-${gpu}`,
        pod: `job-${gpu}`,
        minutes: every.slice(gpu * 20),
        value: (minute) => 1000 * gpu + minute,
      }),
      row({
        host: `node-${gpu}`,
        pod: `job-${gpu}`,
        name: 'DCGM_FI_PROF_SM_ACTIVE',
        minutes: every.slice(gpu * 20),
        value: () => 0.5,
      }),
    ]);
    const generous = await observe((await serve({ series })).url);
    const strict = await observe((await serve({ series, mostSamples: 100, mostSeries: 2 })).url);
    expect(strict.workloads).toHaveLength(6);
    const figures = ({ workloads }: Observation) =>
      workloads.map(({ memory, activity, coverage }) => ({
        memory: { ...memory, top: 0 },
        activity: activity.map(({ stats }) => stats.samples),
        coverage,
      }));
    expect(figures(strict)).toEqual(figures(generous));
  });

  it('keeps no question for longer than an hour', async () => {
    const fake = await serve({
      series: fleet,
      instead: ({ parameters }, response) => {
        const rangeMs = Number(/\[(\d+)ms\]/.exec(parameters.get('query') ?? '')?.[1] ?? 0);
        if (rangeMs <= 3_600_000) return false;
        const error = `the query time range exceeds the limit (query length: ${rangeMs}ms, limit: 1h)`;
        response.writeHead(422).end(JSON.stringify({ status: 'error', errorType: 'execution', error }));
        return true;
      },
    });
    const { workloads } = await observe(fake.url);
    expect(workloads[0]?.memory).toMatchObject({ samples: minutes, max: 5006 });
    expect(workloads[0]?.coverage).toMatchObject({ missingMs: 0, backwards: 0 });
  });

  it('refuses even the smallest questions', async () => {
    const error = await failure((await serve({ series: fleet, mostSeries: 0 })).url);
    expect(error.code).toBe('server-failed');
    expect(error.message).toContain('too many samples');
  });

  it('warns that a part is missing', async () => {
    const fake = await serve({
      series: fleet,
      instead: ({ path, parameters }, response) => {
        if (!path.endsWith('/query') || !(parameters.get('query') ?? '').startsWith('count_over'))
          return false;
        const metric = { ...fleet[0]!.labels };
        response.end(
          JSON.stringify({
            status: 'success',
            warnings: ['store gateway eu-1 is away'],
            data: { resultType: 'vector', result: [{ metric, value: [1, String(minutes)] }] },
          }),
        );
        return true;
      },
    });
    expect((await observe(fake.url)).notes.join('\n')).toContain('store gateway eu-1 is away');
  });
});

describe('samples that are not what they seem', () => {
  it('NaN, infinities and sentinels are counted, and no figure', async () => {
    const value = (minute: number): number => [NaN, Infinity, 2 ** 63][minute] ?? 6000;
    const { workloads, dropped } = await observe((await serve({ series: [row({ value })] })).url);
    expect(workloads[0]?.memory).toMatchObject({ samples: minutes - 3, max: 6000 });
    expect(dropped).toEqual({ sentinel: 1, text: 0, notFinite: 2, negative: 0 });
  });

  it('a clock that jumped leaves a gap, or shows that it went back', async () => {
    const ahead = row({
      pod: 'ahead',
      timeMs: (minute) => onTheMinute(minute < 100 ? minute : minute + 200),
      minutes: every.slice(0, 160),
    });
    const back = row({
      pod: 'back',
      gpu: 1,
      timeMs: (minute) => onTheMinute(minute < 200 ? minute : minute - 50),
    });
    const { workloads } = await observe((await serve({ series: [ahead, back] })).url);
    const coverage = (name: string) => workloads.find(({ workload }) => workload === name)?.coverage;
    expect(coverage('ahead')).toMatchObject({ largestGapMs: 201 * 60_000, backwards: 0 });
    expect(coverage('back')).toMatchObject({ backwards: 1 });
  });

  it('one exporter that two jobs scrape is counted once', async () => {
    const twice = ['a', 'b'].map((job) =>
      row({ more: { job }, timeMs: (minute) => onTheMinute(minute) + (job === 'a' ? 0 : 20_000) }),
    );
    const { workloads } = await observe((await serve({ series: twice })).url);
    expect(workloads[0]?.memory?.samples).toBe(minutes);
    expect(workloads[0]?.coverage.everyMs).toBe(60_000);
  });

  it('a whole card beside its slices is left out, also where those have activity only', async () => {
    const slice = { GPU_I_ID: '5', GPU_I_PROFILE: '1g.10gb' };
    const name = 'DCGM_FI_PROF_GR_ENGINE_ACTIVE';
    const series = [
      row({ pod: '' }),
      row({ name, pod: '', value: () => 1 }),
      row({ name, more: slice, value: () => 0.5 }),
    ];
    const { workloads, notes } = await observe((await serve({ series })).url);
    expect(workloads).toMatchObject([
      {
        workload: 'train',
        memory: null,
        activity: [{ metric: 'gr-engine', samples: minutes, stats: { max: 0.5 } }],
      },
    ]);
    expect(notes.join()).toMatch(/rows of the whole card stood beside/);
  });

  it('slices of one card are seen at one time, whoever sums them up', async () => {
    const series = [1, 2].map((id) =>
      row({ pod: id === 1 ? 'train' : '', more: { GPU_I_ID: String(id), GPU_I_PROFILE: '1g.10gb' } }),
    );
    const { gpus, workloads } = await observe((await serve({ series })).url);
    expect(workloads[0]?.memory?.top).toBeNull();
    expect(gpus).toMatchObject([{ heldSamples: minutes, freeSamples: 0 }]);
  });

  it('a card without a UUID is found by its host', async () => {
    const series = [0, 1].map((gpu) =>
      row({ gpu, pod: `p-${gpu}`, more: { UUID: '', Hostname: '', instance: 'node.with+signs:9400' } }),
    );
    const { workloads, gpus } = await observe((await serve({ series })).url);
    expect(workloads.map(({ memory }) => memory?.samples)).toEqual([minutes, minutes]);
    expect(gpus.map(({ host, index }) => [host, index])).toEqual([
      ['node.with+signs', 0],
      ['node.with+signs', 1],
    ]);
  });
});

describe('a server that keeps less than the window', () => {
  it('still sums up what is steady in what it keeps', async () => {
    const kept = every.slice(180);
    const series = [0, 1].map((gpu) => row({ gpu, pod: `p-${gpu}`, minutes: kept }));
    const { workloads } = await observe((await serve({ series })).url);
    for (const { memory, coverage } of workloads) {
      expect(memory).toMatchObject({ samples: 180, top: null });
      expect(coverage).toMatchObject({ firstMs: onTheMinute(180), lastMs: onTheMinute(359), missingMs: 0 });
    }
  });
});

describe('a server that is asked too often', () => {
  it('is not asked even more', async () => {
    const fake = await serve({
      instead: (_, response) => {
        response
          .writeHead(429)
          .end('{"status":"error","errorType":"too_many_requests","error":"rate limit exceeded"}');
        return true;
      },
    });
    expect((await failure(fake.url)).message).toContain('rate limit exceeded');
    expect(fake.requests.length).toBeLessThanOrEqual(16);
  });
});

describe('100,000 series', () => {
  it('are read in parts, with a note', { timeout: 180_000 }, async () => {
    const minutes = [10, 130, 250];
    const series = Array.from({ length: 101_000 }, (_, index) =>
      row({
        host: `node-${Math.floor(index / 500)}`,
        gpu: index % 8,
        pod: `short-${index % 1000}-${index}`,
        minutes,
        value: () => index % 80_000,
      }),
    );
    const fake = await serve({ series, mostSeries: 20_000 });
    const byName: PodOwners = {
      ownersOf:
        async () =>
        ({ pod }) => ({ kind: 'Job', name: pod.replace(/-\d+$/, ''), via: 'name' }),
    };
    const { workloads, notes } = await observe(fake.url, {}, byName);
    expect(workloads).toHaveLength(1000);
    expect(workloads.every(({ memory }) => memory?.samples === 303)).toBe(true);
    expect(notes.join('\n')).toContain('101000 series');
  });
});
