/** A large Kubernetes cluster: how long until all of it is known, in how much memory, and how soon a new pod is. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type { MeasuredCluster } from './cluster-child.js';
import { atMost, type Bench, type BenchOptions, type Outcome } from './harness.js';

const folder = fileURLToPath(new URL('../node_modules/.cache/mica-bench/', import.meta.url));

export const cluster: Bench = {
  name: 'cluster',
  about: '5,000 nodes and 50,000 pods in an API server in memory, in a process of its own, over HTTPS',
  run: runCluster,
};

async function runCluster({ quick }: BenchOptions): Promise<Outcome> {
  const size = quick ? { nodes: 500, pods: 5000 } : { nodes: 5000, pods: 50_000 };
  const [server, child] = await bundled();
  const measured: (MeasuredCluster & { readonly share: number })[] = [];
  for (const share of [0.2, 1]) {
    const running = spawn(process.execPath, [server, ...Object.values(size).map(String), String(share)], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    try {
      const kubeconfig = await firstLine(running);
      const { status, stdout, stderr } = spawnSync(
        process.execPath,
        [child, kubeconfig, quick ? '20' : '200'],
        {
          encoding: 'utf8',
        },
      );
      if (status !== 0) throw new Error(`it ended with ${String(status)}: ${stderr}`);
      measured.push({ ...(JSON.parse(stdout) as MeasuredCluster), share });
    } finally {
      running.stdin.end();
      await new Promise((resolve) => running.once('close', resolve));
    }
  }
  const rows = measured.map((one) => ({
    'GPU nodes': `${one.share * 100} %`,
    nodes: one.nodes,
    'pods kept': one.pods,
    'first state, s': one.firstStateSeconds.toFixed(1),
    'own CPU, s': one.ownSeconds.toFixed(1),
    'look, ms': one.lookMs.toFixed(0),
    'peak MiB': one.peakMiB.toFixed(0),
    'new pod p50, ms': quantile(one.latenciesMs, 0.5).toFixed(1),
    'p99, ms': quantile(one.latenciesMs, 0.99).toFixed(1),
  }));
  return {
    rows,
    bars: [
      atMost('peak memory, MiB', Math.max(...measured.map((one) => one.peakMiB)), 300, 0),
      atMost('new pod p99, ms', Math.max(...measured.map((one) => quantile(one.latenciesMs, 0.99))), 1000, 0),
    ],
    notes: ['A new pod: from sending it to the server until it is in the state, the sending included.'],
  };
}

function quantile(sorted: readonly number[], part: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
}

function firstLine({ stdout }: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    stdout?.on('data', (chunk) => {
      text += String(chunk);
      if (text.includes('\n')) resolve(text.split('\n')[0] ?? '');
    });
    stdout?.once('end', () => reject(new Error('the API server did not start')));
  });
}

/** As users run it: plain JavaScript, without a compiler in the process. */
async function bundled(): Promise<readonly [server: string, child: string]> {
  mkdirSync(folder, { recursive: true });
  const one = async (name: string): Promise<string> => {
    const outfile = `${folder}${name}.mjs`;
    await build({
      entryPoints: [fileURLToPath(new URL(`./${name}.ts`, import.meta.url))],
      ...{ bundle: true, platform: 'node', format: 'esm', target: 'node20', packages: 'external' },
      conditions: ['source'],
      outfile,
    });
    return outfile;
  };
  return [await one('cluster-server'), await one('cluster-child')];
}
