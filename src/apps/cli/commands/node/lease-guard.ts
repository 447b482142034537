/** Who has leased slices of this machine, for those that change it: read from the store of runs, where there is one. */
import { randomUUID } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ChangePorts } from '#engines/change/ports';
import type { LeasePorts } from '#engines/run/ports';
import type { RunStore } from '#ports/run-store';
import type { SliceGuard } from '#ports/slice-guard';

export interface LeaseGuard extends SliceGuard {
  readonly close: () => Promise<void>;
}

/** Opens the store when it is first asked, and makes none: a machine without one has leased nothing. */
export function leaseGuard(
  folder: string,
  { driver, clock }: Pick<ChangePorts, 'driver' | 'clock'>,
): LeaseGuard {
  const path = join(folder, 'mica.db');
  let store: Promise<RunStore> | null = null;
  const open = async (): Promise<LeasePorts | null> => {
    if (store === null && !(await isThere(path))) return null;
    const { openRunStore } = await import('#adapters/sqlite/run-store');
    store ??= openRunStore({ path });
    return { store: await store, driver, clock, ...(await thisProcess()) };
  };
  const guard = async (): Promise<SliceGuard> => {
    const { reserving } = await import('#engines/run/reserve');
    return reserving({ open, command: ['mica', 'node', 'apply'] });
  };
  return {
    holders: async (slices) => (await guard()).holders(slices),
    fence: async (slices) => (await guard()).fence(slices),
    close: async () => {
      const opened = await store?.catch(() => null);
      await opened?.close();
    },
  };
}

async function thisProcess(): Promise<Pick<LeasePorts, 'processes' | 'runner' | 'self' | 'newId'>> {
  const [{ systemJobRunner: runner }, { systemProcesses: processes }] = await Promise.all([
    import('#adapters/system/job-runner'),
    import('#adapters/system/processes'),
  ]);
  const { pid } = process;
  const self = {
    ...{ pid, startedAt: processes.startOf(pid) ?? '', bootId: processes.bootId() },
    pidNamespace: processes.pidNamespace(),
  };
  return { processes, runner, self, newId: () => randomUUID().slice(0, 8) };
}

/** What cannot be looked up is there: opening it says why. */
async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    (error: unknown) => (error as NodeJS.ErrnoException).code !== 'ENOENT',
  );
}
