/**
 * The functions and structs of libnvidia-ml that Mica calls, declared for koffi. `test/native/nvml-abi.json` holds the
 * sizes and offsets; a versioned struct carries its own size and version in its first word.
 */
import koffi, { type TypeObject } from 'koffi';

/** An NVML handle: good until its GPU is reset or its instance destroyed, so it is never kept between calls. */
export type Handle = bigint;

const handle = koffi.pointer(koffi.opaque());
const word = 'uint32_t';
const long = 'uint64_t';
const text = (length: number) => koffi.array('char', length, 'String');
const outHandle = koffi.out(koffi.pointer(handle));
const outWord = koffi.out(koffi.pointer(word));
const filled = (struct: TypeObject) => koffi.inout(koffi.pointer(struct));

const placement = koffi.struct({ start: word, size: word });

export const structs = {
  pciInfo: koffi.struct({
    busIdLegacy: text(16),
    domain: word,
    bus: word,
    device: word,
    pciDeviceId: word,
    pciSubSystemId: word,
    busId: text(32),
  }),
  memory: koffi.struct({ total: long, free: long, used: long }),
  memoryV2: koffi.struct({ version: word, total: long, reserved: long, free: long, used: long }),
  processInfo: koffi.struct({
    pid: word,
    usedGpuMemory: long,
    gpuInstanceId: word,
    computeInstanceId: word,
  }),
  placement,
  profileInfo: koffi.struct(profileFields({ isP2pSupported: word })),
  profileInfoV2: koffi.struct({ version: word, ...profileFields({ isP2pSupported: word }), name: text(96) }),
  profileInfoV3: koffi.struct({ version: word, ...profileFields({}), name: text(96), capabilities: word }),
  instanceInfo: koffi.struct({ device: handle, id: word, profileId: word, placement }),
  computeProfileInfo: koffi.struct({
    id: word,
    sliceCount: word,
    instanceCount: word,
    multiprocessorCount: word,
    sharedCopyEngineCount: word,
    sharedDecoderCount: word,
    sharedEncoderCount: word,
    sharedJpegCount: word,
    sharedOfaCount: word,
  }),
  computeInfo: koffi.struct({
    device: handle,
    gpuInstance: handle,
    id: word,
    profileId: word,
    placement,
  }),
  eventData: koffi.struct({
    device: handle,
    eventType: long,
    eventData: long,
    gpuInstanceId: word,
    computeInstanceId: word,
  }),
} as const;

function profileFields(afterId: Record<string, string>) {
  return {
    id: word,
    ...afterId,
    sliceCount: word,
    instanceCount: word,
    multiprocessorCount: word,
    copyEngineCount: word,
    decoderCount: word,
    encoderCount: word,
    jpegCount: word,
    ofaCount: word,
    memorySizeMB: long,
  };
}

/** The first word of a versioned struct. */
export function versionWord(struct: TypeObject, version: number): number {
  return struct.size + version * 2 ** 24;
}

const processList = [handle, filled(structOf(word)), 'void *'];

/** Arguments by function; every one answers a return code. */
export const signatures = {
  nvmlInit_v2: [],
  nvmlShutdown: [],
  nvmlSystemGetDriverVersion: ['void *', word],
  nvmlSystemGetProcessName: [word, 'void *', word],
  nvmlDeviceGetCount_v2: [outWord],
  nvmlDeviceGetHandleByIndex_v2: [word, outHandle],
  nvmlDeviceGetHandleByUUID: ['str', outHandle],
  nvmlDeviceGetName: [handle, 'void *', word],
  nvmlDeviceGetUUID: [handle, 'void *', word],
  nvmlDeviceGetVbiosVersion: [handle, 'void *', word],
  nvmlDeviceGetPciInfo_v3: [handle, filled(structs.pciInfo)],
  nvmlDeviceGetMemoryInfo: [handle, filled(structs.memory)],
  nvmlDeviceGetMemoryInfo_v2: [handle, filled(structs.memoryV2)],
  nvmlDeviceGetComputeRunningProcesses_v3: processList,
  nvmlDeviceGetGraphicsRunningProcesses_v3: processList,
  nvmlDeviceGetMPSComputeRunningProcesses_v3: processList,
  nvmlDeviceGetMigMode: [handle, outWord, outWord],
  nvmlDeviceSetMigMode: [handle, word, outWord],
  nvmlDeviceGetMaxMigDeviceCount: [handle, outWord],
  nvmlDeviceGetMigDeviceHandleByIndex: [handle, word, outHandle],
  nvmlDeviceGetGpuInstanceId: [handle, outWord],
  nvmlDeviceGetComputeInstanceId: [handle, outWord],
  nvmlDeviceGetGpuInstanceProfileInfo: [handle, word, filled(structs.profileInfo)],
  /** Takes v2 and v3: the caller says which in the struct's first word. */
  nvmlDeviceGetGpuInstanceProfileInfoV: [handle, word, 'void *'],
  nvmlDeviceGetGpuInstancePossiblePlacements_v2: [handle, word, 'void *', filled(structOf(word))],
  nvmlDeviceCreateGpuInstanceWithPlacement: [handle, word, filled(placement), outHandle],
  nvmlDeviceGetGpuInstances: [handle, word, 'void *', outWord],
  nvmlDeviceGetGpuInstanceById: [handle, word, outHandle],
  nvmlGpuInstanceGetInfo: [handle, filled(structs.instanceInfo)],
  nvmlGpuInstanceDestroy: [handle],
  nvmlGpuInstanceGetComputeInstanceProfileInfo: [handle, word, word, filled(structs.computeProfileInfo)],
  nvmlGpuInstanceCreateComputeInstance: [handle, word, outHandle],
  nvmlGpuInstanceGetComputeInstances: [handle, word, 'void *', outWord],
  nvmlGpuInstanceGetComputeInstanceById: [handle, word, outHandle],
  nvmlComputeInstanceGetInfo_v2: [handle, filled(structs.computeInfo)],
  nvmlComputeInstanceDestroy: [handle],
  nvmlEventSetCreate: [outHandle],
  nvmlEventSetFree: [handle],
  nvmlDeviceRegisterEvents: [handle, long, handle],
  nvmlEventSetWait_v2: [handle, filled(structs.eventData), word],
} as const;

export type FunctionName = keyof typeof signatures;

/** A count that goes in and comes out is a struct of one word, since koffi copies only objects both ways. */
function structOf(type: string): TypeObject {
  return koffi.struct({ value: type });
}
