/** The machine with what runs on it: its driver, its leases and its store, wired together. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { SliceWish } from '#core/run/slice';
import type { ChangePorts } from '#engines/change/ports';
import type { EndLeasePorts } from '#engines/run/end-lease';
import type { Leases } from '#engines/run/leases';
import type { JobRunner } from '#ports/job-runner';
import type { Host } from '../../terminal/screen.js';
import { withNode, type DriverFlags } from '../node/open-node.js';

export interface RunMachine extends EndLeasePorts {
  readonly leases: Leases;
  readonly runner: JobRunner;
  /** For those that cut GPUs; what runs never does. */
  readonly change: ChangePorts;
  /** The folder that the store is in, for its owner alone. */
  readonly folder: string;
}

/** Opens the machine for the length of the work. Throws MicaError where it cannot be. */
export async function withRun<T>(
  host: Host,
  flags: DriverFlags,
  work: (machine: RunMachine) => Promise<T>,
): Promise<T> {
  const [{ openRunStore }, { systemJobRunner: runner }, { systemProcesses: processes }, { leasesOn }] =
    await Promise.all([
      import('#adapters/sqlite/run-store'),
      import('#adapters/system/job-runner'),
      import('#adapters/system/processes'),
      import('#engines/run/leases-on'),
    ]);
  return withNode(host, flags, async (change, { runFolder: folder }) => {
    const store = await openRunStore({ path: join(folder, 'mica.db') });
    const { driver, clock } = change;
    const self = {
      pid: process.pid,
      startedAt: processes.startOf(process.pid) ?? '',
      bootId: processes.bootId(),
    };
    const newId = (): string => randomUUID().slice(0, 8);
    const ports: EndLeasePorts = { store, driver, clock, processes, runner, self, newId };
    const leases = leasesOn(ports);
    try {
      return await work({ ...ports, runner, change, folder, leases });
    } finally {
      leases.close();
      await store.close();
    }
  });
}

/** As `withRun`, on a simulated machine that is cut for the wish where it has no layout yet. */
export async function withSlicesFor<T>(
  host: Host,
  flags: DriverFlags,
  wish: SliceWish,
  work: (machine: RunMachine) => Promise<T>,
): Promise<T> {
  return withRun(host, flags, async (machine) => {
    if (machine.driver.kind === 'simulated') {
      const { cutForWish } = await import('./cut-for-wish.js');
      await cutForWish(machine.change, wish);
    }
    return work(machine);
  });
}
