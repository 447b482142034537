/** Made-up observations: a workload states what is particular about it, the rest is a quiet week on one card. */
import type {
  DeviceClass,
  DeviceHolder,
  Observation,
  ObservedActivity,
  ObservedGpu,
  ObservedWorkload,
} from '#core/observe/observation';
import { statsOf, type Stats } from '#core/observe/stats';
import type { Timeline } from '#core/observe/timeline';

const minuteMs = 60_000;
const dayMs = 86_400_000;
export const startMs = Date.UTC(2026, 9, 26);
const nothingDropped = { sentinel: 0, text: 0, notFinite: 0, negative: 0 };

/** Stats of values given as [value, how often]. */
export function statsFrom(...runs: readonly (readonly [value: number, count: number])[]): Stats {
  const values = runs.flatMap(([value, count]) => Array<number>(count).fill(value)).sort((a, b) => a - b);
  const stats = statsOf(values);
  if (stats === null) throw new RangeError('no values');
  return stats;
}

export function deviceClass(
  model: string | null,
  profile: string | null = null,
  samples = 10_080,
): DeviceClass {
  return { model, productName: model, profile, samples };
}

export interface Given {
  readonly workload: string;
  readonly namespace?: string | null;
  /** MiB, as [value, how often]; `null`: not known. */
  readonly memory?: readonly (readonly [number, number])[] | null;
  readonly on?: DeviceClass;
  readonly smActive?: readonly (readonly [number, number])[];
  readonly grEngine?: readonly (readonly [number, number])[];
  readonly replicas?: number;
  readonly gpusAtOnce?: number;
  readonly days?: number;
  readonly timeline?: Timeline;
  readonly more?: Partial<ObservedWorkload>;
}

/** A sample a minute for a week, unless it says otherwise. */
export function madeWorkload(given: Given): ObservedWorkload {
  const {
    workload,
    namespace = 'team',
    memory = [[8000, 10_080]],
    on = deviceClass('h100-80gb-sxm'),
  } = given;
  const { replicas = 1, days = 7, gpusAtOnce } = given;
  const stats = memory === null ? null : statsFrom(...memory);
  const activity = (
    metric: ObservedActivity['metric'],
    runs: Given['smActive'],
  ): readonly ObservedActivity[] =>
    runs === undefined
      ? []
      : [{ ...on, metric, stats: statsFrom(...runs), samples: statsFrom(...runs).samples }];
  return {
    workload,
    namespace,
    owner: namespace === null ? null : { kind: 'Deployment', name: workload, via: 'api' },
    devices: [on],
    memory: stats,
    activity: [...activity('sm-active', given.smActive), ...activity('gr-engine', given.grEngine)],
    coverage: {
      firstMs: startMs,
      lastMs: startMs + days * dayMs - minuteMs,
      everyMs: minuteMs,
      missingMs: 0,
      largestGapMs: 0,
      backwards: 0,
    },
    replicas: { seen: replicas, atOnce: replicas },
    devicesAtOnce: { gpus: gpusAtOnce ?? (on.profile === null ? 1 : 0), slices: on.profile === null ? 0 : 1 },
    shared: { samples: 0, identical: 0, others: [] },
    dropped: nothingDropped,
    timeline: given.timeline ?? flatTimeline(stats?.max ?? null, days),
    ...given.more,
  };
}

/** The peak of each hour, from the day and the hour. */
export function madeTimeline(days: number, peakOf: (day: number, hour: number) => number | null): Timeline {
  const hours = Array.from({ length: days * 24 }, (_, hour) => peakOf(Math.floor(hour / 24), hour % 24));
  return { startMs, stepMs: 60 * minuteMs, max: hours };
}

function flatTimeline(value: number | null, days: number): Timeline {
  return madeTimeline(Math.max(1, Math.ceil(days)), () => value);
}

export function madeGpus(
  model: string | null,
  count: number,
  { host = 'node-1', profiles = [] as readonly string[], held = 10_080 } = {},
): readonly ObservedGpu[] {
  return Array.from({ length: count }, (_, index) => ({
    host,
    uuid: `GPU-${host}-${index}`,
    index,
    productName: model,
    model,
    slices: profiles.map((profile, instance) => ({ instanceId: instance + 1, profile, holders: [] })),
    holders: [],
    heldSamples: held,
    freeSamples: 10_080 - held,
  }));
}

/** All the time that the workload runs, unless it says otherwise. */
export function heldBy(
  { workload, namespace, owner, coverage }: ObservedWorkload,
  from = coverage.firstMs,
  to = coverage.lastMs,
): DeviceHolder {
  return { workload, namespace, owner, spans: [{ startMs: from, endMs: to }] };
}

export function madeObservation(
  workloads: readonly ObservedWorkload[],
  gpus: readonly ObservedGpu[] = [],
  source: Observation['source'] = 'prometheus',
): Observation {
  return {
    source,
    window: { startMs, endMs: startMs + 7 * dayMs },
    workloads,
    gpus,
    dropped: nothingDropped,
    notes: [],
  };
}

/** The same with its workloads on its cards: each replica on the next device of its kind that is free, by name. */
export function seated(observation: Observation): Observation {
  interface Seat {
    readonly key: object;
    readonly model: string | null;
    readonly profile: string | null;
  }
  const taken = new Map<object, DeviceHolder[]>();
  const devices = observation.gpus.flatMap((gpu): readonly Seat[] =>
    gpu.slices.length === 0
      ? [{ key: gpu, model: gpu.model, profile: null }]
      : gpu.slices.map((slice) => ({ key: slice, model: gpu.model, profile: slice.profile })),
  );
  for (const workload of observation.workloads.toSorted((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1))) {
    const [on] = workload.devices;
    const { gpus, slices } = workload.devicesAtOnce;
    const free = devices.filter(
      ({ key, model, profile }) => model === on?.model && profile === on.profile && !taken.has(key),
    );
    for (const { key } of free.slice(0, workload.replicas.atOnce * Math.max(gpus, slices)))
      taken.set(key, [heldBy(workload)]);
  }
  return {
    ...observation,
    gpus: observation.gpus.map((gpu) => ({
      ...gpu,
      holders: taken.get(gpu) ?? gpu.holders,
      slices: gpu.slices.map((slice) => ({ ...slice, holders: taken.get(slice) ?? slice.holders })),
    })),
  };
}

function nameOf({ namespace, workload }: ObservedWorkload): string {
  return `${namespace ?? ''}/${workload}`;
}
