/** The contract on a library that was not made for it, such as that of a real machine: it gets back what it had. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { openNvml, type NvmlOptions } from '#adapters/nvml/driver';
import { findModel } from '#core/catalogue/find-model';
import type { GpuDriver, GpuInfo } from '#ports/gpu-driver';
import type { ContractSetup } from '../../src/ports/gpu-driver.contract.js';
import { clearGpu, resetless, yes } from '../../src/ports/gpu-driver-cases.contract.js';

/** With the nvidia-smi beside the library, if there is one; else the one on PATH. */
export function optionsFor(libraryPath: string): NvmlOptions {
  const smiPath = join(dirname(libraryPath), 'nvidia-smi');
  return { libraryPath, ...(existsSync(smiPath) ? { smiPath } : {}) };
}

/** What the contract cannot do without; `null`: it is all there. */
export async function missingOn(options: NvmlOptions): Promise<string | null> {
  const driver = await openNvml(options);
  const gpus = gpusByKey(await yes(driver.gpus()));
  await driver.close();
  return gpus[resetless] === undefined ? `needs a GPU of the model ${resetless} for changes` : null;
}

/** GPUs that are idle, with MIG off. Anything else there is somebody's, and is not touched. */
export async function setUpOther(options: NvmlOptions): Promise<ContractSetup> {
  const driver = await openNvml(options);
  const infos = await yes(driver.gpus());
  const gpus = gpusByKey(infos);
  for (const { uuid, index, mig } of infos.filter((info) => Object.values(gpus).includes(info.uuid))) {
    if (mig?.current === false && !mig.pending && (await yes(driver.processes(uuid))).length === 0) continue;
    await driver.close();
    throw new Error(`GPU ${index} is not idle with MIG off, as the contract needs it`);
  }
  const others: GpuDriver[] = [];
  return {
    driver,
    gpus,
    reopen: async () => {
      const other = await openNvml(options);
      others.push(other);
      return other;
    },
    close: async () => {
      // A reset is refused while this process holds the GPUs more than once.
      for (const other of others) await other.close();
      for (const uuid of Object.values(gpus)) await putBack(driver, uuid);
      await driver.close();
    },
  };
}

async function putBack(driver: GpuDriver, uuid: string): Promise<void> {
  await clearGpu(driver, uuid);
  const off = await driver.setMigMode(uuid, false);
  if (!off.ok && off.why.kind === 'reset-required') await yes(driver.reset(uuid));
  else if (!off.ok) throw new Error(off.why.message);
}

/** The first of each model that can be cut. */
function gpusByKey(infos: readonly GpuInfo[]): Record<string, string> {
  const gpus: Record<string, string> = {};
  for (const { uuid, name, pciDeviceId } of infos) {
    const found = [pciDeviceId, name].map(findModel).find(({ ok }) => ok);
    if (found?.ok === true && found.model.kind === 'mig') gpus[found.model.key] ??= uuid;
  }
  return gpus;
}
