/** Changing a machine's layouts: Mica's engine beside the usual way, which clears a GPU and cuts it again. */
import { fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { gpusOfBed, hasDouble } from './change-bed.js';
import {
  busyShare,
  changesPerLife,
  contestants,
  kinds,
  keptShare,
  runLife,
  type End,
  type Result,
} from './change-life.js';
import { atMost, type Bench, type BenchOptions, type Outcome, type Row } from './harness.js';
import { seeds } from './random.js';

const lives = 40;
/** Lives that run alone, for times; the others run side by side in as many processes as there are cores. */
const livesAlone = 2;
const worker = fileURLToPath(new URL('./change-worker.ts', import.meta.url));

export const change: Bench = {
  name: 'change',
  about: `random changes of 1 or 2 GPUs of a machine with ${gpusOfBed} H100, seeds from 101; each slice stays with probability ${keptShare}`,
  run: runChange,
};

async function runChange({ quick }: BenchOptions): Promise<Outcome> {
  if (!hasDouble) return { rows: [], bars: [], notes: ['needs a C compiler for the double of NVML'] };
  const results: Result[] = [];
  const queue = seeds(101, 100 + (quick ? 2 : lives));
  for (const seed of queue.slice(0, livesAlone)) results.push(...(await runLife(seed, true)));
  const processes = availableParallelism();
  const rest = queue.slice(livesAlone);
  const shares = Array.from({ length: processes }, (_, number) =>
    rest.filter((_seed, index) => index % processes === number),
  );
  for (const some of await Promise.all(shares.map(runElsewhere))) results.push(...some);
  const mica = results.filter(({ who }) => who === 'Mica');
  const sum = (count: (result: Result) => number): number => mica.reduce((all, one) => all + count(one), 0);
  const stuck = mica.filter(({ end, isBlocked }) => end !== 'as wanted' && !isBlocked).length;
  return {
    rows: kinds.flatMap((kind) =>
      contestants.map((who) =>
        rowOf(
          { slices: kind, by: who },
          results.filter((one) => one.kind === kind && one.who === who),
        ),
      ),
    ),
    bars: [
      atMost(
        'kept slices that Mica disturbed',
        sum((one) => one.keptDisturbed),
        0,
        0,
      ),
      atMost(
        'busy slices that Mica disturbed',
        sum((one) => one.busyDisturbed),
        0,
        0,
      ),
      atMost(
        'GPUs that Mica left neither as before nor as wanted',
        sum((one) => one.halfWay),
        0,
        0,
      ),
      atMost('changes that Mica did not do though no busy slice had to go', stuck, 0, 0),
    ],
    notes: [
      'clear and cut: the procedure of NVIDIA/mig-parted (pkg/mig/config at bd7160f), our reading of it over the same port and the same double:',
      'clear the GPU, create in the default places of the driver, on an error clear again and try the next order of the list.',
      'It counts as done where the counts are right, Mica only where the places are. A busy slice that the driver does not let go is a failed change, as it is there.',
      'kept: slices of the same profile and start in both layouts. half way: GPUs left neither as before nor as wanted.',
      'Its failures without a busy slice are lists, such as 6 x 1g and a double-memory 1g, that fit in the default places in no order.',
      `calls: NVML calls per change that create, destroy or are refused to; reads: other NVML calls. ${busyShare * 100} % of the slices are busy where any are.`,
      `ms: of the first ${livesAlone * changesPerLife} changes, which ran alone; with a journal on disk that is synced, and locks, for Mica; without either for the other. The double itself answers in microseconds, a real driver in up to seconds.`,
    ],
  };
}

/** Lives in a process of their own, several at a time: a life is mostly waiting for threads. */
async function runElsewhere(some: readonly number[]): Promise<readonly Result[]> {
  if (some.length === 0) return [];
  // One thread that always has work is woken less often than four that take turns.
  const child = fork(worker, { env: { ...process.env, UV_THREADPOOL_SIZE: '1' } });
  child.send(some);
  return new Promise((resolve, reject) => {
    child.once('message', (results) => resolve(results as readonly Result[]));
    child.once('exit', (code) => reject(new Error(`the lives in another process ended with ${code}`)));
  });
}

function rowOf(head: Row, results: readonly Result[]): Row {
  const sum = (count: (result: Result) => number): number =>
    results.reduce((all, one) => all + count(one), 0);
  const ended = (end: End): number => results.filter((one) => one.end === end).length;
  const perChange = (total: number): string => (total / Math.max(1, results.length)).toFixed(1);
  const times = results
    .filter(({ alone }) => alone)
    .map(({ ms }) => ms)
    .sort((a, b) => a - b);
  const at = (share: number): string => (times[Math.floor(share * times.length)] ?? 0).toFixed(1);
  return {
    ...head,
    changes: results.length,
    'as wanted': ended('as wanted'),
    refused: ended('refused'),
    failed: ended('failed'),
    'half way': sum((one) => one.halfWay),
    kept: sum((one) => one.kept),
    disturbed: sum((one) => one.keptDisturbed),
    'busy disturbed': sum((one) => one.busyDisturbed),
    'in-use answers': sum((one) => one.inUse),
    calls: perChange(sum((one) => one.changing)),
    reads: perChange(sum((one) => one.reading)),
    'ms p50': at(0.5),
    p95: at(0.95),
  };
}
