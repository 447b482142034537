/** What `mica top` knows of each slice: who has it, who is in it, and how much memory is in use. */
import { sliceIdOf, type LeasableSlice } from '#core/run/slice';
import type { DeskView, LeaseView } from '#ports/lease-desk';
import { processesIn, type SeenGpu } from '../node/see-gpus.js';
import { shortNameOf } from './slice-names.js';

export interface TopSlice {
  /** As people name it: `0/1g.24gb:3`. */
  readonly slice: string;
  readonly gpu: number;
  /** `null`: the whole GPU. */
  readonly profile: string | null;
  readonly start: number | null;
  /** `taken`: somebody without a lease is in it. `unusable`: it has no compute instance. */
  readonly state: 'leased' | 'free' | 'quarantine' | 'taken' | 'unusable';
  readonly lease: LeaseView | null;
  /** Why it is in quarantine. */
  readonly why: string | null;
  readonly usedMiB: number | null;
  readonly totalMiB: number | null;
  readonly processes: readonly {
    readonly pid: number;
    readonly name: string | null;
    readonly usedMiB: number | null;
  }[];
}

/** Of GPUs that this process sees itself, in the order of the machine. */
export function rowsOf(seen: readonly SeenGpu[], view: DeskView): readonly TopSlice[] {
  return seen.flatMap((gpu) => (gpu.info.mig?.current === true ? slicesOf(gpu, view) : [wholeOf(gpu, view)]));
}

/** Of a machine whose server shows what is the caller's own. */
export function rowsAtServer(view: DeskView, used: ReadonlyMap<string, number | null>): readonly TopSlice[] {
  return view.slices.map((slice) => ({
    ...placeOf(slice),
    ...stateOf(slice.id, [], view),
    ...{ usedMiB: used.get(slice.id) ?? null, totalMiB: slice.memoryMiB, processes: [] },
  }));
}

function slicesOf(gpu: SeenGpu, view: DeskView): readonly TopSlice[] {
  return gpu.instances.map((instance): TopSlice => {
    const { placement, memory } = instance;
    const processes = processesIn(gpu, instance.id);
    const known = stateOf(sliceIdOf(gpu.info.uuid, instance), processes, view);
    const isUnusable = instance.computeInstances.length === 0 && known.state === 'free';
    return {
      ...placeOf({ gpuIndex: gpu.info.index, profile: placement.profile, start: placement.start }),
      ...known,
      ...(isUnusable ? { state: 'unusable' } : {}),
      ...{ usedMiB: memory?.usedMiB ?? null, totalMiB: memory?.totalMiB ?? null },
      processes: processes.map(asShown),
    };
  });
}

function wholeOf(gpu: SeenGpu, view: DeskView): TopSlice {
  const { info, processes } = gpu;
  const isKnown = processes.every(({ usedMiB }) => usedMiB !== null);
  return {
    ...placeOf({ gpuIndex: info.index, profile: null, start: null }),
    ...stateOf(info.uuid, processes, view),
    usedMiB: isKnown ? processes.reduce((sum, { usedMiB }) => sum + (usedMiB ?? 0), 0) : null,
    totalMiB: info.memoryMiB,
    processes: processes.map(asShown),
  };
}

function placeOf(slice: Pick<LeasableSlice, 'gpuIndex' | 'profile' | 'start'>) {
  const { gpuIndex: gpu, profile, start } = slice;
  return { slice: shortNameOf(slice), gpu, profile, start };
}

function stateOf(
  id: string,
  processes: readonly unknown[],
  { leases, quarantine }: DeskView,
): Pick<TopSlice, 'state' | 'lease' | 'why'> {
  const lease = leases.find(({ slices }) => slices.includes(id)) ?? null;
  const why = quarantine.find(({ slice }) => slice === id)?.why ?? null;
  if (lease !== null) return { state: 'leased', lease, why };
  if (why !== null) return { state: 'quarantine', lease, why };
  return { state: processes.length > 0 ? 'taken' : 'free', lease, why };
}

function asShown({ pid, name, usedMiB }: SeenGpu['processes'][number]): TopSlice['processes'][number] {
  return { pid, name, usedMiB };
}
