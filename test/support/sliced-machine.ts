/** A simulated machine in a file, each card cut into as many slices of one profile as there are. */
import { simulatedDriver } from '../../src/adapters/simulated/driver.js';
import { parseGpuList } from '../../src/adapters/simulated/gpu-list.js';
import { newMachine } from '../../src/adapters/simulated/machine-state.js';
import { inFile } from '../../src/adapters/simulated/state-store.js';
import { systemClock as clock } from '../../src/adapters/system/clock.js';
import { lockFiles } from '../../src/adapters/system/lock-files.js';
import type { LeasableSlice } from '#core/run/slice';
import { machineSlices } from '#engines/run/machine-slices';

export async function slicedMachine(
  path: string,
  gpus: string,
  profileName: string,
): Promise<readonly LeasableSlice[]> {
  const list = parseGpuList(gpus);
  if (!list.ok) throw new Error(list.why.message);
  const initial = newMachine(list.models);
  const store = await inFile({ path, locks: lockFiles(`${path}.locks`), clock, initial });
  const driver = simulatedDriver({ store, clock, latencyScale: 0 });
  for (const { uuid } of initial.gpus) {
    await driver.setMigMode(uuid, true);
    await driver.reset(uuid);
    const card = await driver.card(uuid);
    const profile = card.ok ? card.value.profiles.find(({ name }) => name === profileName) : undefined;
    for (let start = 0; card.ok && start < card.value.gridUnits; start += profile?.sizeUnits ?? Infinity) {
      const made = await driver.createGpuInstance(uuid, profile?.id ?? -1, start);
      if (!made.ok) throw new Error(made.why.message);
      await driver.createComputeInstance(uuid, made.value.id);
    }
  }
  return machineSlices(driver);
}
