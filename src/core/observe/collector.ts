/**
 * Takes samples of GPUs in use, one at a time, and makes the observation of them. Rows of one card should come in the
 * order of time, all devices and holders together; then sharing and double counting are found on the way.
 */
import { addDropped, believe, nothingDropped, type Reading } from './believe.js';
import { gatherWorkloads, type Gathered, type PodName } from './gather-workloads.js';
import { GpuMoments } from './gpu-moments.js';
import type { Device, Dropped, Holder, Observation, ObservedGpu, Owner } from './observation.js';
import { Series, type FinishedSeries } from './series.js';

/** Stands for a device and a holder; look it up once, not per sample. */
export type SeriesHandle = number & { readonly of: 'series' };

export class Collector {
  readonly #all: Entry[] = [];
  readonly #handles = new Map<string, SeriesHandle>();
  readonly #gpus = new Map<string, GpuMoments>();
  readonly #notes: string[] = [];
  #dropped = nothingDropped;
  #firstMs = Infinity;
  #lastMs = -Infinity;
  readonly #timelineStepMs: number | undefined;

  /** `timelineStepMs`: the finest that is wanted; thousands of pods, each to the minute, take much memory. */
  constructor({ timelineStepMs }: { readonly timelineStepMs?: number } = {}) {
    this.#timelineStepMs = timelineStepMs;
  }

  /** `expected`: so many samples of each reading will come, where that is known. */
  series(device: Device, holder: Holder, expected?: number): SeriesHandle {
    const gpuKey = gpuKeyOf(device);
    const holderKey = holderKeyOf(holder);
    const deviceKey = deviceKeyOf(gpuKey ?? kindKeyOf(device), sliceKeyOf(device, holderKey));
    const key = `${deviceKey} ${holderKey}`;
    const known = this.#handles.get(key);
    if (known !== undefined) return known;
    const handle = this.#all.length as SeriesHandle;
    const gpu = gpuKey === null ? null : this.#gpuOf(gpuKey, device, deviceKey);
    this.#all.push({
      series: new Series(device, holder, deviceKey, { timelineStepMs: this.#timelineStepMs, expected }),
      gpu,
    });
    this.#handles.set(key, handle);
    return handle;
  }

  /** A raw value, as the source has it. What is not believed is dropped and counted; `false` says so. */
  add(handle: SeriesHandle, reading: Reading, timeMs: number, raw: number | string): boolean {
    const { series, gpu } = this.#all[handle]!;
    if (timeMs < this.#firstMs) this.#firstMs = timeMs;
    if (timeMs > this.#lastMs) this.#lastMs = timeMs;
    const value = believe(reading, raw);
    if (typeof value === 'string') {
      series.drop(value);
      this.see(handle, timeMs);
      return false;
    }
    if (gpu === null) series.record(reading, timeMs, value);
    else gpu.add(series, reading, timeMs, value);
    return true;
  }

  /** The series is there at that time, whatever its figures: a slice without figures is still a slice. */
  see(handle: SeriesHandle, timeMs: number): void {
    const { series, gpu } = this.#all[handle]!;
    if (timeMs < this.#firstMs) this.#firstMs = timeMs;
    if (timeMs > this.#lastMs) this.#lastMs = timeMs;
    if (gpu === null) series.seen(timeMs);
    else gpu.add(series, null, timeMs, NaN);
  }

  /** For a workload that has only this series: figures that the server made. */
  addFinished(handle: SeriesHandle, finished: FinishedSeries): void {
    const { series, gpu } = this.#all[handle]!;
    series.finished = finished;
    const { firstMs, lastMs } = finished.coverage;
    this.#firstMs = Math.min(this.#firstMs, firstMs);
    this.#lastMs = Math.max(this.#lastMs, lastMs);
    gpu?.serve(series);
  }

  /** Values of the series that were left out elsewhere, e.g. by the server. */
  drop(handle: SeriesHandle, dropped: Dropped): void {
    this.#all[handle]!.series.dropMany(dropped);
  }

  /** Values that were left out and belong to no series. */
  dropUnattributed(dropped: Dropped): void {
    this.#dropped = addDropped(this.#dropped, dropped);
  }

  /** What the reader must know, one sentence. */
  note(sentence: string): void {
    this.#notes.push(sentence);
  }

  /** Whether any sample, finished figure or sight of a device came in. */
  get isEmpty(): boolean {
    return this.#lastMs === -Infinity;
  }

  /** Whose owners are asked for. */
  pods(): readonly PodName[] {
    const pods = new Map<string, PodName>();
    for (const { series } of this.#all) {
      if (series.holder.kind !== 'pod') continue;
      const { namespace, pod } = series.holder;
      pods.set(`${namespace}/${pod}`, { namespace, pod });
    }
    return [...pods.values()];
  }

  /** Once, at the end: the samples are given up on the way, so that they are not there twice. */
  finish(
    ownerOf: (pod: PodName) => Owner | null,
    window?: Observation['window'],
  ): Omit<Observation, 'source'> {
    for (const gpu of this.#gpus.values()) gpu.flush();
    const all = this.#all.map(({ series }) => series);
    const gathered = gatherWorkloads(all, ownerOf);
    const ignored = [...this.#gpus.values()].filter(({ ignoredWholeRows }) => ignoredWholeRows > 0).length;
    const isKnown = !this.isEmpty;
    return {
      window: window ?? { startMs: isKnown ? this.#firstMs : 0, endMs: isKnown ? this.#lastMs : 0 },
      workloads: gathered.workloads,
      gpus: [...this.#gpus].map(([key, gpu]) => observedGpu(key, gpu, gathered.holders)).sort(byPlace),
      dropped: all.reduce<Dropped>((sum, { dropped }) => addDropped(sum, dropped), this.#dropped),
      notes: [
        ...this.#notes,
        ...gathered.notes,
        ...(ignored === 0
          ? []
          : [
              `On ${ignored === 1 ? '1 GPU' : `${ignored} GPUs`} rows of the whole card stood beside rows of its slices; they count the same use twice and were left out.`,
            ]),
      ],
    };
  }

  #gpuOf(key: string, device: Device, deviceKey: string): GpuMoments {
    let gpu = this.#gpus.get(key);
    if (gpu === undefined) {
      gpu = new GpuMoments(device);
      this.#gpus.set(key, gpu);
    }
    if (device.slice !== null) gpu.slices.set(deviceKey, device.slice);
    return gpu;
  }
}

interface Entry {
  readonly series: Series;
  /** `null`: the source does not say which card, so nothing can be found out about it. */
  readonly gpu: GpuMoments | null;
}

/** Exact: instance 5 is not 15, and GPU 1 of one host is not GPU 1 of another. */
function gpuKeyOf({ host, gpuUuid, gpuIndex }: Device): string | null {
  if (gpuUuid === null && gpuIndex === null) return null;
  return JSON.stringify([host, gpuUuid ?? gpuIndex]);
}

/** Where no card is named, its kind is all that tells it from others. */
function kindKeyOf({ host, productName, model }: Device): string {
  return JSON.stringify([host, productName, model, 'some']);
}

function deviceKeyOf(gpuKey: string, sliceKey: string): string {
  return `${gpuKey} ${sliceKey}`;
}

const wholeKey = 'whole';

/** A slice without its id is told from others of its profile by who holds it. */
function sliceKeyOf({ slice }: Device, holderKey: string): string {
  if (slice === null) return wholeKey;
  return slice.instanceId === null ? JSON.stringify([slice.profile, holderKey]) : `gi ${slice.instanceId}`;
}

function holderKeyOf(holder: Holder): string {
  switch (holder.kind) {
    case 'pod':
      return JSON.stringify([holder.namespace, holder.pod, holder.container]);
    case 'named':
      return JSON.stringify([0, holder.namespace, holder.workload, holder.pod]);
    case 'process':
      return JSON.stringify([holder.pid, holder.name]);
    case 'nobody':
      return 'nobody';
  }
}

function observedGpu(
  key: string,
  { device, slices, moments }: GpuMoments,
  holders: Gathered['holders'],
): ObservedGpu {
  const { host, gpuUuid, gpuIndex, productName, model } = device;
  return {
    ...{ host, uuid: gpuUuid, index: gpuIndex, productName, model },
    slices: [...slices]
      .map(([deviceKey, slice]) => ({ ...slice, holders: holders.get(deviceKey) ?? [] }))
      .sort((a, b) => (a.instanceId ?? 0) - (b.instanceId ?? 0)),
    holders: holders.get(deviceKeyOf(key, wholeKey)) ?? [],
    heldSamples: moments.held,
    freeSamples: moments.free,
  };
}

function byPlace(one: ObservedGpu, other: ObservedGpu): number {
  return (
    compare(one.host ?? '', other.host ?? '') ||
    (one.index ?? 0) - (other.index ?? 0) ||
    compare(one.uuid ?? '', other.uuid ?? '')
  );
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
