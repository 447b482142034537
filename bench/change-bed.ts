/** A machine of eight GPUs to change, on the C double of NVML, with all its calls counted. */
import { readFileSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { openNvml } from '#adapters/nvml/driver';
import type { Layout } from '#core/geometry/placement';
import type { GpuDriver, GpuInstance } from '#ports/gpu-driver';
import { makeMachine } from '../test/native/machine.js';
import { requires } from '../test/tooling/requires.js';
import { h100 } from './mixes.js';

export const gpusOfBed = 8;
/** The double needs a C compiler. */
export const hasDouble = !requires('cc').missing;

export interface Bed {
  /** Uncounted. */
  readonly driver: GpuDriver;
  readonly uuids: readonly string[];
  /** For a journal. */
  readonly folder: string;
  /** Exactly these instances are in use: a process in each. */
  readonly setBusy: (busy: readonly BusyInstance[]) => void;
  /** NVML calls since it was asked last. */
  readonly takeCalls: () => NvmlCalls;
  readonly close: () => Promise<void>;
}

export interface BusyInstance {
  readonly gpu: number;
  readonly instanceId: number;
}

interface NvmlCalls {
  /** Refused ones too. */
  readonly changing: number;
  readonly reading: number;
}

const isChanging =
  /^\d+ nvml(DeviceSetMigMode|DeviceCreate|GpuInstanceCreate|GpuInstanceDestroy|ComputeInstanceDestroy)/;

export async function openBed(): Promise<Bed> {
  const machine = makeMachine(Array.from({ length: gpusOfBed }, () => ({ key: h100.key })));
  const { folder, libraryPath, smiPath, uuids } = machine;
  const driver = await openNvml({ libraryPath, smiPath });
  for (const uuid of uuids) await driver.setMigMode(uuid, true);
  const log = join(folder, 'log');
  return {
    driver,
    uuids,
    folder,
    setBusy: (busy) =>
      machine.setClients(busy.map((one, index) => ({ ...one, pid: 40_000 + index, memoryMiB: 2000 }))),
    takeCalls: () => {
      const lines = readFileSync(log, 'utf8').split('\n').slice(0, -1);
      truncateSync(log);
      const changing = lines.filter((line) => isChanging.test(line)).length;
      return { changing, reading: lines.length - changing };
    },
    close: async () => {
      await driver.close();
      machine.remove();
    },
  };
}

export async function instancesOn({ driver, uuids }: Bed, gpu: number): Promise<readonly GpuInstance[]> {
  const answer = await driver.instances(uuids[gpu]!);
  if (!answer.ok) throw new Error(answer.why.message);
  return answer.value;
}

/** Brings an idle GPU to a layout by the shortest way. */
export async function lay(bed: Bed, gpu: number, layout: Layout): Promise<void> {
  const { driver } = bed;
  const uuid = bed.uuids[gpu]!;
  const isWanted = ({ placement }: GpuInstance): boolean =>
    layout.some(({ profile, start }) => profile === placement.profile && start === placement.start);
  const there = await instancesOn(bed, gpu);
  for (const { id, computeInstances } of there.filter((one) => !isWanted(one))) {
    for (const compute of computeInstances) await driver.destroyComputeInstance(uuid, id, compute.id);
    await driver.destroyGpuInstance(uuid, id);
  }
  for (const instance of there.filter((one) => isWanted(one) && one.computeInstances.length === 0)) {
    await driver.createComputeInstance(uuid, instance.id);
  }
  for (const { profile, start } of layout) {
    if (there.some(({ placement }) => placement.profile === profile && placement.start === start)) continue;
    const { id } = h100.profiles.find(({ name }) => name === profile)!;
    const made = await driver.createGpuInstance(uuid, id, start);
    if (!made.ok) throw new Error(made.why.message);
    await driver.createComputeInstance(uuid, made.value.id);
  }
}

/** What one change did to the instances. */
export interface Touched {
  /** Answered "in use". */
  inUse: number;
  /** `UUID/GI` of every instance that lost its compute instance, or went. */
  readonly disturbed: Set<string>;
}

export function watched(driver: GpuDriver): { readonly driver: GpuDriver; readonly touched: Touched } {
  const touched: Touched = { inUse: 0, disturbed: new Set() };
  const wrapped = new Proxy(driver, {
    get: (object, key) => {
      const value: unknown = Reflect.get(object, key, object);
      if (typeof value !== 'function') return value;
      return async (...args: unknown[]): Promise<unknown> => {
        const answer = (await Reflect.apply(value, object, args)) as Awaited<ReturnType<GpuDriver['reset']>>;
        if (!answer.ok && answer.why.kind === 'in-use') touched.inUse += 1;
        if (answer.ok && String(key).startsWith('destroy'))
          touched.disturbed.add(`${String(args[0])}/${String(args[1])}`);
        return answer;
      };
    },
  });
  return { driver: wrapped, touched };
}
