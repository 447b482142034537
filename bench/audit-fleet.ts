/** Two weeks of a thousand GPUs as dcgm-exporter tells them to Prometheus: most of them steady, the rest coming and going. */
import { fileURLToPath } from 'node:url';
import type { Backfill } from '../test/prometheus/blocks.js';
import { randomFrom } from './random.js';

export interface AuditFleet {
  readonly gpus: number;
  readonly days: number;
}

const everyMs = 60_000;
const endMs = Date.UTC(2026, 4, 18);
const gpusPerHost = 8;
/** Of the GPUs, those with one pod all the time. */
const steadyPart = 0.7;

interface Stay {
  readonly fromMs: number;
  readonly toMs: number;
  /** `null`: nobody. */
  readonly pod: string | null;
  readonly baseMiB: number;
  readonly busy: number;
}

export function windowOf({ days }: AuditFleet) {
  return { startMs: endMs - days * 86_400_000, endMs };
}

export function backfillOf(fleet: AuditFleet): Backfill {
  const { startMs } = windowOf(fleet);
  return {
    name: `audit-${fleet.gpus}x${fleet.days}`,
    sources: ['./audit-fleet.ts', './random.ts', '../test/prometheus/blocks.ts'].map((file) =>
      fileURLToPath(new URL(file, import.meta.url)),
    ),
    startMs,
    endMs,
    lines: (fromMs, toMs) => linesOf(fleet, Math.max(startMs, fromMs), Math.min(endMs, toMs)),
  };
}

/** How many workloads an audit must find: names of pods that were there, without what Kubernetes adds to them. */
export function workloadsOf(fleet: AuditFleet): number {
  const names = new Set<string>();
  for (let gpu = 0; gpu < fleet.gpus; gpu += 1)
    for (const { pod } of staysOf(fleet, gpu)) if (pod !== null) names.add(ownerOf(pod));
  return names.size;
}

/** `batch-12-6d4cf56db6-x2x4z` is of `batch-12`. */
export function ownerOf(pod: string): string {
  return pod.split('-').slice(0, 2).join('-');
}

function staysOf(fleet: AuditFleet, gpu: number): readonly Stay[] {
  const { startMs } = windowOf(fleet);
  const random = randomFrom(gpu + 1);
  const baseMiB = (): number => 2000 + random.below(70_000);
  if (random.uniform() < steadyPart)
    return [
      {
        fromMs: startMs,
        toMs: endMs,
        pod: `serve-${gpu}-7c9f8d5b6b-x2x4z`,
        baseMiB: baseMiB(),
        busy: random.uniform(),
      },
    ];
  const stays: Stay[] = [];
  for (let fromMs = startMs; fromMs < endMs;) {
    const idleMs = Math.floor(random.exponential() * 60) * everyMs;
    const runsMs = (30 + Math.floor(random.exponential() * 600)) * everyMs;
    stays.push({ fromMs, toMs: fromMs + idleMs, pod: null, baseMiB: 2, busy: 0 });
    fromMs += idleMs;
    const pod = `batch-${random.below(100)}-6d4cf56db6-${String(gpu).padStart(4, '0')}${stays.length}`;
    stays.push({ fromMs, toMs: fromMs + runsMs, pod, baseMiB: baseMiB(), busy: random.uniform() });
    fromMs += runsMs;
  }
  return stays;
}

function* linesOf(fleet: AuditFleet, fromMs: number, toMs: number): Iterable<string> {
  for (let host = 0; host * gpusPerHost < fleet.gpus; host += 1) {
    const offsetMs = (host * 479) % everyMs;
    const firstMs = Math.ceil((fromMs - offsetMs) / everyMs) * everyMs + offsetMs;
    const times: string[] = [];
    for (let timeMs = firstMs; timeMs < toMs; timeMs += everyMs) times.push(`${timeMs / 1000}\n`);
    for (let on = 0; on < gpusPerHost && host * gpusPerHost + on < fleet.gpus; on += 1) {
      const gpu = host * gpusPerHost + on;
      const random = randomFrom(gpu * 10_007 + Math.floor(fromMs / everyMs));
      for (const stay of staysOf(fleet, gpu)) {
        const begin = Math.max(0, Math.ceil((stay.fromMs - firstMs) / everyMs));
        const end = Math.min(times.length, Math.ceil((stay.toMs - firstMs) / everyMs));
        if (begin >= end) continue;
        const labels = labelsOf(host, on, stay.pod);
        const { pod, baseMiB, busy } = stay;
        let lines = '';
        for (let index = begin; index < end; index += 1) {
          const used = pod === null ? baseMiB : baseMiB + random.below(400);
          lines += `DCGM_FI_DEV_FB_USED${labels}${used} ${times[index]!}`;
        }
        yield lines;
        lines = '';
        for (let index = begin; index < end; index += 1) {
          const active = pod === null ? 0 : Math.round(busy * random.uniform() * 1e6) / 1e6;
          lines += `DCGM_FI_PROF_GR_ENGINE_ACTIVE${labels}${active} ${times[index]!}`;
        }
        yield lines;
      }
    }
  }
}

function labelsOf(host: number, gpu: number, pod: string | null): string {
  const uuid = `GPU-5a1e0000-0000-4000-8000-${String(host * gpusPerHost + gpu).padStart(12, '0')}`;
  const holder = pod === null ? '' : `,container="main",namespace="ml",pod="${pod}"`;
  return `{gpu="${gpu}",UUID="${uuid}",device="nvidia${gpu}",modelName="NVIDIA H100 80GB HBM3",Hostname="node-${host}",instance="10.0.${host}.1:9400",job="dcgm-exporter"${holder}} `;
}
