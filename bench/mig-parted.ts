/**
 * The change procedure of NVIDIA's MIG partition editor, in our own words over our own port: skip a GPU that has the
 * wanted counts; else clear it, create the list in the driver's default places, and on any error take the next distinct
 * order of the list. Source: NVIDIA/mig-parted, pkg/mig/config and cmd/nvidia-mig-parted/apply at bd7160f.
 */
import type { DriverAnswer, GpuDriver, GpuInstance } from '#ports/gpu-driver';

/** What a GPU shall hold: profile names, equal ones as often as they are wanted, large ones first. */
export interface ListedGpu {
  readonly uuid: string;
  readonly profiles: readonly string[];
}

export interface KnownProfile {
  readonly id: number;
  readonly sizeUnits: number;
  /** In the order in which the driver fills them when it is not told where. */
  readonly starts: readonly number[];
}

/** GPU by GPU, up to the first that cannot be done; nothing is put back. */
export async function applyCounts(
  driver: GpuDriver,
  profileOf: (name: string) => KnownProfile,
  gpus: readonly ListedGpu[],
): Promise<boolean> {
  for (const { uuid, profiles } of gpus) {
    const there = await instancesOf(driver, uuid);
    const names = there.map(({ placement }) => placement.profile);
    if (countsText(names) === countsText(profiles)) continue;
    if (!(await setGpu(driver, profileOf, uuid, profiles))) return false;
  }
  return true;
}

export function countsText(profiles: readonly string[]): string {
  return [...profiles].sort().join(' ');
}

async function setGpu(
  driver: GpuDriver,
  profileOf: (name: string) => KnownProfile,
  uuid: string,
  profiles: readonly string[],
): Promise<boolean> {
  for (const order of distinctOrders(profiles)) {
    if (!(await isEmptied(driver, uuid))) continue;
    if (await createAll(driver, uuid, order.map(profileOf))) return true;
  }
  await clear(driver, uuid);
  return false;
}

async function isEmptied(driver: GpuDriver, uuid: string): Promise<boolean> {
  if ((await instancesOf(driver, uuid)).length === 0) return true;
  return (await clear(driver, uuid)) && (await instancesOf(driver, uuid)).length === 0;
}

/** Up to the first refusal. */
async function clear(driver: GpuDriver, uuid: string): Promise<boolean> {
  for (const { id, computeInstances } of await instancesOf(driver, uuid)) {
    for (const compute of computeInstances) {
      if (!(await driver.destroyComputeInstance(uuid, id, compute.id)).ok) return false;
    }
    if (!(await driver.destroyGpuInstance(uuid, id)).ok) return false;
  }
  return true;
}

/** The port always names a place, so the driver's own choice is made here. */
async function createAll(
  driver: GpuDriver,
  uuid: string,
  profiles: readonly KnownProfile[],
): Promise<boolean> {
  const taken: { readonly start: number; readonly end: number }[] = [];
  for (const { id, sizeUnits, starts } of profiles) {
    const isFree = (start: number): boolean =>
      taken.every((other) => other.end <= start || start + sizeUnits <= other.start);
    // Without room the call is made all the same, and refused.
    const start = starts.find(isFree) ?? starts[0] ?? 0;
    const made = await driver.createGpuInstance(uuid, id, start);
    if (!made.ok || !(await driver.createComputeInstance(uuid, made.value.id)).ok) return false;
    taken.push({ start, end: start + sizeUnits });
  }
  return true;
}

function* distinctOrders(list: readonly string[]): Generator<readonly string[]> {
  if (list.length === 0) yield [];
  for (const [index, first] of list.entries()) {
    if (list.indexOf(first) < index) continue;
    for (const rest of distinctOrders(list.toSpliced(index, 1))) yield [first, ...rest];
  }
}

async function instancesOf(driver: GpuDriver, uuid: string): Promise<readonly GpuInstance[]> {
  const answer: DriverAnswer<readonly GpuInstance[]> = await driver.instances(uuid);
  if (!answer.ok) throw new Error(answer.why.message);
  return answer.value;
}
