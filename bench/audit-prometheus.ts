/** What the audit adds to what a Prometheus takes anyway: its whole look at a large fleet, beside the same queries sent bare. */
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { blocksOf } from '../test/prometheus/blocks.js';
import { startPrometheus } from '../test/prometheus/server.js';
import { backfillOf, windowOf, workloadsOf, type AuditFleet } from './audit-fleet.js';
import type { Measured } from './audit-prometheus-child.js';
import { atMost, type Bench, type BenchOptions, type Outcome } from './harness.js';

const whole: AuditFleet = { gpus: 1000, days: 14 };
const small: AuditFleet = { gpus: 64, days: 7 };
const folder = fileURLToPath(new URL('../node_modules/.cache/mica-bench/', import.meta.url));

export const auditPrometheus: Bench = {
  name: 'audit-prometheus',
  about: 'memory and activity of 1,000 GPUs over 14 days at 60 s in a real Prometheus, 70 % of them steady',
  run: runAudit,
};

async function runAudit({ quick }: BenchOptions): Promise<Outcome> {
  if (spawnSync('promtool', ['--version']).error !== undefined)
    return {
      rows: [],
      bars: [],
      notes: ['Not measured: there is no prometheus here (apt-get install prometheus).'],
    };
  const fleet = quick ? small : whole;
  const child = await bundled();
  const began = performance.now();
  const blocks = await blocksOf(backfillOf(fleet));
  const written = (performance.now() - began) / 1000;
  const server = await startPrometheus(blocks);
  try {
    const { startMs, endMs } = windowOf(fleet);
    const measure = (what: 'observe' | 'bare'): Measured => {
      const args = [child, what, server.url, `${folder}queries.json`, String(startMs), String(endMs)];
      const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
      if (status !== 0) throw new Error(`${what} ended with ${String(status)}: ${stderr}`);
      return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Measured;
    };
    // The first warms the files of the server; then in turns, so that both meet the same machine.
    measure('observe');
    const rounds = Array.from({ length: quick ? 1 : 2 }, () => ({
      bare: measure('bare'),
      ours: measure('observe'),
    }));
    const ours = fastest(rounds.map((round) => round.ours));
    const bare = fastest(rounds.map((round) => round.bare));
    const row = (name: string, { seconds, peakMiB, queries, workloads }: Measured) => ({
      what: name,
      queries,
      seconds: seconds.toFixed(1),
      'peak MiB': peakMiB.toFixed(0),
      workloads,
    });
    return {
      rows: [row('the same queries, bare', bare), row('audit', ours)],
      bars: [
        atMost('audit / bare', ours.seconds / bare.seconds, 1.3),
        atMost('audit, s', ours.seconds, 60, 1),
        atMost('peak memory, MiB', Math.max(...rounds.map((round) => round.ours.peakMiB)), 300, 0),
        atMost('workloads missed', Math.abs(workloadsOf(fleet) - ours.workloads), 0, 0),
      ],
      notes:
        written > 2 ? [`The blocks were written in ${written.toFixed(0)} s; the next run finds them.`] : [],
    };
  } finally {
    await server.stop();
  }
}

function fastest(all: readonly Measured[]): Measured {
  return all.reduce((one, other) => (other.seconds < one.seconds ? other : one));
}

/** As users run it: plain JavaScript, without a compiler in the process. */
async function bundled(): Promise<string> {
  mkdirSync(folder, { recursive: true });
  const outfile = `${folder}audit-prometheus-child.mjs`;
  await build({
    entryPoints: [fileURLToPath(new URL('./audit-prometheus-child.ts', import.meta.url))],
    ...{ bundle: true, platform: 'node', format: 'esm', target: 'node20', packages: 'external' },
    conditions: ['source'],
    outfile,
  });
  return outfile;
}
