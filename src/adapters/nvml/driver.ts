/** The GPU driver of this machine through libnvidia-ml: the port, put together from the rooms beside this file. */
import type { Profile } from '#core/catalogue/model';
import type { DriverAnswer, DriverCard, GpuDriver } from '#ports/gpu-driver';
import type { Handle } from './abi.js';
import { answering, CallRefused, invalidArgument, notSupported, refusal, success, wordsOf } from './codes.js';
import { deviceNamed, gpuLister, migModeOf, type MigMode } from './devices.js';
import { watchXids } from './events.js';
import {
  createComputeInstance,
  createInstance,
  destroyComputeInstance,
  destroyInstance,
  listInstances,
  rememberingComputeProfiles,
} from './instances.js';
import { defaultLibrary, openLibrary, type NvmlLibrary } from './library.js';
import { listProcesses } from './processes.js';
import { readCard } from './profiles.js';
import { orNull } from './reading.js';
import { resetGpu } from './reset.js';

export interface NvmlOptions {
  /** Default: the system's libnvidia-ml.so.1. */
  readonly libraryPath?: string;
  /** Default: nvidia-smi on PATH. */
  readonly smiPath?: string;
}

/** Throws a MicaError that says what is missing where the library cannot be used. */
export async function openNvml(options: NvmlOptions = {}): Promise<GpuDriver> {
  const nvml = await openLibrary(options.libraryPath ?? defaultLibrary);
  const smiPath = options.smiPath ?? 'nvidia-smi';
  const xids = watchXids(nvml);
  const listGpus = gpuLister(nvml);
  const cardOf = rememberingCards(nvml);
  const computeProfilesOn = rememberingComputeProfiles(nvml);

  const on = <T>(uuid: string, work: (device: Handle) => Promise<T>): Promise<DriverAnswer<T>> =>
    during(nvml, async () => work(await deviceNamed(nvml, uuid)));

  return {
    kind: 'nvml',
    gpus: () => during(nvml, listGpus),
    card: (uuid) => on(uuid, (device) => cardOf(uuid, device)),
    instances: (uuid) =>
      on(uuid, async (device) =>
        (await isCut(nvml, device))
          ? listInstances(nvml, device, await cardOf(uuid, device), computeProfilesOn(uuid))
          : [],
      ),
    processes: (uuid) => on(uuid, async (device) => listProcesses(nvml, device, await isCut(nvml, device))),
    setMigMode: (uuid, enabled) => setMigMode(nvml, uuid, enabled),
    reset: async (uuid) => {
      const known = await on(uuid, async () => undefined);
      // The reset is refused while anybody holds the GPU, this process included.
      if (!known.ok) return known;
      const reset = await answering(() => nvml.putDown(() => resetGpu(smiPath, uuid)));
      return reset.ok ? reset.value : reset;
    },
    createGpuInstance: (uuid, profileId, start) =>
      on(uuid, async (device) => {
        if (!(await isCut(nvml, device))) {
          throw new CallRefused('nvmlDeviceCreateGpuInstanceWithPlacement', notSupported);
        }
        const profile = profileWith(await cardOf(uuid, device), profileId);
        return createInstance(nvml, device, profile, start);
      }),
    createComputeInstance: (uuid, instanceId) =>
      on(uuid, (device) => createComputeInstance(nvml, device, instanceId, computeProfilesOn(uuid))),
    destroyComputeInstance: (uuid, instanceId, computeInstanceId) =>
      on(uuid, async (device) => {
        await destroyComputeInstance(nvml, device, instanceId, computeInstanceId);
        return undefined;
      }),
    destroyGpuInstance: (uuid, instanceId) =>
      on(uuid, async (device) => {
        await destroyInstance(nvml, device, instanceId);
        return undefined;
      }),
    nextXid: (timeoutMs) => answering(() => xids.next(timeoutMs)),
    close: () => nvml.close(),
  };
}

function during<T>(nvml: NvmlLibrary, work: () => Promise<T>): Promise<DriverAnswer<T>> {
  return answering(() => nvml.during(work));
}

/** Profiles do not change while the driver runs, and reading them takes dozens of calls. */
function rememberingCards(nvml: NvmlLibrary): (uuid: string, device: Handle) => Promise<DriverCard> {
  const cards = new Map<string, DriverCard>();
  return async (uuid, device) => {
    const known = cards.get(uuid);
    if (known !== undefined) return known;
    const card = await readCard(nvml, device);
    cards.set(uuid, card);
    return card;
  };
}

function profileWith(card: DriverCard, profileId: number): Profile {
  const found = card.profiles.find(({ id }) => id === profileId);
  if (found === undefined) throw new CallRefused('nvmlDeviceCreateGpuInstanceWithPlacement', invalidArgument);
  return found;
}

async function isCut(nvml: NvmlLibrary, device: Handle): Promise<boolean> {
  return (await orNull(migModeOf(nvml, device)))?.current ?? false;
}

/** The call may "succeed" and still change nothing: what became of it is in the activation status and in the mode. */
async function setMigMode(nvml: NvmlLibrary, uuid: string, enabled: boolean): Promise<DriverAnswer<MigMode>> {
  const set = await during(nvml, async () => {
    const activation = [success];
    const device = await deviceNamed(nvml, uuid);
    await nvml.must('nvmlDeviceSetMigMode', device, enabled ? 1 : 0, activation);
    return activation[0]!;
  });
  if (!set.ok) return set;
  if (set.value !== success) {
    return refusal(set.value, `nvmlDeviceSetMigMode: the mode was not activated: ${wordsOf(set.value)}`);
  }
  // Looked up again: an idle Ampere card may have been reset by the call.
  const mode = await during(nvml, async () => migModeOf(nvml, await deviceNamed(nvml, uuid)));
  if (!mode.ok || mode.value.current === enabled) return mode;
  const message = 'nvmlDeviceSetMigMode: the mode is set and waits for a GPU reset';
  return { ok: false, why: { kind: 'reset-required', message, code: null } };
}
