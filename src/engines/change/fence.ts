/** Slices that somebody has leased are not taken away, and those that go are leased to nobody meanwhile. */
import { asArgument } from '#core/geometry/placement';
import type { GpuAction } from '#core/plan/gpu-actions';
import type { GuardedSlice, SliceFence, SliceHolder } from '#ports/slice-guard';
import { brokenWhy, type Why } from './answer.js';
import type { ChangePorts } from './ports.js';

/** Something that a change does with one GPU, and the slices that go with it. */
export interface Fencing {
  readonly slices: readonly GuardedSlice[];
}

export interface Fenced<G extends Fencing> {
  /** Those that cannot be changed. */
  readonly whys: ReadonlyMap<G, Why>;
  readonly fence: SliceFence;
  /** Somebody was waited for: what was seen before may not be so any more. */
  readonly waited: boolean;
}

export const noFence: SliceFence = { made: async () => undefined, release: async () => undefined };

const pollMs = 500;

/** What these calls take from whoever has it: instances that go, and the GPU as a whole where its mode changes. */
export function takenBy(gpuUuid: string, actions: readonly GpuAction[]): readonly GuardedSlice[] {
  const switches = actions.some(({ kind }) => kind === 'set-mode' || kind === 'reset');
  const whole: GuardedSlice = { gpuUuid, placement: null, instanceId: null };
  return [
    ...(switches ? [whole] : []),
    ...actions.flatMap((action): readonly GuardedSlice[] => {
      if (action.kind !== 'destroy-instance') return [];
      const { placement, instanceId } = action;
      return [{ gpuUuid, placement, instanceId }];
    }),
  ];
}

/** All of the GPUs or none, waiting so long for leases to end; each for itself where it says so. */
export async function fenceOff<G extends Fencing>(
  ports: ChangePorts,
  gpus: readonly G[],
  { waitMs = 0, each = false }: { readonly waitMs?: number; readonly each?: boolean } = {},
): Promise<Fenced<G>> {
  const whys = new Map<G, Why>();
  const fences: SliceFence[] = [];
  let waited = false;
  for (const group of each ? gpus.map((gpu) => [gpu]) : [gpus]) {
    const fenced = await fenceGroup(ports, group, waitMs);
    waited ||= fenced.waited;
    if (fenced.fence !== null) fences.push(fenced.fence);
    for (const [gpu, why] of fenced.whys) whys.set(gpu, why);
  }
  const [first = noFence] = fences;
  return {
    whys,
    waited,
    fence: {
      // Which of them has it is the same to everybody: all are released together.
      made: (slice) => first.made(slice),
      release: async () => {
        for (const fence of fences) await fence.release();
      },
    },
  };
}

/** The reasons why GPUs cannot be changed as things stand; nothing is written anywhere. */
export async function leasedWhys<G extends Fencing>(
  { guard }: ChangePorts,
  gpus: readonly G[],
): Promise<ReadonlyMap<G, Why>> {
  if (guard === undefined) return new Map();
  try {
    return whysOf(gpus, await guard.holders(gpus.flatMap(({ slices }) => slices)));
  } catch (error) {
    return unknownWhys(gpus, error);
  }
}

interface FencedGroup<G> {
  readonly whys: ReadonlyMap<G, Why>;
  readonly fence: SliceFence | null;
  readonly waited: boolean;
}

async function fenceGroup<G extends Fencing>(
  { guard, clock }: ChangePorts,
  gpus: readonly G[],
  waitMs: number,
): Promise<FencedGroup<G>> {
  if (guard === undefined) return { whys: new Map(), fence: null, waited: false };
  const slices = gpus.flatMap((gpu) => gpu.slices);
  try {
    for (let leftMs = waitMs; ; leftMs -= pollMs) {
      const answer = await guard.fence(slices);
      const waited = leftMs !== waitMs;
      if (answer.ok) return { whys: new Map(), fence: answer.fence, waited };
      if (leftMs <= 0) return { whys: whysOf(gpus, answer.holders), fence: null, waited };
      await clock.sleep(Math.min(pollMs, leftMs));
    }
  } catch (error) {
    return { whys: unknownWhys(gpus, error), fence: null, waited: false };
  }
}

/** A GPU with nothing to lose is not held up by leases that nobody can read. */
function unknownWhys<G extends Fencing>(gpus: readonly G[], error: unknown): ReadonlyMap<G, Why> {
  const why = brokenWhy('see whether its slices are leased', error);
  return new Map(gpus.flatMap((gpu) => (gpu.slices.length === 0 ? [] : [[gpu, why] as const])));
}

function whysOf<G extends Fencing>(gpus: readonly G[], holders: readonly SliceHolder[]): ReadonlyMap<G, Why> {
  const whys = new Map<G, Why>();
  for (const gpu of gpus) {
    const here = holders.flatMap((holder): readonly SliceHolder[] => {
      const slices = holder.slices.filter((slice) => gpu.slices.some((one) => isSame(one, slice)));
      return slices.length === 0 ? [] : [{ ...holder, slices }];
    });
    if (here.length > 0) whys.set(gpu, leasedWhy(here));
  }
  return whys;
}

function leasedWhy(holders: readonly SliceHolder[]): Why {
  const words = holders.map(({ lease, pid, command, slices }) => {
    const names = slices.map(nameOf).join(', ');
    const what = command.length === 0 ? '' : `: ${command.join(' ')}`;
    return `${names} ${slices.length === 1 ? 'is' : 'are'} leased by pid ${pid} (lease ${lease}${what})`;
  });
  const ends = holders.map(({ lease }) => `\`mica kill ${lease}\``).join(', ');
  return {
    kind: 'leased',
    message: `${words.join('; ')}; wait until that is over (--wait), or end it with ${ends}; \`mica ps\` shows all leases`,
    leases: holders.map(({ lease, pid, command, slices }) => ({
      id: lease,
      pid,
      command,
      slices: slices.map(nameOf),
    })),
  };
}

function nameOf({ placement }: GuardedSlice): string {
  return placement === null ? 'the whole GPU' : asArgument(placement);
}

function isSame(one: GuardedSlice, other: GuardedSlice): boolean {
  return (
    one.gpuUuid === other.gpuUuid &&
    one.instanceId === other.instanceId &&
    one.placement?.profile === other.placement?.profile &&
    one.placement?.start === other.placement?.start
  );
}
