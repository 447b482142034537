/**
 * What a GPU and its driver allow, in the order in which they check it. Written out unit by unit and engine by engine
 * on purpose, without the masks and spaces of `core/geometry`: a mistake in one shows against the other.
 */
import { modelByKey } from '#core/catalogue/catalogue';
import type { Engines, MigModel, Profile } from '#core/catalogue/model';
import type { DriverRefusal } from '#ports/gpu-driver';
import type { SimulatedModel } from './gpu-list.js';
import type { GpuState, InstanceState } from './machine-state.js';

/** What happened, or why it did not: the kind and the words. */
export type Effect<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly kind: DriverRefusal; readonly words: string };

export function modelOf(gpu: GpuState): SimulatedModel {
  const model = modelByKey(gpu.model);
  if (model === undefined || model.kind === 'unmapped') throw new RangeError(`no simulated ${gpu.model}`);
  return model;
}

export function migModelOf(gpu: GpuState): Effect<MigModel> {
  const model = modelOf(gpu);
  return model.kind === 'mig' ? done(model) : no('not-supported', `${model.name} has no MIG`);
}

export function setMode(gpu: GpuState, enabled: boolean): Effect<undefined> {
  const model = migModelOf(gpu);
  if (!model.ok) return model;
  if (gpu.migCurrent !== enabled) {
    if (gpu.instances.length > 0) return no('in-use', 'the GPU still has instances');
    if (gpu.clients.length > 0) return no('in-use', `the GPU is not idle: ${pidsOf(gpu.clients)}`);
  }
  gpu.migPending = enabled;
  if (gpu.migCurrent === enabled) return done(undefined);
  if (model.value.migEnable.resetToToggle === true) {
    return no('reset-required', 'the mode is pending until the GPU is reset');
  }
  gpu.migCurrent = enabled;
  return done(undefined);
}

export function resetGpu(gpu: GpuState): Effect<undefined> {
  if (gpu.clients.length > 0) return no('in-use', `the GPU is not idle: ${pidsOf(gpu.clients)}`);
  gpu.instances = [];
  gpu.migCurrent = gpu.migPending;
  return done(undefined);
}

/** Power off, power on: where the mode is kept in the card, a pending one is current afterwards. */
export function rebootGpu(gpu: GpuState): void {
  const model = modelOf(gpu);
  const keepsMode = model.kind === 'mig' && model.migEnable.modePersistsReboot === true;
  gpu.clients = [];
  gpu.instances = [];
  gpu.migPending &&= keepsMode;
  gpu.migCurrent = gpu.migPending;
}

export function createInstance(gpu: GpuState, profileId: number, start: number): Effect<InstanceState> {
  const model = migModelOf(gpu);
  if (!model.ok) return model;
  if (!gpu.migCurrent) return no('not-supported', 'MIG mode is off');
  const profile = model.value.profiles.find(({ id }) => id === profileId);
  if (profile === undefined) return no('bad-argument', `${model.value.name} has no profile ${profileId}`);
  if (!profile.starts.includes(start)) {
    return no('bad-argument', `${profile.name} cannot begin at ${start}`);
  }
  if (gpu.instances.length === 0 && gpu.clients.length > 0) {
    return no('in-use', `the first instance needs an idle GPU: ${pidsOf(gpu.clients)}`);
  }
  const lack = lackFor(gpu, model.value, profile, start);
  if (lack !== null) return no('no-room', lack);
  const made = { id: freeId(gpu, model.value, profile), profileId, start, computeInstances: [] };
  gpu.instances.push(made);
  return done(made);
}

export function createCompute(gpu: GpuState, instanceId: number): Effect<number> {
  const instance = instanceOf(gpu, instanceId);
  if (!instance.ok) return instance;
  if (instance.value.computeInstances.length > 0) return no('no-room', 'a compute instance has all of it');
  instance.value.computeInstances.push(0);
  return done(0);
}

export function destroyCompute(gpu: GpuState, instanceId: number, computeId: number): Effect<undefined> {
  const instance = instanceOf(gpu, instanceId);
  if (!instance.ok) return instance;
  if (!instance.value.computeInstances.includes(computeId)) {
    return no('not-found', `instance ${instanceId} has no compute instance ${computeId}`);
  }
  const inside = gpu.clients.filter((client) => client.instanceId === instanceId);
  if (inside.length > 0) return no('in-use', `the instance is not idle: ${pidsOf(inside)}`);
  instance.value.computeInstances = instance.value.computeInstances.filter((id) => id !== computeId);
  return done(undefined);
}

export function destroyInstance(gpu: GpuState, instanceId: number): Effect<undefined> {
  const instance = instanceOf(gpu, instanceId);
  if (!instance.ok) return instance;
  if (instance.value.computeInstances.length > 0) return no('in-use', 'a compute instance is still in it');
  gpu.instances = gpu.instances.filter(({ id }) => id !== instanceId);
  return done(undefined);
}

export function instanceOf(gpu: GpuState, instanceId: number): Effect<InstanceState> {
  const found = gpu.instances.find(({ id }) => id === instanceId);
  return found === undefined ? no('not-found', `there is no instance ${instanceId}`) : done(found);
}

export function profileOf(model: MigModel, { profileId }: InstanceState): Profile {
  const found = model.profiles.find(({ id }) => id === profileId);
  if (found === undefined) throw new RangeError(`${model.key} has no profile ${profileId}`);
  return found;
}

const sharedOut = ['decoders', 'encoders', 'jpeg', 'ofa'] as const satisfies readonly (keyof Engines)[];

/** What stands in the way of one more instance; `null`: nothing. */
function lackFor(gpu: GpuState, model: MigModel, profile: Profile, start: number): string | null {
  const there = gpu.instances.map((instance) => ({ instance, profile: profileOf(model, instance) }));
  const inTheWay = there.find(
    ({ instance, profile: other }) =>
      start < instance.start + other.sizeUnits && instance.start < start + profile.sizeUnits,
  );
  if (inTheWay !== undefined) {
    return `${inTheWay.profile.name}:${inTheWay.instance.start} is in the place of ${profile.name}:${start}`;
  }
  const alike = there.filter(({ profile: other }) => other.id === profile.id).length;
  if (alike >= profile.maxCount) return `${profile.name} fits ${profile.maxCount} times at most`;
  // Plain profiles own no more than their share of each engine, so these counts bind for the others only.
  const whole = model.profiles.find((one) => one.sizeUnits === model.gridUnits && one.attribute === null);
  for (const engine of sharedOut) {
    const owned = there.reduce((sum, { profile: other }) => sum + (other.engines[engine] ?? 0), 0);
    const wanted = profile.engines[engine] ?? 0;
    const all = whole?.engines[engine] ?? Infinity;
    if (owned + wanted > all) {
      return `${profile.name} needs ${wanted} ${engine}, and ${owned} of ${all} are taken`;
    }
  }
  return null;
}

/**
 * Ids number the nodes of a binary tree: 0 is the whole card, 1 and 2 are halves, 3 to 6 quarters, 7 to 14 eighths.
 * The lowest free one of its level, so that an id, and with it a UUID, comes back at another place.
 */
function freeId(gpu: GpuState, model: MigModel, profile: Profile): number {
  const nodes = 2 ** Math.ceil(Math.log2(model.gridUnits / profile.sizeUnits));
  let id = nodes - 1;
  while (gpu.instances.some((instance) => instance.id === id)) id += 1;
  return id;
}

function pidsOf(clients: readonly { readonly pid: number }[]): string {
  return `pid ${clients.map(({ pid }) => pid).join(', ')}`;
}

function done<T>(value: T): Effect<T> {
  return { ok: true, value };
}

function no(kind: DriverRefusal, words: string): Effect<never> {
  return { ok: false, kind, words };
}
