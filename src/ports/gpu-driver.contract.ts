/**
 * What every GpuDriver must do, as a suite that each adapter runs on a machine of its own making. The rules are those
 * of NVML; which of its free choices (GI ids, default places) a driver makes must not matter to anybody.
 */
import { describe } from 'vitest';
import { capacityCases } from './gpu-driver-capacity.contract.js';
import type { ContractSetup } from './gpu-driver-cases.contract.js';
import { instanceCases } from './gpu-driver-instances.contract.js';
import { inventoryCases, readingCases } from './gpu-driver-inventory.contract.js';
import { modeCases } from './gpu-driver-mode.contract.js';
import { randomCases } from './gpu-driver-random.contract.js';

export type { Client, ContractSetup } from './gpu-driver-cases.contract.js';

/** The whole contract. `setup` is called once for each case. */
export function gpuDriverContract(name: string, setup: () => Promise<ContractSetup>): void {
  describe(`${name}: the contract of a GPU driver`, () => {
    inventoryCases(setup);
    modeCases(setup);
    instanceCases(setup);
    capacityCases(setup);
    randomCases(setup);
  });
}

/** The part that changes nothing, for a machine with real GPUs that are in use. */
export function gpuDriverReadContract(
  name: string,
  setup: () => Promise<Pick<ContractSetup, 'driver' | 'close'>>,
): void {
  describe(`${name}: reading, as the contract of a GPU driver has it`, () => {
    readingCases(setup);
  });
}
