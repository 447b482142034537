/** Who is on which device, from the labels of the series alone: what is known before any sample is read. */
import type { Reading } from '#core/observe/believe';
import { deviceOfLabels, holderOfLabels } from '#core/observe/dcgm-labels';
import type { Device, Holder } from '#core/observe/observation';
import type { Labels } from './client.js';
import type { Matcher } from './promql.js';

/** One holder on one device. Several series may be of it: memory, activity, and either under an old and a new name. */
export interface Lane {
  readonly key: string;
  readonly device: Device;
  readonly holder: Holder;
  readonly figures: Map<Reading, { names: readonly string[]; series: number; samples: number }>;
}

/** A physical card. */
export interface Gpu {
  readonly key: string;
  /** A label of its series with one value, to ask for this card alone or with few others. */
  readonly label: string;
  readonly value: string;
  readonly lanes: Map<string, Lane>;
}

const askedBy = ['UUID', 'Hostname', 'hostname', 'node', 'instance'];

/** All cards that are known so far. */
export class Lanes {
  readonly gpus = new Map<string, Gpu>();
  seriesCount = 0;
  readonly #relabelled: ReadonlySet<string>;
  readonly #names = new Map<string, readonly string[]>();

  /** `relabelled`: scrape jobs that do not honour the labels of what they scrape; the empty name is of no job. */
  constructor(relabelled: Iterable<string>) {
    this.#relabelled = new Set(relabelled);
  }

  add(labels: Labels, name: string, reading: Reading, samples: number): void {
    const { gpuKey, key, device, holder } = this.#placeOf(labels);
    let gpu = this.gpus.get(gpuKey);
    if (gpu === undefined) {
      const label = askedBy.find((one) => (labels[one] ?? '') !== '') ?? 'UUID';
      gpu = { key: gpuKey, label, value: labels[label] ?? '', lanes: new Map() };
      this.gpus.set(gpuKey, gpu);
    }
    let lane = gpu.lanes.get(key);
    if (lane === undefined) {
      lane = { key, device: sameDevice(gpu, device), holder, figures: new Map() };
      gpu.lanes.set(key, lane);
    }
    let figures = lane.figures.get(reading);
    if (figures === undefined) {
      figures = { names: [], series: 0, samples: 0 };
      lane.figures.set(reading, figures);
    }
    if (!figures.names.includes(name)) figures.names = this.#oneOf([...figures.names, name]);
    figures.series += 1;
    figures.samples += samples;
    this.seriesCount += 1;
  }

  /** `undefined`: a series that was not there when all were counted. */
  find(labels: Labels): { readonly gpu: Gpu; readonly lane: Lane } | undefined {
    const { gpuKey, key } = this.#placeOf(labels);
    const gpu = this.gpus.get(gpuKey);
    const lane = gpu?.lanes.get(key);
    return gpu === undefined || lane === undefined ? undefined : { gpu, lane };
  }

  /** The same list for all that have the same names. */
  #oneOf(names: readonly string[]): readonly string[] {
    const key = names.join();
    const known = this.#names.get(key) ?? names;
    this.#names.set(key, known);
    return known;
  }

  #placeOf(labels: Labels) {
    const label = (name: string): string | undefined => labels[name];
    const device = deviceOfLabels(label);
    const holder = holderOfLabels(label, this.#relabelled.has(labels['job'] ?? ''));
    const { host, gpuUuid, gpuIndex, slice } = device;
    const gpuKey = JSON.stringify([host, gpuUuid ?? gpuIndex]);
    const who = holder.kind === 'pod' ? [holder.namespace, holder.pod, holder.container] : [];
    const key = JSON.stringify([slice?.instanceId ?? slice?.profile ?? null, slice === null, ...who]);
    return { gpuKey, key, device, holder };
  }
}

/** Thousands of pods may have come and gone on it. */
function sameDevice({ lanes }: Gpu, device: Device): Device {
  for (const { device: known } of lanes.values()) {
    if (
      known.slice?.instanceId === device.slice?.instanceId &&
      known.slice?.profile === device.slice?.profile
    )
      return known;
  }
  return device;
}

/** Of cards with the same label. */
export function matcherOf(gpus: readonly Gpu[]): readonly Matcher[] {
  const [first] = gpus;
  return first === undefined || first.value === ''
    ? []
    : [{ label: first.label, values: [...new Set(gpus.map(({ value }) => value))] }];
}

/** Activity as it is wanted: the share of SMs where it is known most of the time, or else the next best. */
export function activityOf(lane: Lane): Exclude<Reading, 'memory'> | null {
  const samplesOf = (reading: Reading): number => lane.figures.get(reading)?.samples ?? 0;
  const known = activityReadings.filter((reading) => samplesOf(reading) > 0);
  const most = Math.max(samplesOf('memory'), ...known.map(samplesOf));
  return (
    known.find((reading) => samplesOf(reading) >= most / 2) ??
    known.reduce<(typeof known)[number] | null>(
      (best, one) => (best === null || samplesOf(one) > samplesOf(best) ? one : best),
      null,
    )
  );
}

const activityReadings = [
  'sm-active',
  'gr-engine',
  'utilization-percent',
  'utilization',
  'utilization-any',
] as const;
