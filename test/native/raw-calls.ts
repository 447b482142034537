/** Bare calls into the double, for what the adapter never does, such as leaving the place to the driver. */
import koffi from 'koffi';
import { signatures, structs, type Handle } from '#adapters/nvml/abi';

/** The code, and what the call gave out. */
export interface RawCalls {
  readonly create: (profileId: number, start?: number) => RawInstance;
  readonly compute: (instanceId: number) => RawInstance;
  readonly removeCompute: (instanceId: number, computeId: number) => number;
  readonly destroy: (instanceId: number) => number;
  readonly end: () => void;
}

export interface RawInstance {
  readonly code: number;
  readonly id: number;
  readonly profileId: number;
  readonly start: number;
  readonly size: number;
}

/** On the machine's first card. */
export function openRaw(libraryPath: string): RawCalls {
  const library = koffi.load(libraryPath);
  const handle = signatures.nvmlDeviceGetName[0];
  const call = (name: string, ...args: readonly unknown[]): number => {
    const declared = name === 'nvmlDeviceCreateGpuInstance' ? [handle, 'uint32_t', outHandle] : undefined;
    const types = declared ?? [...signatures[name as keyof typeof signatures]];
    return library.func(name, 'int', types)(...args) as number;
  };
  const outHandle = signatures.nvmlEventSetCreate[0];
  const given = (name: string, ...args: readonly unknown[]): { code: number; handle: Handle } => {
    const out: (Handle | null)[] = [null];
    const code = call(name, ...args, out);
    return { code, handle: out[0] ?? 0n };
  };
  call('nvmlInit_v2');
  const device = given('nvmlDeviceGetHandleByIndex_v2', 0).handle;
  const instance = (id: number) => given('nvmlDeviceGetGpuInstanceById', device, id).handle;
  const described = (made: { code: number; handle: Handle }, name: string, empty: object): RawInstance => {
    const info = { id: 0, profileId: 0, placement: { start: 0, size: 0 }, ...empty };
    if (made.code === 0) call(name, made.handle, info);
    return { code: made.code, id: info.id, profileId: info.profileId, ...info.placement };
  };
  return {
    create: (profileId, start) => {
      const size = start === undefined ? 0 : sizeOf(call, device, profileId);
      const made =
        start === undefined
          ? given('nvmlDeviceCreateGpuInstance', device, profileId)
          : given('nvmlDeviceCreateGpuInstanceWithPlacement', device, profileId, { start, size });
      return described(made, 'nvmlGpuInstanceGetInfo', { device: 0n });
    },
    compute: (instanceId) => {
      const parent = instance(instanceId);
      const profile = widestProfile(call, parent);
      const made = given('nvmlGpuInstanceCreateComputeInstance', parent, profile);
      return described(made, 'nvmlComputeInstanceGetInfo_v2', { device: 0n, gpuInstance: 0n });
    },
    removeCompute: (instanceId, computeId) => {
      const name = 'nvmlGpuInstanceGetComputeInstanceById';
      return call('nvmlComputeInstanceDestroy', given(name, instance(instanceId), computeId).handle);
    },
    destroy: (instanceId) => call('nvmlGpuInstanceDestroy', instance(instanceId)),
    end: () => void call('nvmlShutdown'),
  };
}

type Call = (name: string, ...args: readonly unknown[]) => number;

function sizeOf(call: Call, device: Handle, profileId: number): number {
  const buffer = Buffer.alloc(structs.placement.size * 16);
  call('nvmlDeviceGetGpuInstancePossiblePlacements_v2', device, profileId, buffer, { value: 16 });
  return buffer.readUInt32LE(4);
}

function widestProfile(call: Call, instance: Handle): number {
  const names = ['id', 'sliceCount', 'instanceCount', 'multiprocessorCount', 'sharedCopyEngineCount'];
  const shared = ['sharedDecoderCount', 'sharedEncoderCount', 'sharedJpegCount', 'sharedOfaCount'];
  let best = { profile: 0, sms: -1 };
  for (let profile = 0; profile < 8; profile++) {
    const info = Object.fromEntries([...names, ...shared].map((name) => [name, 0]));
    const code = call('nvmlGpuInstanceGetComputeInstanceProfileInfo', instance, profile, 0, info);
    const sms = info['multiprocessorCount'] ?? 0;
    if (code === 0 && sms > best.sms) best = { profile, sms };
  }
  return best.profile;
}
