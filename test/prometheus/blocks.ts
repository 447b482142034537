/** Series into Prometheus blocks with promtool, once: the blocks are kept under node_modules/.cache. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  createWriteStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What can be written: the samples of each stretch as lines of OpenMetrics, one series after the other. */
export interface Backfill {
  /** Tells what the blocks hold, beside the text of `sources`. */
  readonly name: string;
  /** Files whose text decides what is written. */
  readonly sources: readonly string[];
  readonly startMs: number;
  readonly endMs: number;
  /** The samples at `fromMs <= time < toMs`, in pieces of any size. */
  readonly lines: (fromMs: number, toMs: number) => Iterable<string>;
}

/** A length of blocks that Prometheus itself would come to: 2 h, tripled three times. Blocks begin at multiples of it. */
const blockHours = 54;
const blockMs = blockHours * 3_600_000;
const cache = fileURLToPath(new URL('../../node_modules/.cache/mica-prometheus', import.meta.url));

/** The folder with the blocks; written if it is not there, `atOnce` stretches at a time. */
export async function blocksOf(backfill: Backfill, atOnce = 2): Promise<string> {
  const hash = createHash('sha256').update(backfill.name);
  for (const file of backfill.sources) hash.update(readFileSync(file));
  const target = join(cache, `${backfill.name}-${hash.digest('hex').slice(0, 16)}`);
  if (existsSync(target)) return target;
  mkdirSync(cache, { recursive: true });
  for (const old of readdirSync(cache)) {
    if (old.startsWith(`${backfill.name}-`)) rmSync(join(cache, old), { recursive: true, force: true });
  }
  const folder = mkdtempSync(join(cache, 'making-'));
  try {
    const stretches: number[] = [];
    for (let from = Math.floor(backfill.startMs / blockMs) * blockMs; from < backfill.endMs; from += blockMs)
      stretches.push(from);
    const queue = stretches.values();
    await Promise.all(
      Array.from({ length: atOnce }, async () => {
        for (const from of queue) await writeStretch(backfill, from, folder);
      }),
    );
    if (!existsSync(target)) renameSync(folder, target);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return target;
}

async function writeStretch(backfill: Backfill, fromMs: number, folder: string): Promise<void> {
  const file = join(folder, `${fromMs}.txt`);
  const stream = createWriteStream(file, { highWaterMark: 4 * 1024 * 1024 });
  for (const lines of backfill.lines(fromMs, fromMs + blockMs)) {
    if (!stream.write(lines)) await once(stream, 'drain');
  }
  stream.end('# EOF\n');
  await once(stream, 'finish');
  const made = join(folder, `blocks-${fromMs}`);
  // Without the length promtool would make blocks of 2 h, and read the whole file again for each of them.
  await promtool([
    'tsdb',
    'create-blocks-from',
    '-q',
    `--max-block-duration=${blockHours}h`,
    'openmetrics',
    file,
    made,
  ]);
  for (const block of readdirSync(made)) renameSync(join(made, block), join(folder, block));
  rmSync(made, { recursive: true });
  rmSync(file);
}

async function promtool(args: readonly string[]): Promise<void> {
  const child = spawn('promtool', args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`promtool ended with ${String(code)}: ${said}`);
}
