/**
 * Which lanes the server may sum up: where one series is all that a workload has, alone on its device and there all
 * along, the percentiles of that series are the percentiles of the workload. Everything else is read sample by sample.
 */
import type { Reading } from '#core/observe/believe';
import { deviceName } from '#core/observe/gather-workloads';
import type { Device, Holder } from '#core/observe/observation';
import type { OwnerOf } from '#ports/pod-owners';
import type { Asking } from './inventory.js';
import { activityOf, matcherOf, type Gpu, type Lane, type Lanes } from './lanes.js';
import { inGroups, inParallel } from './pool.js';
import { over, selector } from './promql.js';

export interface Steady {
  readonly gpu: Gpu;
  readonly lane: Lane;
  readonly activity: Exclude<Reading, 'memory' | 'utilization-any'> | null;
  readonly everyMs: number;
  readonly lastMs: number;
  /** Where the samples of the server begin: the window, or what it keeps of it. */
  readonly startMs: number;
  readonly isWholeWindow: boolean;
}

/** Part of the samples that may be missing. */
const presentAllAlong = 0.98;
/** Long enough to see how far apart samples are. */
const shortStretchMs = 1_200_000;

/** Cards of which every lane may be summed up. */
export async function steadyGpus(
  asking: Asking,
  lanes: Lanes,
  ownerOf: OwnerOf,
): Promise<ReadonlyMap<Gpu, readonly Steady[]>> {
  const perWorkload = new Map<string, number>();
  for (const { lanes: ofGpu } of lanes.gpus.values()) {
    for (const { device, holder } of ofGpu.values()) {
      const key = workloadKey(device, holder, ownerOf);
      perWorkload.set(key, (perWorkload.get(key) ?? 0) + 1);
    }
  }
  const alone = [...lanes.gpus.values()].filter(
    (gpu) =>
      isUndisputed(gpu) &&
      [...gpu.lanes.values()].every(
        (lane) =>
          hasOneSeriesEach(lane) && perWorkload.get(workloadKey(lane.device, lane.holder, ownerOf)) === 1,
      ),
  );
  const recent = await recentOnes(asking, lanes, alone);
  const spanMs = Math.min(
    asking.window.endMs - asking.window.startMs,
    // A server that keeps less than the window has less of everything.
    [...recent].reduce((most, [lane, { everyMs }]) => Math.max(most, mainFigures(lane).samples * everyMs), 0),
  );
  const windowMs = asking.window.endMs - asking.window.startMs;
  const isWholeWindow = spanMs >= presentAllAlong * windowMs;
  const startMs = asking.window.endMs - (isWholeWindow ? windowMs : spanMs);
  const steady = new Map<Gpu, readonly Steady[]>();
  for (const gpu of alone) {
    const ofGpu = [...gpu.lanes.values()].flatMap((lane) => {
      const seen = recent.get(lane);
      if (seen === undefined) return [];
      const part = (mainFigures(lane).samples * seen.everyMs) / spanMs;
      // More than there can be at that distance: it was another one before.
      if (part < presentAllAlong || part > 2 - presentAllAlong) return [];
      return [
        { gpu, lane, activity: activityOf(lane) as Steady['activity'], ...seen, startMs, isWholeWindow },
      ];
    });
    if (ofGpu.length === gpu.lanes.size) steady.set(gpu, ofGpu);
  }
  return steady;
}

/** As `gatherWorkloads` tells workloads apart. */
function workloadKey(device: Device, holder: Holder, ownerOf: OwnerOf): string {
  if (holder.kind !== 'pod') return JSON.stringify([deviceName(device)]);
  const { namespace, pod } = holder;
  const owner = ownerOf({ namespace, pod });
  return JSON.stringify([namespace, owner?.kind ?? null, owner?.name ?? pod]);
}

/** One holder on the whole of it, or one on each of its slices. */
function isUndisputed({ lanes }: Gpu): boolean {
  const all = [...lanes.values()];
  const slices = new Set(all.map(({ device }) => device.slice?.instanceId ?? null));
  return slices.size === all.length && (all.length === 1 || !slices.has(null));
}

function hasOneSeriesEach(lane: Lane): boolean {
  const activity = activityOf(lane);
  if (activity === 'utilization-any') return false;
  return [lane.figures.get('memory'), activity === null ? undefined : lane.figures.get(activity)].every(
    (figures) => figures === undefined || figures.series === 1,
  );
}

/** Of memory, or else of what there is. */
export function mainFigures(lane: Lane): { readonly names: readonly string[]; readonly samples: number } {
  const reading = lane.figures.has('memory') ? 'memory' : activityOf(lane);
  return (reading === null ? undefined : lane.figures.get(reading)) ?? { names: [], samples: 0 };
}

/** How far apart the samples were a short while before the end, which says how many there must be. */
async function recentOnes(
  { client, window, atOnce, signal }: Asking,
  lanes: Lanes,
  gpus: readonly Gpu[],
): Promise<ReadonlyMap<Lane, Pick<Steady, 'everyMs' | 'lastMs'>>> {
  const recent = new Map<Lane, Pick<Steady, 'everyMs' | 'lastMs'>>();
  const groups = groupsOf(gpus, { size: 500, items: 200 }, (gpu) => gpu.lanes.size);
  await inParallel(groups, atOnce, signal, async (group, one) => {
    const names = new Set(
      group.flatMap((gpu) => [...gpu.lanes.values()].flatMap((lane) => [...mainFigures(lane).names])),
    );
    const select = over(selector([...names], matcherOf(group)), shortStretchMs);
    // What is not known of a lane makes it no worse than unsteady, so a refusal does not matter here.
    await client.samples(select, window.endMs, one, (all) => {
      for (const { labels, samples } of all) {
        const lane = lanes.find(labels)?.lane;
        const timesMs = samples.timesMs.subarray(0, samples.length);
        const everyMs = medianDistance(timesMs);
        // Of two samples no distance is sure.
        if (lane === undefined || samples.length < 3 || everyMs <= 0) continue;
        recent.set(lane, { everyMs, lastMs: timesMs[samples.length - 1]! });
      }
    });
  });
  return recent;
}

function medianDistance(timesMs: Float64Array): number {
  const distances = Array.from(timesMs.subarray(1), (time, index) => time - timesMs[index]!).sort(
    (a, b) => a - b,
  );
  return distances[distances.length >> 1] ?? 0;
}

/** Cards that are asked for by the same label, together. */
export function groupsOf(
  gpus: readonly Gpu[],
  most: { readonly size: number; readonly items: number },
  sizeOf: (gpu: Gpu) => number,
): readonly (readonly Gpu[])[] {
  const byLabel = new Map<string, Gpu[]>();
  for (const gpu of gpus) {
    const label = gpu.value === '' ? '' : gpu.label;
    const ofLabel = byLabel.get(label);
    if (ofLabel === undefined) byLabel.set(label, [gpu]);
    else ofLabel.push(gpu);
  }
  return [...byLabel.values()].flatMap((ofLabel) => inGroups(ofLabel, most, sizeOf));
}
