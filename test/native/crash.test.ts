/** Real processes, killed at any moment of a change and while coming back: each GPU ends on its old or its new layout. */
import { spawn } from 'node:child_process';
import { truncateSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { fileJournal } from '#adapters/journal/file-journal';
import { openNvml } from '#adapters/nvml/driver';
import { systemClock } from '#adapters/system/clock';
import { lockFiles } from '#adapters/system/lock-files';
import { systemProcesses } from '#adapters/system/processes';
import { modelByKey } from '#core/catalogue/catalogue';
import { layoutOf, spaceOf } from '#core/geometry/space';
import { statesOf } from '#core/geometry/states';
import { restoreLayouts } from '#engines/change/restore';
import type { Direction } from '#engines/change/resume';
import type { GpuDriver } from '#ports/gpu-driver';
import { wanted } from '../support/change-machine.js';
import { requires } from '../tooling/requires.js';
import { makeMachine, type DoubleMachine, type LoggedCall } from './machine.js';

const cc = requires('cc');
const rounds = process.env['MICA_LONG'] === '1' ? 500 : 25;
const roundsPerMachine = 5;
/** Two machines at a time, since most of a round is a process that starts. */
const lanes = 2;
const script = fileURLToPath(new URL('./change-child.ts', import.meta.url));
/** Beside the built double, where its packages are found. */
const bundled = fileURLToPath(new URL('../../out/native/change-child.mjs', import.meta.url));
const models = [
  'h100-80gb-sxm',
  'h100-80gb-sxm',
  'h200-141gb',
  'rtx-pro-6000-blackwell-server',
  'rtx-pro-6000-blackwell-server',
  'a100-40gb',
  'a30-24gb',
  'b200-180gb',
];

/** `null`: MIG off; else the places, as `1g.10gb:4`. */
type Cut = readonly string[] | null;

interface Round {
  readonly wish: readonly Cut[];
  /** GPUs that keep half of what they have when the round begins. */
  readonly near: readonly boolean[];
  readonly death: Death;
  /** A second death, on the way back. */
  readonly again: Death | null;
  readonly direction: Direction;
}

/** At an exact boundary, or so long after the process was ready. */
type Death = { readonly at: string } | { readonly afterMs: number };

const anyDeath: fc.Arbitrary<Death> = fc.oneof(
  fc.nat({ max: 250 }).map((afterMs) => ({ afterMs })),
  fc
    .tuple(
      fc.constantFrom('append', 'call'),
      fc.integer({ min: 1, max: 70 }),
      fc.constantFrom('before', 'after'),
    )
    .map((words) => ({ at: words.join(' ') })),
);
const anyRound: fc.Arbitrary<Round> = fc.record({
  wish: fc.tuple(...models.map(anyCut)),
  near: fc.array(fc.boolean(), { minLength: models.length, maxLength: models.length }),
  death: anyDeath,
  again: fc.option(anyDeath, { freq: 4 }),
  direction: fc.constantFrom<Direction>('back', 'forward'),
});

function anyCut(key: string): fc.Arbitrary<Cut> {
  const model = modelByKey(key);
  if (model?.kind !== 'mig') throw new Error(`${key} is not in the catalogue`);
  const space = spaceOf(model);
  const cuts = statesOf(space).map(({ slots }) =>
    layoutOf(space, slots).map(({ profile, start }) => `${profile}:${start}`),
  );
  return fc.option(fc.constantFrom(...cuts), { nil: null, freq: 8 });
}

describe.skipIf(cc.missing)(cc.title('processes killed by SIGKILL'), () => {
  // In one file it starts three times as fast.
  beforeAll(() => {
    buildSync({
      entryPoints: [script],
      outfile: bundled,
      bundle: true,
      platform: 'node',
      format: 'esm',
      packages: 'external',
      conditions: ['source'],
    });
  });

  it(`leave the old or the new layout, ${rounds} times`, { timeout: 3_600_000 }, async () => {
    const all = fc.sample(anyRound, { numRuns: rounds, seed: 23 });
    let killed = 0;
    const queue = Array.from({ length: rounds / roundsPerMachine }, (_, index) =>
      all.slice(index * roundsPerMachine, (index + 1) * roundsPerMachine),
    );
    const runQueue = async (): Promise<void> => {
      for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
        const machine = makeMachine(models.map((key) => ({ key })));
        try {
          const serials = new Map<string, number>();
          let holds: readonly Cut[] = models.map(() => null);
          for (const round of next) {
            const ended = await runRound(machine, round, holds, serials);
            holds = ended.holds;
            killed += ended.isKilled ? 1 : 0;
          }
        } finally {
          machine.remove();
        }
      }
    };
    await Promise.all(Array.from({ length: lanes }, runQueue));
    expect(killed).toBeGreaterThan(rounds / 2);
  });
});

/** One change that dies; the answer has what the machine holds once somebody has looked after it. */
async function runRound(
  machine: DoubleMachine,
  { wish, near, death, again, direction }: Round,
  from: readonly Cut[],
  serials: Map<string, number>,
): Promise<{ readonly holds: readonly Cut[]; readonly isKilled: boolean }> {
  const to = wish.map((cut, index) => (near[index] === true ? nearTo(from[index] ?? null, cut) : cut));
  const wishes = to.map((cut, index) => wanted(index, ...(cut ?? [null])));
  const isKilled = await runChild(machine, JSON.stringify(wishes), death);
  if (again !== null) await runChild(machine, direction, again);
  const { libraryPath, smiPath, folder } = machine;
  const driver = await openNvml({ libraryPath, smiPath });
  const locks = lockFiles(join(folder, 'locks'));
  const journal = fileJournal({ folder: join(folder, 'journal'), locks });
  const ports = { driver, journal, clock: systemClock, processes: systemProcesses };
  const answer = await restoreLayouts(ports, direction);
  expect(['done', 'unchanged']).toContain(answer.outcome);
  expect(await journal.names()).toEqual([]);
  const now = await holdingsOf(driver);
  await driver.close();
  const [old, wished] = [from.map(inWords), to.map(inWords)];
  expect([old, wished]).toContainEqual(now);
  expectKept(machine, from, to, serials);
  return { holds: now.every((words, index) => words === old[index]) ? from : to, isKilled };
}

/** By the serials of the double's log: what is in both layouts was neither destroyed nor made anew. */
function expectKept(
  machine: DoubleMachine,
  from: readonly Cut[],
  to: readonly Cut[],
  serials: Map<string, number>,
): void {
  const calls = machine.calls().filter(({ code, at }) => code === 0 && at['serial'] !== undefined);
  truncateSync(join(machine.folder, 'log'));
  const kept = from.flatMap((cut, gpu) =>
    (cut ?? []).filter((place) => to[gpu]?.includes(place) === true).map((place) => `${gpu} ${place}`),
  );
  const keptSerials = kept.map((place) => serials.get(place));
  expect(keptSerials).not.toContain(undefined);
  const destroyed = calls
    .filter(({ call }) => call.endsWith('InstanceDestroy'))
    .map(({ at }) => at['serial']);
  expect(destroyed.filter((serial) => keptSerials.includes(serial))).toEqual([]);
  const made = calls.filter(({ call }) => call === 'nvmlDeviceCreateGpuInstanceWithPlacement');
  expect(made.map(placeOf).filter((place) => kept.includes(place))).toEqual([]);
  for (const call of made) serials.set(placeOf(call), call.at['serial']!);
}

function placeOf({ at }: LoggedCall): string {
  const model = modelByKey(models[at['gpu']!]!);
  const profile = model?.kind === 'mig' ? model.profiles.find(({ id }) => id === at['profile']) : undefined;
  return `${at['gpu']} ${profile?.name ?? '?'}:${at['start']}`;
}

/** Whether it was killed; it may have been through before. */
async function runChild(machine: DoubleMachine, todo: string, death: Death): Promise<boolean> {
  const env = { ...process.env, MICA_DIE: 'at' in death ? death.at : '' };
  const child = spawn(process.execPath, [bundled, machine.folder, todo], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stderr = '';
  child.stderr.on('data', (chunk) => (stderr += String(chunk)));
  child.stdout.once('data', () => {
    if ('afterMs' in death) setTimeout(() => child.kill('SIGKILL'), death.afterMs);
  });
  const [code, signal] = await new Promise<readonly [number | null, string | null]>((resolve) => {
    child.on('close', (...ended) => resolve(ended));
  });
  expect(signal ?? code, stderr).toBeOneOf(['SIGKILL', 0]);
  return signal === 'SIGKILL';
}

async function holdingsOf(driver: GpuDriver): Promise<readonly string[]> {
  const gpus = await driver.gpus();
  if (!gpus.ok) throw new Error(gpus.why.message);
  return Promise.all(
    gpus.value.map(async ({ uuid, mig }) => {
      const instances = await driver.instances(uuid);
      if (!instances.ok) throw new Error(instances.why.message);
      if (mig?.current !== mig?.pending) return 'mode pending';
      if (mig?.current !== true) return 'mig off';
      const inOrder = [...instances.value].sort((a, b) => a.placement.start - b.placement.start);
      return inOrder
        .map(({ placement: { profile, start }, computeInstances }) =>
          computeInstances.length === 1 ? `${profile}:${start}` : `${profile}:${start}?`,
        )
        .join(' ');
    }),
  );
}

function nearTo(from: Cut, to: Cut): Cut {
  return from === null || to === null || from.length === 0 ? to : from.slice(0, Math.ceil(from.length / 2));
}

function inWords(cut: Cut): string {
  return cut === null ? 'mig off' : cut.join(' ');
}
