/** What the cases of the driver contract share: a machine per test, answers taken apart, and instances made whole. */
import { expect, onTestFinished, type TestContext } from 'vitest';
import { modelByKey } from '#core/catalogue/catalogue';
import type { MigModel, Profile } from '#core/catalogue/model';
import type {
  ComputeInstance,
  DriverAnswer,
  DriverRefusal,
  GpuDriver,
  GpuInfo,
  GpuInstance,
} from './gpu-driver.js';

/** A machine for one test: every GPU idle, MIG off, nothing pending. */
export interface ContractSetup {
  readonly driver: GpuDriver;
  /** One UUID by catalogue key. `h100-80gb-sxm` must be there; cases for an Ampere card, for
   * `rtx-pro-6000-blackwell-server` and for several cards run where the machine has them. */
  readonly gpus: Readonly<Record<string, string>>;
  /** A process that uses the GPU: inside the instance, or (`null`) outside all instances. This and what else may be
   * left out is for a machine that was not made for the contract; cases that need it are skipped there. */
  readonly addClient?: (gpuUuid: string, instanceId: number | null, client: Client) => Promise<void>;
  readonly removeClient?: (gpuUuid: string, pid: number) => Promise<void>;
  /** Another driver on the same machine, as a second process would open it. */
  readonly reopen: () => Promise<GpuDriver>;
  /** Restarts the machine; the answer is a driver opened after that. Drivers opened before are of no use any more. */
  readonly reboot?: () => Promise<GpuDriver>;
  /** Whether the caller may change anything; left out where that cannot be pretended. */
  readonly setPrivileged?: (privileged: boolean) => Promise<void>;
  /** Ends the machine with every driver that was opened on it. */
  readonly close: () => Promise<void>;
}

export interface Client {
  readonly pid: number;
  readonly usedMiB: number;
}

export const resetless = 'h100-80gb-sxm';
export const rtxPro = 'rtx-pro-6000-blackwell-server';
/** The GPU is named so that no machine has it. */
export const noSuchGpu = 'GPU-00000000-dead-4bad-8bad-000000000000';
export const noSuchInstance = 97;

/** A machine that ends with the test. */
export async function machineFor<Machine extends Pick<ContractSetup, 'close'>>(
  setup: () => Promise<Machine>,
): Promise<Machine> {
  const machine = await setup();
  onTestFinished(() => machine.close());
  return machine;
}

/** A case for which the machine lacks something. It ends the machine itself: hooks do not run for a skipped test. */
export async function skipFor(
  machine: Pick<ContractSetup, 'close'>,
  context: TestContext,
  why: string,
): Promise<never> {
  await machine.close();
  return context.skip(why);
}

/** Processes that come and go, for a case that is about them. */
export async function clientsOf(
  machine: ContractSetup,
  context: TestContext,
): Promise<Required<Pick<ContractSetup, 'addClient' | 'removeClient'>>> {
  const { addClient, removeClient } = machine;
  if (addClient !== undefined && removeClient !== undefined) return { addClient, removeClient };
  return skipFor(machine, context, 'this machine has no processes to put on its GPUs');
}

/** The UUID of the machine's card of this model; the model must be there. */
export function gpuOf({ gpus }: Pick<ContractSetup, 'gpus'>, key: string): string {
  const uuid = gpus[key];
  if (uuid === undefined) throw new Error(`the machine of the contract has no ${key}`);
  return uuid;
}

/** A card whose mode needs a reset to switch, where the machine has one. */
export function ampereOf({ gpus }: Pick<ContractSetup, 'gpus'>): { key: string; uuid: string } | undefined {
  const found = Object.entries(gpus).find(([key]) => modelNamed(key).migEnable.resetToToggle === true);
  return found && { key: found[0], uuid: found[1] };
}

export function modelNamed(key: string): MigModel {
  const model = modelByKey(key);
  if (model?.kind !== 'mig') throw new Error(`the catalogue cannot cut a ${key}`);
  return model;
}

export function profileNamed(key: string, name: string): Profile {
  const profile = modelNamed(key).profiles.find((one) => one.name === name);
  if (profile === undefined) throw new Error(`a ${key} has no ${name}`);
  return profile;
}

/** The value of an answer that must be a yes; a refusal fails the test with its words. */
export async function yes<T>(answer: Promise<DriverAnswer<T>>): Promise<T> {
  const got = await answer;
  if (!got.ok) throw new Error(`refused as ${got.why.kind}: ${got.why.message}`);
  return got.value;
}

/** The kind of a refusal, with words in it; `yes` if there was none. */
export async function refusalOf(answer: Promise<DriverAnswer<unknown>>): Promise<DriverRefusal | 'yes'> {
  const got = await answer;
  if (got.ok) return 'yes';
  expect(got.why.message).not.toBe('');
  return got.why.kind;
}

export async function infoOf(driver: GpuDriver, uuid: string): Promise<GpuInfo> {
  const found = (await yes(driver.gpus())).find((gpu) => gpu.uuid === uuid);
  if (found === undefined) throw new Error(`the driver lists no GPU ${uuid}`);
  return found;
}

export interface MadeInstance {
  readonly gi: GpuInstance;
  readonly ci: ComputeInstance;
}

/** A GPU instance with a compute instance that covers it: what a workload can run in. */
export async function makeInstance(
  driver: GpuDriver,
  uuid: string,
  profileId: number,
  start: number,
): Promise<MadeInstance> {
  const gi = await yes(driver.createGpuInstance(uuid, profileId, start));
  return { gi, ci: await yes(driver.createComputeInstance(uuid, gi.id)) };
}

/** Destroys everything on the GPU, in the order that drivers want. */
export async function clearGpu(driver: GpuDriver, uuid: string): Promise<void> {
  for (const gi of await yes(driver.instances(uuid))) {
    for (const ci of gi.computeInstances) await yes(driver.destroyComputeInstance(uuid, gi.id, ci.id));
    await yes(driver.destroyGpuInstance(uuid, gi.id));
  }
}

/** What is cut, as `profile:start`, in grid order. */
export async function cutOn(driver: GpuDriver, uuid: string): Promise<readonly string[]> {
  const instances = await yes(driver.instances(uuid));
  return instances
    .map(({ placement }) => placement)
    .sort((a, b) => a.start - b.start)
    .map(({ profile, start }) => `${profile}:${start}`);
}
