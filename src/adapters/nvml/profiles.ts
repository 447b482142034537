/** What can be cut, from the driver's own answers: a card that the catalogue does not know works as well. */
import koffi, { type TypeObject } from 'koffi';
import type { Attribute, Profile } from '#core/catalogue/model';
import { nameParts } from '#core/catalogue/profile-name';
import type { DriverCard } from '#ports/gpu-driver';
import { structs, versionWord, type Handle } from './abi.js';
import { CallRefused, functionNotFound, notSupported, success, versionMismatch } from './codes.js';
import { memoryOf } from './devices.js';
import type { NvmlLibrary } from './library.js';
import { enumerate, orNull } from './reading.js';

/** One answer about a profile, whichever version of the struct it came in. */
interface ProfileInfo {
  readonly id: number;
  readonly sliceCount: number;
  readonly instanceCount: number;
  readonly multiprocessorCount: number;
  readonly copyEngineCount: number;
  readonly decoderCount: number;
  readonly encoderCount: number;
  readonly jpegCount: number;
  readonly ofaCount: number;
  readonly memorySizeMB: number | bigint;
  /** Not in version 1. */
  readonly name?: string;
}

/** `NVML_GPU_INSTANCE_PROFILE_*` numbers that stand for an attribute; the others are plain. */
const attributeOf: Readonly<Record<number, Attribute>> = {
  0x7: '+me',
  0x8: '+me',
  0xa: '+gfx',
  0xb: '+gfx',
  0xc: '+gfx',
  0xd: '-me',
  0xe: '-me',
  0xf: '+me.all',
  0x10: '+me.all',
  0x11: '+gfx',
};

export async function readCard(nvml: NvmlLibrary, device: Handle): Promise<DriverCard> {
  const read = await newestReader(nvml, device);
  const total = await orNull(memoryOf(nvml, device));
  const listed = await enumerate(async (nvmlEnum) => ({ nvmlEnum, info: await read(nvmlEnum) }));
  if (listed.length === 0) throw new CallRefused('nvmlDeviceGetGpuInstanceProfileInfo', notSupported);
  const profiles: Profile[] = [];
  for (const { nvmlEnum, info } of listed) {
    const { starts, sizeUnits } = await placementsOf(nvml, device, info.id);
    if (starts.length > 0)
      profiles.push(asProfile(nvmlEnum, info, starts, sizeUnits, total?.totalMiB ?? null));
  }
  const ends = profiles.map(({ starts, sizeUnits }) => Math.max(...starts) + sizeUnits);
  return { gridUnits: Math.max(0, ...ends), profiles };
}

/** The newest version of the struct that this driver takes: the first profile is there on every card with MIG. */
async function newestReader(
  nvml: NvmlLibrary,
  device: Handle,
): Promise<(nvmlEnum: number) => Promise<ProfileInfo>> {
  const versioned = async (nvmlEnum: number, struct: TypeObject, version: number) => {
    const buffer = Buffer.alloc(struct.size);
    buffer.writeUInt32LE(versionWord(struct, version));
    const code = await nvml.call('nvmlDeviceGetGpuInstanceProfileInfoV', device, nvmlEnum, buffer);
    return { code, info: koffi.decode(buffer, struct) as ProfileInfo };
  };
  for (const [struct, version] of [
    [structs.profileInfoV3, 3],
    [structs.profileInfoV2, 2],
  ] as const) {
    const { code } = await versioned(0, struct, version);
    if (code === versionMismatch || code === functionNotFound) continue;
    if (code !== success && code !== notSupported) {
      throw new CallRefused('nvmlDeviceGetGpuInstanceProfileInfoV', code);
    }
    return async (nvmlEnum) => {
      const answer = await versioned(nvmlEnum, struct, version);
      if (answer.code === success) return answer.info;
      throw new CallRefused('nvmlDeviceGetGpuInstanceProfileInfoV', answer.code);
    };
  }
  return async (nvmlEnum) => {
    const info = koffi.decode(Buffer.alloc(structs.profileInfo.size), structs.profileInfo) as ProfileInfo;
    await nvml.must('nvmlDeviceGetGpuInstanceProfileInfo', device, nvmlEnum, info);
    return info;
  };
}

/** All places of the profile on an empty card. */
async function placementsOf(
  nvml: NvmlLibrary,
  device: Handle,
  profileId: number,
): Promise<{ readonly starts: readonly number[]; readonly sizeUnits: number }> {
  const name = 'nvmlDeviceGetGpuInstancePossiblePlacements_v2';
  const count = { value: 0 };
  await nvml.must(name, device, profileId, null, count);
  const { size } = structs.placement;
  const buffer = Buffer.alloc(Math.max(1, count.value) * size);
  await nvml.must(name, device, profileId, buffer, count);
  const places = Array.from({ length: count.value }, (_, index) => ({
    start: buffer.readUInt32LE(index * size),
    size: buffer.readUInt32LE(index * size + 4),
  }));
  return {
    starts: places.map(({ start }) => start).sort((a, b) => a - b),
    sizeUnits: places[0]?.size ?? 0,
  };
}

function asProfile(
  nvmlEnum: number,
  info: ProfileInfo,
  starts: readonly number[],
  sizeUnits: number,
  totalMiB: number | null,
): Profile {
  const memoryMiB = Number(info.memorySizeMB);
  const told = (info.name ?? '').replace(/^MIG\s+/, '');
  const attribute = attributeOf[nvmlEnum] ?? nameParts(told)?.attribute ?? null;
  return {
    name:
      nameParts(told) === undefined
        ? computedName(info.sliceCount, memoryMiB, totalMiB ?? memoryMiB, attribute)
        : told,
    id: info.id,
    nvmlEnum,
    computeSlices: info.sliceCount,
    sizeUnits,
    starts,
    maxCount: info.instanceCount,
    attribute,
    memoryMiB,
    sms: info.multiprocessorCount,
    engines: {
      copy: info.copyEngineCount,
      decoders: info.decoderCount,
      encoders: info.encoderCount,
      jpeg: info.jpegCount,
      ofa: info.ofaCount,
    },
    confidence: 'observed',
    derivedFields: [],
    sources: [],
  };
}

/**
 * The name for a driver that gives none: eighths of the card's memory, rounded up, times the card's whole GiB. So
 * 9984 MiB of 81559 are `1g.10gb`, and 24192 of 97887 are `1g.24gb`.
 */
export function computedName(
  computeSlices: number,
  memoryMiB: number,
  totalMiB: number,
  attribute: Attribute | null,
): string {
  const eighths = Math.ceil((memoryMiB / totalMiB) * 8);
  const gb = Math.round((eighths / 8) * Math.ceil(totalMiB / 1024));
  return `${computeSlices}g.${gb}gb${attribute ?? ''}`;
}
