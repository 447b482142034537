/** Ten million samples of a CSV in one pass: the scanner, the collector and the percentiles, without a database. */
import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { atMost, type Bar, type Bench, type BenchOptions, type Outcome } from './harness.js';
import { randomFrom } from './random.js';

const seed = 101;
const firstMs = Date.UTC(2026, 10, 2);

export const auditCsv: Bench = {
  name: 'audit-csv',
  about: `10^7 samples of 500 workloads in one CSV, one pass in a process of its own, seed ${seed}`,
  run: runAuditCsv,
};

interface Layout {
  readonly name: string;
  readonly header: string;
  /** The promise is about the columns that a plain CSV has. */
  readonly hasBar: boolean;
  /** The part of a row behind workload and time. */
  readonly cells: (workload: number, memoryMiB: number, share: number) => string;
}

const layouts: readonly Layout[] = [
  {
    name: 'workload,timestamp,memory_mib',
    header: 'workload,timestamp,memory_mib',
    hasBar: true,
    cells: (_, memoryMiB) => String(memoryMiB),
  },
  {
    name: 'with sm_activity',
    header: 'workload,timestamp,memory_mib,sm_activity',
    hasBar: true,
    cells: (_, memoryMiB, share) => `${memoryMiB},${share.toFixed(4)}`,
  },
  {
    name: 'with sm_activity, pod and slice',
    header: 'workload,timestamp,memory_mib,sm_activity,pod,gpu,gpu_uuid,profile,gi_id',
    hasBar: false,
    cells: (workload, memoryMiB, share) =>
      `${memoryMiB},${share.toFixed(4)},train-${workload}-x7k2p,h100-80gb-sxm,GPU-${workload >> 2},1g.20gb,${workload & 3}`,
  },
];

interface Pass {
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly peakMiB: number;
  readonly samples: number;
  readonly workloads: number;
}

function runAuditCsv({ quick }: BenchOptions): Outcome {
  const samples = quick ? 500_000 : 10_000_000;
  const folder = mkdtempSync(join(tmpdir(), 'mica-audit-csv-'));
  try {
    const passes = layouts.map((layout) => {
      const path = join(folder, 'samples.csv');
      const bytes = writeSamples(path, layout, samples);
      return { layout, bytes, pass: passOver(path) };
    });
    return {
      rows: passes.map(({ layout, bytes, pass }) => ({
        columns: layout.name,
        samples: pass.samples,
        workloads: pass.workloads,
        'file MB': (bytes / 1e6).toFixed(0),
        seconds: pass.seconds.toFixed(2),
        'CPU seconds': pass.cpuSeconds.toFixed(2),
        'peak MiB': pass.peakMiB.toFixed(0),
      })),
      bars: passes.flatMap(({ layout, pass }): Bar[] => [
        ...(layout.hasBar
          ? [
              atMost(`${layout.name}: seconds`, pass.seconds, 15),
              atMost(`${layout.name}: peak resident MB`, pass.peakMiB * 1.048576, 400, 0),
            ]
          : []),
        {
          what: `${layout.name}: samples read`,
          bar: `= ${samples}`,
          measured: String(pass.samples),
          met: pass.samples === samples,
        },
      ]),
      notes: ['Seconds are on the clock; where CPU seconds are far fewer, the machine had other work.'],
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function passOver(path: string): Pass {
  const child = fileURLToPath(new URL('./audit-csv-child.ts', import.meta.url));
  const options = { encoding: 'utf8' } as const;
  return JSON.parse(
    execFileSync(process.execPath, ['--conditions=source', '--import', 'tsx', child, path], options),
  ) as Pass;
}

/** In the order of time, all workloads of a minute together, as an exporter would write them. */
function writeSamples(path: string, { header, cells }: Layout, samples: number): number {
  const random = randomFrom(seed);
  const workloads = 500;
  const file = openSync(path, 'w');
  let bytes = writeSync(file, `${header}\n`);
  let rows: string[] = [];
  for (let sample = 0; sample < samples; sample += 1) {
    const workload = sample % workloads;
    const time = new Date(firstMs + Math.floor(sample / workloads) * 60_000).toISOString();
    const memoryMiB = 2000 + 100 * workload + random.below(4000);
    rows.push(
      `team-${workload % 20}-job-${workload},${time},${cells(workload, memoryMiB, random.uniform())}\n`,
    );
    if (rows.length === 10_000 || sample === samples - 1) {
      bytes += writeSync(file, rows.join(''));
      rows = [];
    }
  }
  closeSync(file);
  return bytes;
}
