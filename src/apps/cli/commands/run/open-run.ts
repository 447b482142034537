/** What runs on this machine: whoever hands out its slices, the store for what is run, and processes, wired together. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { MicaError } from '#core/errors';
import type { Connection } from '#adapters/desk/connection';
import type { SliceWish } from '#core/run/slice';
import type { ChangePorts } from '#engines/change/ports';
import type { EndLeasePorts } from '#engines/run/end-lease';
import type { Leases } from '#engines/run/leases';
import type { SliceMeter } from '#engines/run/peak-memory';
import type { Clock } from '#ports/clock';
import type { GpuDriver } from '#ports/gpu-driver';
import type { JobRunner } from '#ports/job-runner';
import type { LeaseDesk } from '#ports/lease-desk';
import type { Processes } from '#ports/processes';
import type { ProcessMark, RunStore } from '#ports/run-store';
import type { Host } from '../../terminal/screen.js';
import { runFolderOf, withNode } from '../node/open-node.js';
import { findServer, withConnection, type DeskFlags } from '../serve/find-server.js';

export interface RunMachine {
  readonly desk: LeaseDesk;
  readonly leases: Leases;
  readonly meter: SliceMeter;
  /** Of batches, their jobs and how long these took: this user's own. */
  readonly store: RunStore;
  /** The folder that the store is in, for its owner alone. */
  readonly folder: string;
  readonly clock: Clock;
  readonly processes: Processes;
  readonly runner: JobRunner;
  /** This process. */
  readonly self: ProcessMark;
  readonly newId: () => string;
  /** This user is one tenant of several. */
  readonly isShared: boolean;
  /** `null`: a server has the GPUs, and nobody else cuts them. */
  readonly local: LocalGpus | null;
}

export interface LocalGpus {
  readonly driver: GpuDriver;
  readonly change: ChangePorts;
}

/** Opens the machine for the length of the work. Throws MicaError where it cannot be. */
export async function withRun<T>(
  host: Host,
  flags: DeskFlags,
  work: (machine: RunMachine) => Promise<T>,
): Promise<T> {
  const socket = await findServer(host, flags);
  const basics = await openBasics();
  return socket === null
    ? onOwnStore(host, flags, basics, work)
    : atServer(host, flags, socket, basics, work);
}

/** As `withRun`, on a simulated machine that is cut for the wish where it has no layout yet. */
export async function withSlicesFor<T>(
  host: Host,
  flags: DeskFlags,
  wish: SliceWish,
  work: (machine: RunMachine) => Promise<T>,
): Promise<T> {
  return withRun(host, flags, async (machine) => {
    if (machine.local?.driver.kind === 'simulated') {
      const { cutForWish } = await import('./cut-for-wish.js');
      await cutForWish(machine.local.change, wish);
    }
    return work(machine);
  });
}

type Basics = Pick<RunMachine, 'runner' | 'processes' | 'self' | 'newId'>;

async function openBasics(): Promise<Basics> {
  const [{ systemJobRunner: runner }, { systemProcesses: processes }] = await Promise.all([
    import('#adapters/system/job-runner'),
    import('#adapters/system/processes'),
  ]);
  const self = {
    pid: process.pid,
    startedAt: processes.startOf(process.pid) ?? '',
    bootId: processes.bootId(),
    pidNamespace: processes.pidNamespace(),
  };
  return { runner, processes, self, newId: () => randomUUID().slice(0, 8) };
}

async function onOwnStore<T>(
  host: Host,
  flags: DeskFlags,
  basics: Basics,
  work: (machine: RunMachine) => Promise<T>,
): Promise<T> {
  const [{ openRunStore }, { leasesOn }, { meterOf }] = await Promise.all([
    import('#adapters/sqlite/run-store'),
    import('#engines/run/leases-on'),
    import('#engines/run/peak-memory'),
  ]);
  return withNode(host, flags, async (change, { runFolder: folder }) => {
    const { driver, clock } = change;
    const store = await openRunStore({ path: join(folder, 'mica.db') });
    try {
      await refuseTenants(store);
      const ports: EndLeasePorts = { ...basics, store, driver, clock };
      const { desk, close, acquire } = leasesOn(ports);
      try {
        return await work({
          ...basics,
          ...{ desk, leases: { acquire }, meter: meterOf(driver), store, folder, clock },
          ...{ isShared: false, local: { driver, change } },
        });
      } finally {
        close();
      }
    } finally {
      await store.close();
    }
  });
}

/** Where several share a machine, one server sees to it that each keeps to its own. */
async function refuseTenants(store: RunStore): Promise<void> {
  if (!(await store.read((tables) => tables.tenants().length > 0))) return;
  throw new MicaError('needs-server', 'this machine has tenants, and no server hands out its slices');
}

async function atServer<T>(
  host: Host,
  flags: DeskFlags,
  socket: string,
  basics: Basics,
  work: (machine: RunMachine) => Promise<T>,
): Promise<T> {
  const [{ deskAt }, { meterAt }, { systemClock: clock }, { leasesAt }] = await Promise.all([
    import('#adapters/desk/desk'),
    import('#adapters/desk/meter'),
    import('#adapters/system/clock'),
    import('#engines/run/leases-on'),
  ]);
  const folder = runFolderOf(host, flags);
  const store = lazyStore(join(folder, 'mica.db'));
  return withConnection(host, flags, socket, async (connection) => {
    const desk = deskAt(connection);
    try {
      return await work({
        ...basics,
        ...{ desk, leases: leasesAt({ desk, clock, newId: basics.newId }) },
        ...{ meter: meterAt(desk, connection, clock), store, folder, clock },
        ...{ isShared: await isTenant(connection), local: null },
      });
    } finally {
      await store.close();
    }
  });
}

async function isTenant({ call }: Connection): Promise<boolean> {
  const { tenant } = (await call({ method: 'GET', path: '/v1' })) as { readonly tenant?: unknown };
  return typeof tenant === 'string';
}

/** Opened when it is first needed: whoever only runs a program at a server has nothing to keep. */
function lazyStore(path: string): RunStore {
  let opened: Promise<RunStore> | null = null;
  const open = (): Promise<RunStore> =>
    (opened ??= import('#adapters/sqlite/run-store').then(({ openRunStore }) => openRunStore({ path })));
  return {
    transact: async (work, options) => (await open()).transact(work, options),
    read: async (work) => (await open()).read(work),
    close: async () => (await opened?.catch(() => null))?.close(),
  };
}
