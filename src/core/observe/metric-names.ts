/** The metrics of dcgm-exporter that an audit reads, under every name they go by. All others are left alone. */
import type { Reading } from './believe.js';

interface GpuMetric {
  readonly reading: Reading;
  /** Before and since DCGM 4.6; the exporter prints the name that its list of counters has. */
  readonly names: readonly string[];
}

/**
 * Memory controller load (MEM_COPY_UTIL, DRAM_ACTIVE) is not among them: it says how busy the memory is, not how full.
 * What is measured per board (clocks, power, temperature, XID) repeats on each slice and is not a slice's figure.
 */
export const gpuMetrics: readonly GpuMetric[] = [
  { reading: 'memory', names: ['DCGM_FI_DEV_FB_USED'] },
  { reading: 'sm-active', names: ['DCGM_FI_PROF_SM_ACTIVE', 'DCGM_FI_PROF_SM_UTIL_RATIO'] },
  { reading: 'gr-engine', names: ['DCGM_FI_PROF_GR_ENGINE_ACTIVE', 'DCGM_FI_PROF_GR_ENGINE_UTIL_RATIO'] },
  { reading: 'utilization-percent', names: ['DCGM_FI_DEV_GPU_UTIL'] },
  // Its name says ratio; the field behind it is the whole percent of before.
  { reading: 'utilization-any', names: ['DCGM_FI_DEV_GPU_UTIL_RATIO'] },
];

/** `null`: none of ours. Understands what `spellingsOf` lists. */
export function readingOf(metricName: string): Reading | null {
  return readings.get(metricName) ?? null;
}

/** Of one name: as exported, as Google's managed collection stores it, and as that is written in PromQL. */
export function spellingsOf(name: string): readonly string[] {
  return [name, `prometheus.googleapis.com/${name}/gauge`, `prometheus_googleapis_com:${name}_gauge`];
}

const readings: ReadonlyMap<string, Reading> = new Map(
  gpuMetrics.flatMap(({ reading, names }) =>
    names.flatMap(spellingsOf).map((spelling): [string, Reading] => [spelling, reading]),
  ),
);
