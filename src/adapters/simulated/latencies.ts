/**
 * How long the calls of a simulated driver take. Assumptions, all of them: no published measurement per call was found.
 * They keep the order of what people report (reading is quick, instances take tenths of a second, a mode change
 * seconds, a reset longer still), so that waiting, progress and deadlines are exercised. `latencyScale` changes them all.
 */
import type { DriverCallName } from './faults.js';

/** Fixed milliseconds; for a GPU instance a part that grows with the share of the card that is set up. */
interface Latency {
  readonly fixedMs: number;
  readonly perWholeCardMs: number;
}

const read: Latency = { fixedMs: 2, perWholeCardMs: 0 };

const latencies: Readonly<Record<DriverCallName, Latency>> = {
  gpus: read,
  card: read,
  instances: read,
  processes: read,
  setMigMode: { fixedMs: 2_500, perWholeCardMs: 0 },
  reset: { fixedMs: 7_000, perWholeCardMs: 0 },
  createGpuInstance: { fixedMs: 100, perWholeCardMs: 200 },
  createComputeInstance: { fixedMs: 50, perWholeCardMs: 0 },
  destroyComputeInstance: { fixedMs: 50, perWholeCardMs: 0 },
  destroyGpuInstance: { fixedMs: 100, perWholeCardMs: 100 },
};

/** `cardShare`: of the instance that the call is about, 0 to 1. */
export function latencyMsOf(call: DriverCallName, cardShare: number): number {
  const { fixedMs, perWholeCardMs } = latencies[call];
  return fixedMs + perWholeCardMs * cardShare;
}
