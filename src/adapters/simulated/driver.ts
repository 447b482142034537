/** A GpuDriver without GPUs: the rules of NVML over the state of a simulated machine. */
import type { Clock } from '#ports/clock';
import type { DriverAnswer, DriverFailure, DriverRefusal, GpuDriver, XidEvent } from '#ports/gpu-driver';
import { describeCard, describeCompute, describeGpu, describeInstance } from './describe.js';
import type { DriverCall, DriverCallName, Faults } from './faults.js';
import { latencyMsOf } from './latencies.js';
import type { GpuState, MachineState } from './machine-state.js';
import {
  createCompute,
  createInstance,
  destroyCompute,
  destroyInstance,
  instanceOf,
  migModelOf,
  modelOf,
  profileOf,
  resetGpu,
  setMode,
  type Effect,
} from './silicon.js';
import type { StateStore } from './state-store.js';

export interface SimulatedDriverOptions {
  readonly store: StateStore;
  readonly clock: Clock;
  /** Factor on all latencies: 1 is realistic, 0 is at once. */
  readonly latencyScale?: number;
  readonly faults?: Faults;
}

export function simulatedDriver(options: SimulatedDriverOptions): GpuDriver {
  const { store, clock } = options;
  /** The Xids that were there before this driver are not its events; known once the state was first seen. */
  let xidsSeen: Promise<number> = store.read().then(
    ({ xidCount }) => xidCount,
    () => 0,
  );

  const reading = <T>(name: DriverCallName, gpuUuid: string, look: (gpu: GpuState) => Effect<T>) =>
    perform(options, { name, gpuUuid, args: [] }, async () => {
      const gpu = gpuIn(await store.read(), gpuUuid);
      return gpu.ok ? look(gpu.value) : gpu;
    });
  const changing = <T>(
    name: DriverCallName,
    gpuUuid: string,
    args: DriverCall['args'],
    change: (gpu: GpuState) => Effect<T>,
  ) =>
    perform(options, { name, gpuUuid, args }, () =>
      store.update((state): Effect<T> => {
        const gpu = gpuIn(state, gpuUuid);
        if (!gpu.ok) return gpu;
        if (!state.privileged) return { ok: false, kind: 'no-permission', words: 'only root may do this' };
        return change(gpu.value);
      }),
    );

  return {
    kind: 'simulated',
    gpus: () =>
      perform(options, { name: 'gpus', gpuUuid: null, args: [] }, async () =>
        done((await store.read()).gpus.map(describeGpu)),
      ),
    card: (uuid) => reading('card', uuid, (gpu) => mapped(migModelOf(gpu), describeCard)),
    instances: (uuid) =>
      reading('instances', uuid, (gpu) => done(gpu.instances.map((one) => describeInstance(gpu, one)))),
    processes: (uuid) => reading('processes', uuid, (gpu) => done([...gpu.clients])),
    setMigMode: (uuid, enabled) =>
      changing('setMigMode', uuid, [enabled], (gpu) =>
        mapped(setMode(gpu, enabled), () => ({ current: gpu.migCurrent, pending: gpu.migPending })),
      ),
    reset: (uuid) => changing('reset', uuid, [], resetGpu),
    createGpuInstance: (uuid, profileId, start) =>
      changing('createGpuInstance', uuid, [profileId, start], (gpu) =>
        mapped(createInstance(gpu, profileId, start), (made) => describeInstance(gpu, made)),
      ),
    createComputeInstance: (uuid, instanceId) =>
      changing('createComputeInstance', uuid, [instanceId], (gpu) =>
        mapped(createCompute(gpu, instanceId), (id) => describeCompute(gpu, instanceId, id)),
      ),
    destroyComputeInstance: (uuid, instanceId, computeId) =>
      changing('destroyComputeInstance', uuid, [instanceId, computeId], (gpu) =>
        destroyCompute(gpu, instanceId, computeId),
      ),
    destroyGpuInstance: (uuid, instanceId) =>
      changing('destroyGpuInstance', uuid, [instanceId], (gpu) => destroyInstance(gpu, instanceId)),
    nextXid: async (timeoutMs) => {
      const seen = await xidsSeen;
      const found = await waitForXid(store, clock, seen, timeoutMs);
      if (found === null) return { ok: true, value: null };
      xidsSeen = Promise.resolve(found.number);
      return { ok: true, value: found.event };
    },
    close: async () => {
      await xidsSeen;
    },
  };
}

/** One call: half of its time, its effect, the other half; so a process killed in it may or may not have had it. */
async function perform<T>(
  { store, clock, latencyScale = 1, faults }: SimulatedDriverOptions,
  call: DriverCall,
  work: () => Promise<Effect<T>>,
): Promise<DriverAnswer<T>> {
  const fault = faults?.begin(call) ?? null;
  const isInstant = latencyScale === 0;
  const halfMs = isInstant
    ? 0
    : (latencyMsOf(call.name, shareOf(await store.read(), call)) * latencyScale) / 2;
  if (!isInstant) await clock.sleep(halfMs);
  if (fault?.moment === 'before') return refuse(call.name, fault.refusal, 'a fault that was asked for');
  const effect = await work();
  if (!isInstant) await clock.sleep(halfMs);
  if (fault !== null) return refuse(call.name, fault.refusal, 'a fault that was asked for, after the work');
  return effect.ok ? effect : refuse(call.name, effect.kind, effect.words);
}

/** The share of the card that a call about an instance sets up or tears down. */
function shareOf(state: MachineState, { name, gpuUuid, args }: DriverCall): number {
  const gpu = state.gpus.find(({ uuid }) => uuid === gpuUuid);
  const model = gpu && modelOf(gpu);
  const [number] = args;
  if (gpu === undefined || model?.kind !== 'mig' || typeof number !== 'number') return 0;
  const instance = instanceOf(gpu, number);
  const profile =
    name === 'createGpuInstance'
      ? model.profiles.find(({ id }) => id === number)
      : instance.ok
        ? profileOf(model, instance.value)
        : undefined;
  return (profile?.sizeUnits ?? 0) / model.gridUnits;
}

const xidPollMs = 50;

/** Polls, since the state may be in a file that another process changes. */
async function waitForXid(
  store: StateStore,
  clock: Clock,
  seen: number,
  timeoutMs: number,
): Promise<{ readonly number: number; readonly event: XidEvent } | null> {
  for (let leftMs = timeoutMs; ; leftMs -= xidPollMs) {
    const next = (await store.read()).xids.find(({ number }) => number > seen);
    if (next !== undefined) {
      const { number, ...event } = next;
      return { number, event };
    }
    if (leftMs <= 0) return null;
    await clock.sleep(Math.min(leftMs, xidPollMs));
  }
}

function gpuIn(state: MachineState, gpuUuid: string): Effect<GpuState> {
  const gpu = state.gpus.find(({ uuid }) => uuid === gpuUuid);
  return gpu === undefined
    ? { ok: false, kind: 'not-found', words: `there is no GPU ${gpuUuid}` }
    : done(gpu);
}

function mapped<T, U>(effect: Effect<T>, map: (value: T) => U): Effect<U> {
  return effect.ok ? done(map(effect.value)) : effect;
}

function done<T>(value: T): Effect<T> {
  return { ok: true, value };
}

function refuse(call: DriverCallName, kind: DriverRefusal, words: string): DriverFailure {
  return { ok: false, why: { kind, message: `${call}: ${words}`, code: null } };
}
