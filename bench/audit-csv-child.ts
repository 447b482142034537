/** One pass over a CSV in a process of its own, so that the memory measured is the pass's alone. */
import { readFileSync } from 'node:fs';
import { csvSource } from '#adapters/csv/source';

const [path = ''] = process.argv.slice(2);
const started = performance.now();
const { workloads } = await csvSource([path]).observe({
  window: { startMs: 0, endMs: 0 },
  owners: { ownersOf: async () => () => null },
  progress: () => undefined,
  signal: new AbortController().signal,
});
const seconds = (performance.now() - started) / 1000;
// Beside the time on the clock, since a machine may have other work.
const { user, system } = process.cpuUsage();
const peakKiB = Number(/VmHWM:\s*(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]);
const samples = workloads.reduce((sum, { memory }) => sum + (memory?.samples ?? 0), 0);
process.stdout.write(
  JSON.stringify({
    seconds,
    cpuSeconds: (user + system) / 1e6,
    peakMiB: peakKiB / 1024,
    samples,
    workloads: workloads.length,
  }),
);
