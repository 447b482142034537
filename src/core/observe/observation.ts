/** What was seen of GPUs in use: who held which device, how much of it, and how well that is known. Every source of metrics makes this value. */
import type { Span } from './spans.js';
import type { Stats } from './stats.js';
import type { Timeline } from './timeline.js';

/** Where figures were taken: a whole GPU, or one slice of it. */
export interface Device {
  /** Host or node; `null`: the source does not say. */
  readonly host: string | null;
  /** Of the physical card, also where the device is a slice; at least one of the two is known, or both are `null` (a CSV). */
  readonly gpuUuid: string | null;
  readonly gpuIndex: number | null;
  /** As the driver names the card; `null`: not said. */
  readonly productName: string | null;
  /** Catalogue key; `null`: the name is not said, or no model is known by it. */
  readonly model: string | null;
  /** `null`: the whole GPU. */
  readonly slice: { readonly instanceId: number | null; readonly profile: string | null } | null;
}

/** Whose figures they are. */
export type Holder =
  | {
      readonly kind: 'pod';
      readonly namespace: string;
      readonly pod: string;
      readonly container: string | null;
    }
  /** Named by the source itself, as in a CSV; without a pod, one host's rows are of one replica. */
  | {
      readonly kind: 'named';
      readonly workload: string;
      readonly namespace: string | null;
      readonly pod: string | null;
    }
  | { readonly kind: 'process'; readonly pid: number; readonly name: string }
  /** The source says nothing: idle, or not attributed. */
  | { readonly kind: 'nobody' };

/** Kubernetes object that made the pod, and how that is known; the worst of the three is a guess from the pod's name. */
export interface Owner {
  readonly kind: string;
  readonly name: string;
  readonly via: 'api' | 'kube-state-metrics' | 'name';
}

/**
 * What the activity figures count. `sm-active`: the share of the SMs that worked. `gr-engine` and `utilization`: the
 * share of time in which anything ran, which is at least the share of the SMs on a whole GPU and on a slice of one
 * compute slice, and on larger slices a lower bound of nobody knows what.
 */
export type ActivityMetric = 'sm-active' | 'gr-engine' | 'utilization';

/** Devices of one kind that a workload ran on. */
export interface DeviceClass {
  readonly model: string | null;
  readonly productName: string | null;
  /** `null`: the whole GPU. */
  readonly profile: string | null;
  /** Samples taken on them. */
  readonly samples: number;
}

export interface ObservedActivity extends DeviceClass {
  readonly metric: ActivityMetric;
  /** From 0 to 1, of the card or slice that it was measured on. */
  readonly stats: Stats;
}

/** Values that were read and not believed, by why. */
export interface Dropped {
  /** Beyond anything a card can have, e.g. 9223372036854775794. */
  readonly sentinel: number;
  /** Not a number. */
  readonly text: number;
  /** NaN and infinities. */
  readonly notFinite: number;
  /** Below zero. */
  readonly negative: number;
}

/** Time that the samples cover. */
export interface Coverage {
  readonly firstMs: number;
  readonly lastMs: number;
  /** Usual distance of two samples of one series; `null`: fewer than two. */
  readonly everyMs: number | null;
  /** Time inside the series of the pods in which samples are missing, all together. */
  readonly missingMs: number;
  readonly largestGapMs: number;
  /** Samples older than the one before them in their series: a clock went back, or a file is not in order. */
  readonly backwards: number;
}

export interface ObservedWorkload {
  readonly workload: string;
  readonly namespace: string | null;
  readonly owner: Owner | null;
  /** Kinds of device, most samples first. */
  readonly devices: readonly DeviceClass[];
  /** MiB in use, over all samples of all its pods; `null`: no figure was there, which is not 0. */
  readonly memory: Stats | null;
  /** One entry per metric and kind of device, most samples first; empty: nothing known. */
  readonly activity: readonly ObservedActivity[];
  readonly coverage: Coverage;
  /** Pods, or whatever stands for them, in all and at one time. */
  readonly replicas: { readonly seen: number; readonly atOnce: number };
  /** Most devices that one pod held at one time, whole GPUs and slices apart. */
  readonly devicesAtOnce: { readonly gpus: number; readonly slices: number };
  /**
   * Samples of a device taken while others held it too, and how many of these were equal to the others' to the last
   * digit: time-slicing, where each pod is shown the whole device's figures.
   */
  readonly shared: {
    readonly samples: number;
    readonly identical: number;
    readonly others: readonly string[];
  };
  readonly dropped: Dropped;
  /** Largest memory figure per stretch of time, for charts and growth. */
  readonly timeline: Timeline;
}

/** A workload on one device, and when it was there: in order and apart. */
export interface DeviceHolder extends Pick<ObservedWorkload, 'workload' | 'namespace' | 'owner'> {
  readonly spans: readonly Span[];
}

/** A physical card that was seen. */
export interface ObservedGpu {
  readonly host: string | null;
  readonly uuid: string | null;
  readonly index: number | null;
  readonly productName: string | null;
  readonly model: string | null;
  /** Slices seen on it, by GI id; empty: whole. */
  readonly slices: readonly {
    readonly instanceId: number | null;
    readonly profile: string | null;
    readonly holders: readonly DeviceHolder[];
  }[];
  /** Those of the whole card. */
  readonly holders: readonly DeviceHolder[];
  /** Time of the window in which some holder was known, and in which none was; by samples. */
  readonly heldSamples: number;
  readonly freeSamples: number;
}

export type SourceKind = 'prometheus' | 'dcgm' | 'csv' | 'nvidia-smi' | 'nvml';

export interface Observation {
  readonly source: SourceKind;
  /** What was looked at; of a file, from its first to its last sample. */
  readonly window: { readonly startMs: number; readonly endMs: number };
  readonly workloads: readonly ObservedWorkload[];
  readonly gpus: readonly ObservedGpu[];
  /** Of everything that was read, attributed or not. */
  readonly dropped: Dropped;
  /** What the reader must know to trust the figures, one sentence each. */
  readonly notes: readonly string[];
}
