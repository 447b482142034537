/** A machine of eight GPUs to change, simulated or on the C double of NVML, with all calls counted. */
import { rmSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openNvml } from '#adapters/nvml/driver';
import type { Layout } from '#core/geometry/placement';
import type { GpuDriver, GpuInstance } from '#ports/gpu-driver';
import { changeMachine } from '../test/support/change-machine.js';
import { makeMachine } from '../test/native/machine.js';
import { requires } from '../test/tooling/requires.js';
import { h100 } from './mixes.js';

export const gpusOfBed = 8;
/** The double needs a C compiler. */
export const bedKinds = requires('cc').missing
  ? (['simulated'] as const)
  : (['simulated', 'NVML double'] as const);

export type BedKind = 'simulated' | 'NVML double';

export interface Bed {
  /** Uncounted. */
  readonly driver: GpuDriver;
  readonly uuids: readonly string[];
  /** For a journal. */
  readonly folder: string;
  /** Exactly these instances are in use: a process in each. */
  readonly setBusy: (busy: readonly BusyInstance[]) => Promise<void>;
  readonly close: () => Promise<void>;
}

export interface BusyInstance {
  readonly gpu: number;
  readonly instanceId: number;
}

export async function openBed(kind: BedKind): Promise<Bed> {
  const bed = kind === 'simulated' ? await simulatedBed() : await nativeBed();
  for (const uuid of bed.uuids) await bed.driver.setMigMode(uuid, true);
  return bed;
}

async function nativeBed(): Promise<Bed> {
  const machine = makeMachine(Array.from({ length: gpusOfBed }, () => ({ key: h100.key })));
  const { folder, libraryPath, smiPath, uuids } = machine;
  const driver = await openNvml({ libraryPath, smiPath });
  return {
    driver,
    uuids,
    folder,
    setBusy: async (busy) =>
      machine.setClients(busy.map((one, index) => ({ ...one, pid: 40_000 + index, memoryMiB: 2000 }))),
    close: async () => {
      await driver.close();
      machine.remove();
    },
  };
}

async function simulatedBed(): Promise<Bed> {
  const { driver, machine, uuids } = await changeMachine(`${h100.key}:${gpusOfBed}`);
  const folder = mkdtempSync(join(tmpdir(), 'mica-bench-'));
  let there: readonly { readonly uuid: string; readonly pid: number }[] = [];
  return {
    driver,
    uuids,
    folder,
    setBusy: async (busy) => {
      for (const { uuid, pid } of there) await machine.removeClient(uuid, pid);
      there = busy.map(({ gpu }, index) => ({ uuid: uuids[gpu]!, pid: 40_000 + index }));
      for (const [index, { instanceId }] of busy.entries()) {
        await machine.addClient(there[index]!.uuid, { pid: 40_000 + index, usedMiB: 2000, instanceId });
      }
    },
    close: async () => rmSync(folder, { recursive: true }),
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

/** What one change did to the driver. */
export interface CallCount {
  changing: number;
  reading: number;
  /** Answered "in use". */
  inUse: number;
  /** `UUID/GI` of every instance that lost its compute instance, or went. */
  readonly disturbed: Set<string>;
}

export function counted(driver: GpuDriver): { readonly driver: GpuDriver; readonly count: CallCount } {
  const count: CallCount = { changing: 0, reading: 0, inUse: 0, disturbed: new Set() };
  const wrapped = new Proxy(driver, {
    get: (object, key) => {
      const value: unknown = Reflect.get(object, key, object);
      if (typeof value !== 'function') return value;
      return async (...args: unknown[]): Promise<unknown> => {
        const answer = (await Reflect.apply(value, object, args)) as Awaited<ReturnType<GpuDriver['reset']>>;
        if (/^(set|reset|create|destroy)/.test(String(key))) count.changing += 1;
        else count.reading += 1;
        if (!answer.ok && answer.why.kind === 'in-use') count.inUse += 1;
        if (answer.ok && String(key).startsWith('destroy'))
          count.disturbed.add(`${String(args[0])}/${String(args[1])}`);
        return answer;
      };
    },
  });
  return { driver: wrapped, count };
}
