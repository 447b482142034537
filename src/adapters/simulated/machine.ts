/** What happens to a simulated machine from outside its driver: workloads come and go, it breaks, it is restarted. */
import type { XidEvent } from '#ports/gpu-driver';
import type { ClientState, GpuState } from './machine-state.js';
import { rebootGpu } from './silicon.js';
import type { StateStore } from './state-store.js';

export type NewClient = Pick<ClientState, 'pid' | 'usedMiB' | 'instanceId'> & {
  readonly name?: string | null;
};

export interface SimulatedMachine {
  /** A process begins to use the GPU, in an instance or (`null`) outside all of them. */
  readonly addClient: (gpuUuid: string, client: NewClient) => Promise<void>;
  /** A process is gone. */
  readonly removeClient: (gpuUuid: string, pid: number) => Promise<void>;
  readonly raiseXid: (event: XidEvent) => Promise<void>;
  /** Processes and instances are gone, and the MIG mode of cards that do not keep it. */
  readonly reboot: () => Promise<void>;
  /** Whether callers of the driver may change anything. */
  readonly setPrivileged: (privileged: boolean) => Promise<void>;
}

const keptXids = 100;

export function simulatedMachine(store: StateStore): SimulatedMachine {
  const onGpu = (uuid: string, change: (gpu: GpuState) => void): Promise<void> =>
    store.update((state) => {
      const gpu = state.gpus.find((one) => one.uuid === uuid);
      if (gpu === undefined) throw new RangeError(`the simulated machine has no GPU ${uuid}`);
      change(gpu);
    });
  return {
    addClient: (uuid, { pid, usedMiB, instanceId, name = null }) =>
      onGpu(uuid, (gpu) => {
        const instance = gpu.instances.find(({ id }) => id === instanceId);
        // A workload runs where there is something to run on; anything else would be a state that no machine has.
        if (instanceId !== null && (instance?.computeInstances.length ?? 0) === 0) {
          throw new RangeError(`GPU ${uuid} has no instance ${instanceId} to run in`);
        }
        gpu.clients.push({ pid, name, usedMiB, instanceId });
      }),
    removeClient: (uuid, pid) =>
      onGpu(uuid, (gpu) => {
        gpu.clients = gpu.clients.filter((client) => client.pid !== pid);
      }),
    raiseXid: (event) =>
      onGpu(event.gpuUuid, () => undefined).then(() =>
        store.update((state) => {
          state.xidCount += 1;
          state.xids = [...state.xids, { number: state.xidCount, ...event }].slice(-keptXids);
        }),
      ),
    reboot: () => store.update((state) => state.gpus.forEach(rebootGpu)),
    setPrivileged: (privileged) =>
      store.update((state) => {
        state.privileged = privileged;
      }),
  };
}
