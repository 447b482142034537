/** Where figures about GPUs in use come from: a Prometheus, dcgm-exporter, a file, or the driver of this machine. */
import type { Observation } from '#core/observe/observation';
import type { PodOwners } from './pod-owners.js';

export interface ObserveRequest {
  /** What to look at. A source of samples that are there already (a file) takes all of them, whatever the window. */
  readonly window: { readonly startMs: number; readonly endMs: number };
  /** Asked once the pods are known; pods of one owner are one workload. */
  readonly owners: PodOwners;
  readonly progress: (report: ObserveProgress) => void;
  readonly signal: AbortSignal;
}

export interface ObserveProgress {
  /** In words: `reading 12 of 40 hosts`. */
  readonly what: string;
  /** From 0 to 1; `null`: not known. */
  readonly part: number | null;
}

/** What cannot be read at all throws MicaError; what reads badly is dropped, counted and noted in the observation. */
export interface MetricsSource {
  readonly observe: (request: ObserveRequest) => Promise<Observation>;
}
