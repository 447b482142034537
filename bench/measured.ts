/** A program run to its end, with what it took: on the clock, on the processors with all its children, and in memory. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { Readable } from 'node:stream';

export interface Measured {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly wallMs: number;
  readonly cpuMs: number;
  /** Of the program itself, as far as looking again and again shows it. */
  readonly peakMiB: number;
}

/** A shell is what every machine has that tells how much its children used. */
const script = '"$@" & echo $! >&3; wait $!; code=$?; times >&3; exit $code';
const lookEveryMs = 100;

/** `null`: there is no such program. */
export async function measured(command: readonly string[], env: NodeJS.ProcessEnv): Promise<Measured | null> {
  const startedMs = performance.now();
  const child = spawn('sh', ['-c', script, 'sh', ...command], {
    env,
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
  });
  let [stdout, stderr, said, peakMiB] = ['', '', '', 0];
  child.stdout?.on('data', (text: Buffer) => (stdout += text.toString()));
  child.stderr?.on('data', (text: Buffer) => (stderr += text.toString()));
  (child.stdio[3] as Readable).on('data', (text: Buffer) => (said += text.toString()));
  const looking = setInterval(() => (peakMiB = Math.max(peakMiB, peakOf(said.split('\n')[0]))), lookEveryMs);
  const [status] = (await once(child, 'close')) as [number | null];
  clearInterval(looking);
  if (status === 127) return null;
  return { status, stdout, stderr, wallMs: performance.now() - startedMs, cpuMs: cpuMsIn(said), peakMiB };
}

function peakOf(pid: string | undefined): number {
  try {
    const [, kib] = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return Number(kib ?? 0) / 1024;
  } catch {
    return 0;
  }
}

/** The last line of `times`: `0m1.230000s 0m0.450000s`, user and system of the children. */
function cpuMsIn(said: string): number {
  const [last = ''] = said.trimEnd().split('\n').slice(-1);
  return [...last.matchAll(/(\d+)m([\d.]+)s/g)].reduce(
    (sum, [, minutes, seconds]) => sum + Number(minutes) * 60_000 + Number(seconds) * 1000,
    0,
  );
}
