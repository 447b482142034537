/** The controller on a large cluster: how soon it plans, how soon it acts, and how much memory it keeps. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync } from 'node:fs';
import { createInterface, type Interface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type { News } from '#engines/reconcile/news';
import { atMost, type Bench, type BenchOptions, type Outcome } from './harness.js';

const folder = fileURLToPath(new URL('../node_modules/.cache/mica-bench/', import.meta.url));
/** As in deploy/kubernetes/controller. */
const nodeFlags = ['--max-semi-space-size=4', '--max-old-space-size=224'];

export const controller: Bench = {
  name: 'controller',
  about:
    '5,000 GPU nodes and 50,000 pods in an API server in memory, in a process of its own; ten minutes of mixed load',
  run: runController,
};

type Timed = News & { readonly atMs: number };

interface Reaction {
  readonly toRecordMs: readonly number[];
  readonly toLabelMs: readonly number[];
}

interface Load {
  readonly writes: number;
  readonly asked: number;
}

interface Sample {
  readonly atSeconds: number;
  readonly rssMiB: number;
}

async function runController({ quick }: BenchOptions): Promise<Outcome> {
  const [nodes, pods, idle, rounds, seconds] = quick ? [500, 5000, 20, 20, 30] : [5000, 50_000, 50, 100, 600];
  const [serverFile, childFile] = await bundled();
  const server = spawn(process.execPath, [serverFile, ...[nodes, pods, idle].map(String)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const answers = createInterface({ input: server.stdout });
  try {
    const kubeconfig = await nextLine(answers);
    const order = async <T>(text: string): Promise<T> => {
      server.stdin.write(`${text}\n`);
      return JSON.parse(await nextLine(answers)) as T;
    };
    // Somebody waits already, so that the first round plans.
    const first = order<Reaction>('react 1');
    const child = spawn(process.execPath, [...nodeFlags, childFile, kubeconfig], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const plans: { readonly atMs: number; readonly tookMs: number }[] = [];
    const ended: string[] = [];
    const troubles: string[] = [];
    createInterface({ input: child.stdout }).on('line', (line) => {
      const news = JSON.parse(line) as Timed;
      if (news.kind === 'planned') plans.push(news);
      if (news.kind === 'change-ended') ended.push(news.outcome);
      if (news.kind === 'trouble') troubles.push(news.message);
    });
    try {
      await first;
      const reaction = await order<Reaction>(`react ${rounds}`);
      const plansBefore = plans.length;
      const samples: Sample[] = [];
      const sampling = sample(child, samples);
      const load = await order<Load>(`load ${seconds}`);
      const peakMiB = statusOf(child, 'VmHWM');
      child.kill('SIGTERM');
      const [code] = (await once(child, 'exit')) as [number | null];
      await sampling;
      if (code !== 0) throw new Error(`the controller ended with ${String(code)}`);
      const label = sorted(reaction.toLabelMs);
      const early = median(
        samples.filter(({ atSeconds }) => atSeconds > seconds * 0.2 && atSeconds <= seconds * 0.5),
      );
      const late = median(samples.filter(({ atSeconds }) => atSeconds > seconds * 0.7));
      const planMs = sorted(plans.map(({ tookMs }) => tookMs));
      return {
        rows: [
          {
            ...{ nodes, pods },
            'first plan, s': ((plans[0]?.atMs ?? Number.NaN) / 1000).toFixed(1),
            'plan p50, ms': quantile(planMs, 0.5).toFixed(0),
            'plan max, ms': quantile(planMs, 1).toFixed(0),
            'to record p50, ms': quantile(sorted(reaction.toRecordMs), 0.5).toFixed(0),
            'to label p50, ms': quantile(label, 0.5).toFixed(0),
            'p99, ms': quantile(label, 0.99).toFixed(0),
            'peak MiB': peakMiB.toFixed(0),
          },
          {
            ...{ nodes, pods },
            'load, s': seconds,
            writes: load.writes,
            'asked for slices': load.asked,
            'plans made': plans.length - plansBefore,
            'nodes cut': ended.filter((outcome) => outcome === 'done').length,
            'ended otherwise': ended.filter((outcome) => outcome !== 'done').length,
            'RSS early, MiB': early.toFixed(0),
            'late, MiB': late.toFixed(0),
          },
        ],
        bars: [
          atMost('pending pod to label, p99 ms', quantile(label, 0.99), 1000, 0),
          atMost('peak memory, MiB', peakMiB, 300, 0),
          atMost('growth under load, MiB', late - early, 15, 0),
        ],
        notes: [
          'To the label without the waits that keep nodes safe: by default 5 s after the cordon, and 90 s where the configuration is new to the ConfigMap.',
          `Node runs with ${nodeFlags.join(' ')}, as in deploy/kubernetes/controller.`,
          ...(troubles.length === 0
            ? []
            : [`Troubles told: ${troubles.length}, the first: ${troubles[0] ?? ''}`]),
        ],
      };
    } finally {
      child.kill('SIGKILL');
    }
  } finally {
    server.stdin.end();
    await once(server, 'close');
  }
}

function statusOf({ pid }: ChildProcess, key: 'VmRSS' | 'VmHWM'): number {
  const text = readFileSync(`/proc/${pid ?? 0}/status`, 'utf8');
  return Number(new RegExp(`${key}:\\s+(\\d+)`).exec(text)?.[1]) / 1024;
}

async function sample(child: ChildProcess, samples: Sample[]): Promise<void> {
  const began = performance.now();
  while (child.exitCode === null && child.signalCode === null) {
    try {
      samples.push({ atSeconds: (performance.now() - began) / 1000, rssMiB: statusOf(child, 'VmRSS') });
    } catch {
      return;
    }
    await wait(1000);
  }
}

function nextLine(lines: Interface): Promise<string> {
  return new Promise((resolve, reject) => {
    lines.once('line', resolve);
    lines.once('close', () => reject(new Error('the API server ended')));
  });
}

function sorted(numbers: readonly number[]): readonly number[] {
  return [...numbers].sort((a, b) => a - b);
}

function quantile(of: readonly number[], part: number): number {
  return of[Math.min(of.length - 1, Math.floor(of.length * part))] ?? Number.NaN;
}

function median(samples: readonly Sample[]): number {
  return quantile(sorted(samples.map(({ rssMiB }) => rssMiB)), 0.5);
}

/** As users run it: plain JavaScript, without a compiler in the process. */
async function bundled(): Promise<readonly [server: string, child: string]> {
  mkdirSync(folder, { recursive: true });
  const one = async (name: string, path = `./${name}.ts`): Promise<string> => {
    const outfile = `${folder}${name}.mjs`;
    await build({
      entryPoints: [fileURLToPath(new URL(path, import.meta.url))],
      ...{ bundle: true, platform: 'node', format: 'esm', target: 'node20', packages: 'external' },
      conditions: ['source'],
      outfile,
    });
    return outfile;
  };
  return [await one('busy-cluster', '../test/kubernetes/busy-cluster.ts'), await one('controller-child')];
}
