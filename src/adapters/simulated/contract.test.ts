import { join } from 'node:path';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { gpuDriverContract, type ContractSetup } from '#ports/gpu-driver.contract';
import type { Locks } from '#ports/locks';
import { simulatedDriver } from './driver.js';
import { parseGpuList } from './gpu-list.js';
import { newMachine } from './machine-state.js';
import { simulatedMachine } from './machine.js';
import { inFile, inMemory, type StateStore } from './state-store.js';

const clock = { nowMs: () => 0, sleep: () => new Promise<void>((resolve) => setImmediate(resolve)) };

function setupOn(first: StateStore, again: () => Promise<StateStore>, close: () => void): ContractSetup {
  const machine = simulatedMachine(first);
  const open = (store: StateStore) => simulatedDriver({ store, clock, latencyScale: 0 });
  return {
    driver: open(first),
    gpus: Object.fromEntries(initial().gpus.map(({ model, uuid }) => [model, uuid])),
    addClient: (uuid, instanceId, client) => machine.addClient(uuid, { ...client, instanceId }),
    removeClient: machine.removeClient,
    reopen: async () => open(await again()),
    reboot: async () => {
      await machine.reboot();
      return open(await again());
    },
    setPrivileged: machine.setPrivileged,
    close: async () => close(),
  };
}

function initial() {
  const list = parseGpuList('h100,a100-40gb,a30,rtx-pro-6000');
  if (!list.ok) throw new Error(list.why.message);
  return newMachine(list.models);
}

gpuDriverContract('simulated, in memory', async () => {
  const store = inMemory(initial());
  return setupOn(
    store,
    async () => store,
    () => undefined,
  );
});

gpuDriverContract('simulated, in a file', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'mica-simulated-'));
  const path = join(folder, 'machine.json');
  const locks = locksInProcess();
  const open = () => inFile({ path, locks, clock, initial: initial() });
  return setupOn(await open(), open, () => rmSync(folder, { recursive: true }));
});

/** The contract runs in one process. */
function locksInProcess(): Locks {
  const held = new Set<string>();
  return {
    lock: async (key) => {
      if (held.has(key)) return { ok: false, pid: process.pid };
      held.add(key);
      return { ok: true, release: async () => void held.delete(key) };
    },
  };
}
