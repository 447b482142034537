/** The NVML adapter on the C double keeps the contract of a GPU driver, also where the driver chooses perversely. */
import { describe } from 'vitest';
import { openNvml } from '#adapters/nvml/driver';
import type { GpuDriver } from '#ports/gpu-driver';
import {
  gpuDriverContract,
  gpuDriverReadContract,
  type ContractSetup,
} from '../../src/ports/gpu-driver.contract.js';
import { requires } from '../tooling/requires.js';
import { makeMachine, type Switch } from './machine.js';
import { missingOn, optionsFor, setUpOther } from './other-library.js';

const cc = requires('cc');
const keys = ['h100-80gb-sxm', 'a100-40gb', 'rtx-pro-6000-blackwell-server', 'a30-24gb'];

describe.skipIf(cc.missing)(cc.title('NVML on the double'), () => {
  gpuDriverContract('observed order', () => setUp());
  gpuDriverContract('adversarial order', () => setUp('adversarial'));
});

// Any other libnvidia-ml, such as that of a real machine: reading only, unless changes are allowed in so many words.
const otherLibrary = process.env['MICA_NVML_LIB'] ?? '';
if (otherLibrary !== '') {
  const name = `MICA_NVML_LIB=${otherLibrary}`;
  const options = optionsFor(otherLibrary);
  if (process.env['MICA_NVML_ALLOW_CHANGES'] !== '1') {
    gpuDriverReadContract(name, async () => {
      const driver = await openNvml(options);
      return { driver, close: () => driver.close() };
    });
  } else {
    const missing = await missingOn(options);
    describe.skipIf(missing !== null)(missing ?? 'with changes', () => {
      gpuDriverContract(name, () => setUpOther(options));
    });
  }
}

async function setUp(...always: readonly Switch[]): Promise<ContractSetup> {
  const machine = makeMachine(keys.map((key) => ({ key })));
  machine.setSwitches(...always);
  const opened: GpuDriver[] = [];
  const open = async (): Promise<GpuDriver> => {
    const driver = await openNvml({ libraryPath: machine.libraryPath, smiPath: machine.smiPath });
    opened.push(driver);
    return driver;
  };
  const gpuIndex = (uuid: string) => machine.uuids.indexOf(uuid);
  return {
    driver: await open(),
    gpus: Object.fromEntries(keys.map((key, index) => [key, machine.uuids[index] ?? ''])),
    addClient: async (uuid, instanceId, { pid, usedMiB }) =>
      machine.setClients([
        ...machine.clients(),
        { pid, gpu: gpuIndex(uuid), instanceId, memoryMiB: usedMiB },
      ]),
    removeClient: async (uuid, pid) =>
      machine.setClients(
        machine.clients().filter((client) => client.pid !== pid || client.gpu !== gpuIndex(uuid)),
      ),
    reopen: open,
    reboot: async () => {
      machine.reboot();
      return open();
    },
    setPrivileged: async (privileged) =>
      machine.setSwitches(...always, ...(privileged ? [] : (['unprivileged'] as const))),
    close: async () => {
      for (const driver of opened) await driver.close();
      machine.remove();
    },
  };
}
