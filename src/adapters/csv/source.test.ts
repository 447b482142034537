import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ObserveRequest } from '#ports/metrics-source';
import {
  contractStartMs,
  metricsSourceContract,
  sentinelMiB,
  type ContractRow,
} from '#ports/metrics-source.contract';
import { csvSource } from './source.js';

let folder = '';
let files = 0;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mica-csv-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function written(content: string | Buffer): string {
  files += 1;
  const path = join(folder, `${files}.csv`);
  writeFileSync(path, content);
  return path;
}

function isoTime({ minute }: ContractRow): string {
  return new Date(contractStartMs + minute * 60_000).toISOString();
}

function digits(memoryMiB: number): string {
  return memoryMiB === sentinelMiB ? '9223372036854775794' : String(memoryMiB);
}

const common = {
  broken: async () => csvSource([join(folder, 'nowhere.csv')]),
  nameOf: ({ holder }: ContractRow) => holder,
  hasPods: false,
  close: async () => undefined,
};

metricsSourceContract('csv', async () => ({
  ...common,
  sourceOf: async (rows) => {
    const lines = rows.map((row) => {
      const { gpu, holder, memoryMiB } = row;
      return `${memoryMiB === null ? '' : digits(memoryMiB)},${gpu},"${holder}",${isoTime(row)},n1`;
    });
    return csvSource([written(['memory_mib,gpu_index,workload,timestamp,host', ...lines, ''].join('\r\n'))]);
  },
}));

metricsSourceContract('csv, a log of processes by nvidia-smi', async () => ({
  ...common,
  sourceOf: async (rows) => {
    const holders = [...new Set(rows.map(({ holder }) => holder))];
    const lines = rows.map((row) => {
      const { gpu, holder, memoryMiB } = row;
      const time = isoTime(row).replaceAll('-', '/').replace('T', ' ').replace('Z', '');
      const used = memoryMiB === null ? '[N/A]' : `${digits(memoryMiB)} MiB`;
      return `${time}, GPU-${gpu}, ${100 + holders.indexOf(holder)}, /usr/bin/${holder}, ${used}`;
    });
    const header = 'timestamp, gpu_uuid, pid, process_name, used_gpu_memory [MiB]';
    return csvSource([written([header, ...lines, ''].join('\n'))]);
  },
}));

const request: ObserveRequest = {
  window: { startMs: 0, endMs: 1 },
  owners: { ownersOf: async () => () => null },
  progress: () => undefined,
  signal: new AbortController().signal,
};

function observe(...contents: readonly (string | Buffer)[]) {
  return csvSource(contents.map(written)).observe(request);
}

describe('plain CSV', () => {
  it('needs three columns, in any order, and understands the others', async () => {
    const { workloads, source, window } = await observe(
      [
        '\uFEFF# exported by hand',
        'timestamp,pod,namespace,Workload,sm_activity,memory_mib,gpu,profile,gi_id,gpu_uuid,note',
        '1700000000,bert-1,ml,bert,0.25,5000.5,NVIDIA A100-SXM4-80GB,2g.20gb,5,GPU-1,"a, b"',
        '1700000000000,bert-2,ml,bert,1.2,4000,a100-80gb,2g.20gb,6,GPU-1,',
        '2023-11-14T22:14:20Z,bert-1,ml,bert,,5001,NVIDIA A100-SXM4-80GB,2g.20gb,5,GPU-1,x',
      ].join('\n'),
    );
    expect(source).toBe('csv');
    expect(window).toEqual({ startMs: 1_700_000_000_000, endMs: 1_700_000_060_000 });
    expect(workloads).toMatchObject([
      {
        ...{ workload: 'bert', namespace: 'ml', owner: null },
        memory: { samples: 3, p50: 5000.5, max: 5001 },
        replicas: { seen: 2, atOnce: 2 },
        devicesAtOnce: { gpus: 0, slices: 1 },
      },
    ]);
    expect(workloads[0]?.devices.map(({ model, profile, samples }) => [model, profile, samples])).toEqual([
      ['a100-80gb', '2g.20gb', 2],
      ['a100-80gb', '2g.20gb', 1],
    ]);
    const activity = workloads[0]?.activity.map(({ metric, stats }) => [metric, stats.samples, stats.max]);
    expect(activity).toEqual([
      ['sm-active', 1, 0.25],
      ['sm-active', 1, 1],
    ]);
  });

  it('trap: an empty cell is absent, not 0', async () => {
    const { workloads } = await observe('workload,timestamp,memory_mib,sm_activity\na,1700000000,,0.5\n');
    expect(workloads).toMatchObject([{ workload: 'a', memory: null, activity: [{ metric: 'sm-active' }] }]);
  });

  it('trap: texts, sentinels, NaN and negative values are dropped and counted', async () => {
    const cells = ['5000', 'lots', '1e30', 'NaN', '-5', '18446744073709551615', 'inf'];
    const rows = cells.map((cell, index) => `a,${1_700_000_000 + index},${cell}`);
    const { workloads, dropped } = await observe(['workload,timestamp,memory_mib', ...rows].join('\n'));
    expect(dropped).toEqual({ sentinel: 2, text: 1, notFinite: 2, negative: 1 });
    expect(workloads[0]?.memory).toMatchObject({ samples: 1, max: 5000 });
  });

  it('leaves rows out that cannot be used, and says how many and where', async () => {
    const text = [
      ...[
        'workload,timestamp,memory_mib',
        'a,1700000000,1',
        'a,yesterday,2',
        ',1700000060,3',
        'b"",1700000000,1',
      ],
      ...['a,1700000060,4', 'a,"17', '"a"b,1700000060,4', 'workload-2,,1', 'workload,timestamp,memory_mib'],
    ].join('\n');
    const path = written(text);
    const { workloads, notes } = await csvSource([path]).observe(request);
    expect(workloads.map(({ workload, memory }) => [workload, memory?.samples])).toEqual([
      ['a', 2],
      ['b""', 1],
    ]);
    expect(notes).toEqual([
      `5 rows of ${path} were left out, the first because it has no time that can be read (line 3).`,
    ]);
  });

  it('trap: cells behind the last of the header are no figures, but half of one', async () => {
    const rows = ['a,1700000000,4096,0.5', 'a,1700000060,5,000,0.5', 'a,1700000120,4096,0.5,,'];
    const path = written(['workload,timestamp,memory_mib,sm_activity', ...rows, ''].join('\n'));
    const { workloads, notes } = await csvSource([path]).observe(request);
    expect(workloads[0]?.memory).toMatchObject({ samples: 2, p50: 4096, max: 4096 });
    expect(notes).toEqual([`1 row of ${path} was left out: it has more cells than the header (line 3).`]);
  });

  it('trap: a file that breaks off has half a figure at its end', async () => {
    const plain = 'workload,timestamp,memory_mib,sm_activity\na,1700000000,4096,0.5\na,1700000060,40';
    const smi =
      'timestamp, index, mig.mode.current, memory.used [MiB]\n' +
      '2026/11/02 08:00:00.123, 0, Disabled, 4096 MiB\n2026/11/02 08:00:10.123, 0, Disabled, ';
    for (const text of [plain, `${smi}40`, `${smi}4096 M`, smi.slice(0, -5)]) {
      const { workloads, notes } = await observe(text);
      expect(workloads[0]?.memory).toMatchObject({ samples: 1, max: 4096 });
      expect(notes[0]).toMatch(/the file ends in the middle of it \(line 3\)/);
    }
    expect((await observe(`${smi}4097 MiB`)).workloads[0]?.memory).toMatchObject({ samples: 2, max: 4097 });
  });

  it('says that times without a zone were taken for UTC', async () => {
    const { notes } = await observe('workload,timestamp,memory_mib\na,2026-11-02 08:00:00,1\n');
    expect(notes[0]).toMatch(/no zone/);
  });

  it('knows semicolons and tabs', async () => {
    for (const delimiter of [';', '\t']) {
      const rows = ['workload,timestamp,memory_mib', 'a,1700000000,5'].map((row) =>
        row.replaceAll(',', delimiter),
      );
      expect((await observe(rows.join('\n'))).workloads[0]?.memory?.max).toBe(5);
    }
  });

  it('trap: a clock that goes back is counted', async () => {
    const rows = [0, 60, 120, 60, 120].map((offset) => `a,${1_700_000_000 + offset},1`);
    const { workloads } = await observe(['workload,timestamp,memory_mib', ...rows].join('\n'));
    expect(workloads[0]?.coverage).toMatchObject({ backwards: 1 });
  });

  it('reads pieces of a large file as one', async () => {
    const rows = Array.from(
      { length: 100_000 },
      (_, index) => `w${index % 7},${1_700_000_000 + index},${index}`,
    );
    const { workloads } = await observe(['workload,timestamp,memory_mib', ...rows].join('\n'));
    expect(workloads).toHaveLength(7);
    expect(workloads.reduce((sum, { memory }) => sum + (memory?.samples ?? 0), 0)).toBe(100_000);
    expect(Math.max(...workloads.map(({ memory }) => memory!.max))).toBe(99_999);
  });
});

describe('bad files', () => {
  it.each([
    ['', 'is empty'],
    ['\n\n# nothing\n', 'is empty'],
    ['a,b,c\n1,2,3\n', 'no header of a kind that can be read; it says a, b, c'],
    ['bert,1700000000,5000\n', 'no header of a kind'],
    ['workload,memory_mib\na,1\n', 'no column timestamp'],
    ['workload,timestamp,memory_mib,timestamp\na,1,1,1\n', 'two columns are called timestamp'],
    ['workload,timestamp,memory_mib\n', 'no row that can be used'],
    [
      'workload,timestamp,memory_mib\na,b,c\n',
      'no row that can be used: it has no time that can be read (line 2)',
    ],
    ['timestamp, memory.used [MiB]\n1, 2\n', 'no column uuid or index'],
    [Buffer.from('\uFEFFworkload,timestamp\n', 'utf16le'), 'UTF-16'],
  ])('%j', async (content, message) => {
    await expect(observe(content)).rejects.toMatchObject({
      code: 'bad-csv',
      message: expect.stringContaining(message),
    });
  });

  it('a folder, and no file at all', async () => {
    await expect(csvSource([folder]).observe(request)).rejects.toMatchObject({ code: 'unreadable-file' });
    await expect(csvSource(['/nowhere']).observe(request)).rejects.toMatchObject({ code: 'unreadable-file' });
  });
});

const gpuHeader = 'timestamp, index, uuid, name, memory.used [MiB], utilization.gpu [%], mig.mode.current';
const gpuLog = [
  gpuHeader,
  '2026/11/02 08:00:00.123, 0, GPU-a, Tesla T4, 1234 MiB, 47 %, [N/A]',
  '2026/11/02 08:00:00.125, 1, GPU-b, NVIDIA A100-SXM4-80GB, 40000 MiB, [N/A], Enabled',
  '2026/11/02 08:00:10.123, 0, GPU-a, Tesla T4, [Unknown Error], 51 %, [N/A]',
  gpuHeader,
  '2026/11/02 08:00:20.123, 0, GPU-a, Tesla T4, 1300 MiB, 100 %, [N/A]',
].join('\n');

describe('logs of nvidia-smi', () => {
  it('of GPUs give figures of whole cards, in units', async () => {
    const { workloads, gpus, source, notes } = await observe(gpuLog);
    expect(source).toBe('nvidia-smi');
    expect(workloads[0]).toMatchObject({
      ...{ workload: 'gpu-0', memory: { samples: 2, max: 1300 } },
      activity: [{ metric: 'utilization', model: 't4-16gb', stats: { samples: 3, p50: 0.51, max: 1 } }],
    });
    expect(gpus.map(({ index, model }) => [index, model])).toEqual([
      [0, 't4-16gb'],
      [1, 'a100-80gb'],
    ]);
    expect(notes.some((note) => note.startsWith('gpu-1: MIG is on'))).toBe(true);
  });

  it('trap: the figure of a card that is cut is no figure of a slice, and not used', async () => {
    const { workloads } = await observe(gpuLog);
    expect(workloads.find(({ workload }) => workload === 'gpu-1')).toMatchObject({
      memory: null,
      activity: [],
    });
  });

  it('without units are the same', async () => {
    const bare = gpuLog.replaceAll(/(\d) (MiB|%)/g, '$1');
    expect((await observe(bare)).workloads).toEqual((await observe(gpuLog)).workloads);
  });

  it('of processes have names with commas and names that are hidden', async () => {
    const { workloads } = await observe(
      [
        'timestamp, gpu_uuid, pid, process_name, used_gpu_memory [MiB]',
        '2026/11/02 08:00:00.123, GPU-a, 7, /opt/a,b/serve, 900 MiB',
        '2026/11/02 08:00:00.123, GPU-a, 8, [Insufficient Permissions], 100 MiB',
        '2026/11/02 08:00:00.123, GPU-a, 9, [Not Found], [N/A]',
        '2026/11/02 08:00:10.123, GPU-a, 7, /opt/a,b/serve, 900 MiB',
      ].join('\n'),
    );
    expect(workloads.map(({ workload, memory }) => [workload, memory?.samples ?? null])).toEqual([
      ['pid 8', 1],
      ['pid 9', null],
      ['serve', 2],
    ]);
  });

  it('trap: of GPUs beside processes are not counted twice, and name the cards', async () => {
    const processes = [
      'timestamp, gpu_uuid, pid, process_name, used_gpu_memory [MiB]',
      '2026/11/02 08:00:00.200, GPU-a, 7, python, 900 MiB',
      '2026/11/02 08:00:10.200, GPU-a, 8, python, 900 MiB',
    ].join('\n');
    const { workloads, gpus } = await observe(processes, gpuLog);
    expect(workloads).toMatchObject([
      {
        workload: 'python',
        devices: [{ model: 't4-16gb' }],
        memory: { samples: 2 },
        replicas: { seen: 2, atOnce: 1 },
      },
    ]);
    expect(gpus.map(({ index }) => index)).toEqual([0, 1]);
  });

  it('trap: equal processes on one GPU are no copies of one figure', async () => {
    const rows = [7, 8].map((pid) => `2026/11/02 08:00:00, GPU-a, ${pid}, worker, 900 MiB`);
    const { workloads } = await observe(
      ['timestamp, gpu_uuid, pid, process_name, used_gpu_memory [MiB]', ...rows].join('\n'),
    );
    expect(workloads[0]?.shared).toEqual({ samples: 2, identical: 0, others: ['worker'] });
  });
});
