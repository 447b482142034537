import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ownerFromName } from '#core/observe/owner-from-name';
import {
  contractStartMs,
  metricsSourceContract,
  sentinelMiB,
  type ContractRow,
} from '#ports/metrics-source.contract';
import type { ObserveRequest } from '#ports/metrics-source';
import { VirtualClock } from '../../../test/support/virtual-clock.js';
import type { Fetch } from './http-scrape.js';
import { dcgmSource } from './source.js';

const minuteMs = 60_000;
let folder = '';
let files = 0;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mica-dcgm-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function written(text: string, timeMs = contractStartMs): string {
  files += 1;
  const path = join(folder, `${files}.prom`);
  writeFileSync(path, text);
  utimesSync(path, timeMs / 1000, timeMs / 1000);
  return path;
}

/** Where there is no memory figure, the exporter leaves the row out; others are there. */
function rowsText(rows: readonly ContractRow[], time: (row: ContractRow) => string): string {
  return rows
    .map((row) => {
      const { gpu, holder, memoryMiB } = row;
      const labels = `{gpu="${gpu}",UUID="GPU-${gpu}",modelName="NVIDIA H100 80GB HBM3",Hostname="n1",container="c",namespace="ml",pod="${holder}"}`;
      const used = memoryMiB === sentinelMiB ? '9223372036854775794' : memoryMiB;
      const temperature = `DCGM_FI_DEV_GPU_TEMP${labels} 50${time(row)}\n`;
      return used === null ? temperature : `${temperature}DCGM_FI_DEV_FB_USED${labels} ${used}${time(row)}\n`;
    })
    .join('');
}

function minutesOf(rows: readonly ContractRow[]): readonly number[] {
  return [...new Set(rows.map(({ minute }) => minute))];
}

const noLive = { clock: new VirtualClock(), forMs: 0, everyMs: 1000 };
const common = {
  broken: async () => dcgmSource({ targets: [join(folder, 'nowhere.prom')], ...noLive }),
  nameOf: ({ holder }: ContractRow) => holder,
  hasPods: true,
  close: async () => undefined,
};

metricsSourceContract('dcgm, a file with times', async () => ({
  ...common,
  sourceOf: async (rows) => {
    const text = rowsText(rows, ({ minute }) => ` ${contractStartMs + minute * minuteMs}`);
    // By metric, as a dump of Prometheus is.
    return dcgmSource({ targets: [written(text.split('\n').sort().join('\n'))], ...noLive });
  },
}));

metricsSourceContract('dcgm, a series of files', async () => ({
  ...common,
  sourceOf: async (rows) => {
    const targets = minutesOf(rows).map((minute) =>
      written(
        rowsText(
          rows.filter((row) => row.minute === minute),
          () => '',
        ),
        contractStartMs + minute * minuteMs,
      ),
    );
    return dcgmSource({ targets: targets.reverse(), ...noLive });
  },
}));

metricsSourceContract('dcgm, live', async () => ({
  ...common,
  sourceOf: async (rows) => {
    const clock = new VirtualClock(contractStartMs);
    const fetch: Fetch = async () => {
      const minute = Math.round((clock.nowMs() - contractStartMs) / minuteMs);
      const now = rows.filter((row) => row.minute === minute);
      return now.length === 0 ? new Response('busy', { status: 503 }) : new Response(rowsText(now, () => ''));
    };
    const forMs = Math.max(...minutesOf(rows)) * minuteMs;
    return dcgmSource({ targets: ['http://n1:9400'], clock, fetch, forMs, everyMs: minuteMs });
  },
  broken: async () => {
    const fetch: Fetch = () => Promise.reject(new TypeError('fetch failed'));
    return dcgmSource({ targets: ['http://n1:9400'], ...noLive, fetch });
  },
}));

const request: ObserveRequest = {
  window: { startMs: 0, endMs: 1 },
  owners: {
    ownersOf:
      async () =>
      ({ pod }) =>
        ownerFromName(pod),
  },
  progress: () => undefined,
  signal: new AbortController().signal,
};

function fixture(name: string): string {
  return fileURLToPath(new URL(`../../../fixtures/dcgm/${name}`, import.meta.url));
}

function observeFile(path: string) {
  return dcgmSource({ targets: [path], ...noLive }).observe(request);
}

describe('fixtures', () => {
  it('trap: a cut card beside whole ones; board-wide rows are figures of nobody', async () => {
    const { workloads, gpus, dropped, notes } = await observeFile(fixture('cut-and-whole.prom'));
    expect(
      workloads.map(({ workload, namespace, memory }) => [namespace, workload, memory?.samples, memory?.max]),
    ).toEqual([
      ['ml', 'llama', 1, 61_002],
      ['search', 'bert', 2, 12_210],
    ]);
    const [llama, bert] = workloads;
    expect(llama?.activity.map(({ metric, stats }) => [metric, stats.max])).toEqual([
      ['gr-engine', 0.9715],
      ['utilization', 0.97],
    ]);
    expect(bert).toMatchObject({
      owner: { kind: 'Deployment', via: 'name' },
      devices: [{ model: 'a100-80gb', profile: '2g.20gb', samples: 2 }],
      replicas: { seen: 2, atOnce: 2 },
      devicesAtOnce: { gpus: 0, slices: 1 },
    });
    // No GPU_UTIL row for a cut card: absent, not 0.
    expect(bert?.activity.map(({ metric }) => metric)).toEqual(['gr-engine']);
    expect(gpus.map(({ index, slices }) => [index, slices.length])).toEqual([
      [0, 3],
      [1, 0],
      [2, 0],
    ]);
    expect(dropped).toEqual({ sentinel: 0, text: 5, notFinite: 0, negative: 0 });
    expect(notes).toEqual(["Who owns the pods of 2 workloads is guessed from the pods' names."]);
  });

  it('trap: the whole card beside its slice is not counted, and lends it no memory', async () => {
    const { workloads, notes } = await observeFile(fixture('card-beside-slice.prom'));
    expect(workloads).toMatchObject([
      {
        workload: 'gpu-node-b/gpu-0/gi-13',
        memory: null,
        activity: [{ metric: 'gr-engine', profile: '1g.5gb' }],
      },
    ]);
    expect(notes.join()).toMatch(/rows of the whole card/);
  });

  it('trap: new names, a ratio over 1, a sentinel', async () => {
    const { workloads, dropped } = await observeFile(fixture('renamed-fields.prom'));
    const rag = workloads.find(({ workload }) => workload === 'rag');
    expect(rag).toMatchObject({ memory: { samples: 1, max: 18_723 }, dropped: { sentinel: 1 } });
    expect(rag?.activity[0]).toMatchObject({ metric: 'sm-active', stats: { samples: 2, max: 1 } });
    expect(dropped.sentinel).toBe(1);
  });
});

describe('bad input', () => {
  it.each([
    ['', 'holds nothing'],
    ['<!DOCTYPE html><html><body>Log in</body></html>', 'holds a web page'],
    ['{"status":"success"}', 'holds JSON'],
    ['404 page not found\n', 'no row of a GPU'],
    ['node_load1 0.5\n', 'no row of a GPU'],
  ])('%j', async (text, message) => {
    await expect(observeFile(written(text))).rejects.toMatchObject({
      code: 'no-gpu-metrics',
      message: expect.stringContaining(message),
    });
  });

  it('rows of GPUs without any of ours say which are wanted', async () => {
    const { notes, workloads } = await observeFile(written('DCGM_FI_DEV_GPU_TEMP{gpu="0",pod="a"} 1\n'));
    expect(notes.join()).toMatch(/DCGM_FI_DEV_FB_USED/);
    expect(workloads).toMatchObject([{ workload: 'a', memory: null, activity: [] }]);
  });

  it('a file that is cut off in the middle of a line loses that line', async () => {
    const text = 'DCGM_FI_DEV_FB_USED{gpu="0",pod="a"} 500\nDCGM_FI_DEV_FB_USED{gpu="1",po';
    const { workloads, notes } = await observeFile(written(text));
    expect(workloads[0]?.memory?.samples).toBe(1);
    expect(notes[0]).toBe('1 line that is no metric was left out.');
  });
});

describe('exporters', () => {
  const live = { clock: new VirtualClock(), forMs: 9000, everyMs: 1000 };
  const figure = 'DCGM_FI_DEV_FB_USED{gpu="0",Hostname="HOST",pod="a"} 500\n';

  it('that fail now and then leave a gap and a note', async () => {
    let asked = 0;
    const fetch: Fetch = async (url) => {
      if (url.includes('n2')) asked += 1;
      if (url.includes('n2') && asked % 3 === 0)
        throw new TypeError('fetch failed', { cause: new Error('ECONNRESET') });
      return new Response(figure.replace('HOST', new URL(url).hostname));
    };
    const source = dcgmSource({ targets: ['http://n1:9400', 'http://n2:9400/metrics'], ...live, fetch });
    const { notes, workloads } = await source.observe(request);
    expect(notes[0]).toBe(
      'http://n2:9400/metrics did not answer 3 of 10 times: http://n2:9400/metrics: ECONNRESET.',
    );
    expect(workloads[0]?.memory?.samples).toBe(17);
    expect(workloads[0]?.devicesAtOnce.gpus).toBe(2);
  });

  it('of which none answers fail soon, by what is wrong', async () => {
    const cases = [
      [401, 'Unauthorized', 'access-refused'],
      [500, 'oh', 'server-failed'],
      [200, '<html><body>Log in</body></html>', 'not-the-api'],
    ] as const;
    for (const [status, text, code] of cases) {
      let asked = 0;
      const fetch: Fetch = async () => {
        asked += 1;
        return new Response(text, { status });
      };
      const observing = dcgmSource({ targets: ['http://n1:9400'], ...live, fetch }).observe(request);
      await expect(observing).rejects.toMatchObject({ code });
      expect(asked).toBe(3);
    }
  });

  it('that give the same row twice are asked twice for one sample', async () => {
    const fetch: Fetch = async () => new Response('DCGM_FI_DEV_FB_USED{gpu="0",pod="a"} 500 1700000000000\n');
    const { workloads } = await dcgmSource({ targets: ['http://n1:9400'], ...live, fetch }).observe(request);
    expect(workloads[0]?.memory?.samples).toBe(1);
  });

  it('are asked over HTTP at /metrics', async () => {
    const server = createServer((asked, answer) => {
      answer.statusCode = asked.url === '/metrics' ? 200 : 404;
      answer.end(figure);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const source = dcgmSource({ targets: [`http://127.0.0.1:${port}`], ...live, forMs: 0 });
    const { workloads } = await source.observe(request);
    server.close();
    expect(workloads[0]?.memory?.max).toBe(500);
  });
});
