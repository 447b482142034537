/** The machine that the `node` commands are about: its driver, its journal, its processes, wired together. */
import { access } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { SimulatedModel } from '#adapters/simulated/gpu-list';
import { stateFolder } from '#adapters/system/state-folder';
import { MicaError } from '#core/errors';
import type { ChangePorts } from '#engines/change/ports';
import type { GpuDriver } from '#ports/gpu-driver';
import { numberBetween } from '../../arguments.js';
import type { Host } from '../../terminal/screen.js';
import { leaseGuard } from './lease-guard.js';

/** The options that every `node` command takes. */
export interface DriverFlags {
  readonly driver?: 'nvml' | 'simulated';
  readonly nvmlLib?: string;
  readonly gpus?: string;
  readonly state?: string;
  readonly latency?: string;
  readonly json?: boolean;
}

/** Where a machine keeps what it runs: a simulated one beside its state, as its journal. */
export interface NodePlaces {
  readonly runFolder: string;
}

/** Opens the machine for the length of the work. Throws MicaError where it cannot be. */
export async function withNode<T>(
  { env }: Host,
  flags: DriverFlags,
  work: (ports: ChangePorts, places: NodePlaces) => Promise<T>,
): Promise<T> {
  const opened = await openDriver(flags, stateFolder(env));
  const [{ fileJournal }, { lockFiles }, { systemClock: clock }, { systemProcesses }] = await Promise.all([
    import('#adapters/journal/file-journal'),
    import('#adapters/system/lock-files'),
    import('#adapters/system/clock'),
    import('#adapters/system/processes'),
  ]);
  const { driver, journalFolder: folder, runFolder } = opened;
  const journal = fileJournal({ folder, locks: lockFiles(join(folder, 'locks')) });
  const guard = leaseGuard(runFolder, { driver, clock });
  try {
    // Simulated instances outlive a reboot of the machine that simulates them.
    const processes =
      driver.kind === 'simulated' ? { ...systemProcesses, bootId: () => null } : systemProcesses;
    return await work({ driver, journal, clock, processes, guard }, { runFolder });
  } finally {
    await guard.close();
    await driver.close();
  }
}

interface OpenedDriver extends NodePlaces {
  readonly driver: GpuDriver;
  readonly journalFolder: string;
}

async function openDriver(flags: DriverFlags, folder: string): Promise<OpenedDriver> {
  if (flags.driver === 'simulated') return openSimulated(flags, folder);
  for (const option of ['gpus', 'state', 'latency'] as const) {
    if (flags[option] === undefined) continue;
    throw new MicaError('bad-usage', `--${option} is for simulated GPUs`, {
      next: 'Add --driver simulated, or leave it out.',
    });
  }
  const { openNvml } = await import('#adapters/nvml/driver');
  const driver = await openNvml(flags.nvmlLib === undefined ? {} : { libraryPath: flags.nvmlLib });
  return { driver, journalFolder: join(folder, 'journal'), runFolder: runFolderIn(folder, flags) };
}

/** Where a machine keeps what it runs, whether or not its driver answers. */
export function runFolderOf({ env }: Host, flags: DriverFlags): string {
  return runFolderIn(stateFolder(env), flags);
}

function runFolderIn(folder: string, flags: DriverFlags): string {
  return flags.driver === 'simulated' ? `${simulatedFile(folder, flags)}.run` : join(folder, 'run');
}

function simulatedFile(folder: string, { state }: DriverFlags): string {
  return resolve(state ?? join(folder, 'simulated.json'));
}

/** The journal of a simulated machine lies beside its state: two machines of one user have nothing to do with each other. */
async function openSimulated(flags: DriverFlags, folder: string): Promise<OpenedDriver> {
  if (flags.nvmlLib !== undefined) {
    throw new MicaError('bad-usage', '--nvml-lib is for real GPUs', {
      next: 'Leave it out, or --driver simulated.',
    });
  }
  const [{ inFile }, { newMachine }, { simulatedDriver }, { lockFiles }, { systemClock: clock }] =
    await Promise.all([
      import('#adapters/simulated/state-store'),
      import('#adapters/simulated/machine-state'),
      import('#adapters/simulated/driver'),
      import('#adapters/system/lock-files'),
      import('#adapters/system/clock'),
    ]);
  const path = simulatedFile(folder, flags);
  const models = flags.gpus === undefined ? undefined : await gpusNamed(flags.gpus);
  if (models === undefined && !(await isThere(path))) {
    throw new MicaError('bad-usage', `${path} holds no simulated machine yet`, {
      next: 'Say which GPUs it has with --gpus MODEL:COUNT,..., e.g. --gpus h100:2.',
    });
  }
  const initial = models === undefined ? {} : { initial: newMachine(models) };
  const store = await inFile({ path, locks: lockFiles(`${path}.locks`), clock, ...initial });
  const there = (await store.read()).gpus.map(({ model }) => model);
  if (models !== undefined && there.join() !== models.map(({ key }) => key).join()) {
    throw new MicaError('bad-usage', `${path} holds another machine, with ${there.join(', ') || 'no GPUs'}`, {
      next: 'Leave --gpus out to use it, delete it, or name another file with --state.',
    });
  }
  const latencyScale = flags.latency === undefined ? 0 : numberBetween('--latency', flags.latency, 0, 100);
  return {
    driver: simulatedDriver({ store, clock, latencyScale }),
    journalFolder: `${path}.journal`,
    runFolder: runFolderIn(folder, flags),
  };
}

async function gpusNamed(text: string): Promise<readonly SimulatedModel[]> {
  const { parseGpuList } = await import('#adapters/simulated/gpu-list');
  const answer = parseGpuList(text);
  if (answer.ok) return answer.models;
  const { kind, message } = answer.why;
  throw new MicaError(
    kind === 'unknown-model' ? 'unknown-model' : 'bad-usage',
    `--gpus: ${message}`,
    kind === 'unknown-model' ? {} : { next: 'Write --gpus MODEL:COUNT,..., e.g. --gpus h100:2.' },
  );
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
