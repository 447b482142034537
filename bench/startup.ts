/** How long the command line takes to answer the two questions that need no work. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { atMost, timed, type Bench, type BenchOptions, type Outcome } from './harness.js';

const mica = fileURLToPath(new URL('../bin/mica', import.meta.url));

export const startup: Bench = {
  name: 'startup',
  about: 'a whole process of `mica --version` and `mica --help`, warm',
  run: runStartup,
};

function runStartup({ quick }: BenchOptions): Outcome {
  const runs = quick ? 5 : 15;
  // The first run may build; bare node is the part that no program can save.
  callNode([mica, '--version']);
  const cases = [
    { command: 'node -e 0', argv: ['-e', '0'] },
    { command: 'mica --version', argv: [mica, '--version'] },
    { command: 'mica --help', argv: [mica, '--help'] },
  ].map(({ command, argv }) => {
    const times = Array.from({ length: runs }, () => timed(() => callNode(argv)).ms).sort((a, b) => a - b);
    return { command, median: times[runs >> 1]!, fastest: times[0]!, slowest: times.at(-1)! };
  });
  return {
    rows: cases.map(({ command, median, fastest, slowest }) => ({
      command,
      runs,
      'median ms': median.toFixed(0),
      'fastest ms': fastest.toFixed(0),
      'slowest ms': slowest.toFixed(0),
    })),
    bars: cases.slice(1).map(({ command, median }) => atMost(`${command}, median ms`, median, 150, 0)),
  };
}

function callNode(args: readonly string[]): void {
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`node ${args.join(' ')} failed: ${stderr}`);
}
