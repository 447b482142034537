/**
 * The driver calls that bring one live GPU to a wanted state. Whoever does the first, looks again and asks again gets
 * there from wherever the GPU is, so that changing, rolling back and resuming after a crash are the same thing.
 */
import { covers, overlaps } from '#core/geometry/mask';
import { asArgument, inGridOrder, type Layout, type Placement } from '#core/geometry/placement';
import { unreachable } from '../errors.js';
import { isSamePlace, largeFirst } from './steps.js';

/** Without MIG, or cut into a layout (which may be empty). */
export type CardState = { readonly mig: false } | { readonly mig: true; readonly placements: Layout };

/** A GPU instance as far as deciding goes. */
export interface LiveInstance {
  readonly id: number;
  readonly placement: Placement;
  readonly computeIds: readonly number[];
}

export interface LiveGpu {
  readonly mig: { readonly current: boolean; readonly pending: boolean };
  readonly instances: readonly LiveInstance[];
}

/** One call to the driver. */
export type GpuAction =
  | { readonly kind: 'set-mode'; readonly enabled: boolean }
  | { readonly kind: 'reset' }
  | { readonly kind: 'create-instance'; readonly placement: Placement }
  /** `instanceId: null`: of the instance that will stand there by then. */
  | { readonly kind: 'create-compute'; readonly placement: Placement; readonly instanceId: number | null }
  | {
      readonly kind: 'destroy-compute';
      readonly placement: Placement;
      readonly instanceId: number;
      readonly computeId: number;
    }
  | { readonly kind: 'destroy-instance'; readonly placement: Placement; readonly instanceId: number };

export interface Way {
  /** In order; empty: nothing is left to do, or what is left is blocked. */
  readonly actions: readonly GpuAction[];
  /** Instances that would have to go and may not. */
  readonly inTheWay: readonly LiveInstance[];
}

/** What stands on the GPU now, as a state to come back to. A mode that only waits for a reset does not count. */
export function stateOf(now: LiveGpu): CardState {
  if (!now.mig.current) return { mig: false };
  return { mig: true, placements: inGridOrder(now.instances.map(({ placement }) => placement)) };
}

/**
 * What is wanted and there stays untouched (a GPU instance without a compute instance gets one); the rest goes where
 * `mayDestroy` allows, compute instances before their GPU instance, before anything is created, large first.
 */
export function wayTo(
  target: CardState,
  now: LiveGpu,
  mayDestroy: (instance: LiveInstance) => boolean = () => true,
): Way {
  const wanted = target.mig ? target.placements : [];
  const extra = now.instances.filter(
    ({ placement }) => !wanted.some((place) => isSamePlace(place, placement)),
  );
  const staying = extra.filter((instance) => !mayDestroy(instance));
  const clearing = extra.filter(mayDestroy).flatMap(destroying);
  if (!target.mig) {
    return { actions: staying.length > 0 ? clearing : [...clearing, ...switchOff(now)], inTheWay: staying };
  }
  const absent = wanted.filter((place) => !now.instances.some((one) => isSamePlace(one.placement, place)));
  const inTheWay = staying.filter(({ placement }) => absent.some((place) => clash(place, placement)));
  const coming = absent.filter((place) => !inTheWay.some(({ placement }) => clash(place, placement)));
  const unfinished = now.instances.filter((one) => !extra.includes(one) && one.computeIds.length === 0);
  return {
    actions: [
      ...clearing,
      ...switchOn(now),
      ...unfinished.map(({ id, placement }) => creatingCompute(placement, id)),
      ...largeFirst(coming).flatMap((placement): readonly GpuAction[] => [
        { kind: 'create-instance', placement },
        creatingCompute(placement, null),
      ]),
    ],
    inTheWay,
  };
}

/** Whether the GPU shows that the call was made: the driver's word is not taken for it. */
export function showsDone(action: GpuAction, now: LiveGpu): boolean {
  switch (action.kind) {
    case 'set-mode':
      return now.mig.pending === action.enabled;
    case 'reset':
      return now.mig.pending === now.mig.current;
    case 'create-instance':
      return now.instances.some(({ placement }) => isSamePlace(placement, action.placement));
    case 'create-compute':
      return now.instances.some(
        ({ placement, computeIds }) => isSamePlace(placement, action.placement) && computeIds.length > 0,
      );
    case 'destroy-compute':
      return !now.instances.some(
        ({ id, computeIds }) => id === action.instanceId && computeIds.includes(action.computeId),
      );
    case 'destroy-instance':
      return !now.instances.some(
        ({ id, placement }) => id === action.instanceId && isSamePlace(placement, action.placement),
      );
    default:
      return unreachable(action);
  }
}

/** Whether the call can work as things stand: nothing is created where something else still stands. */
export function isPossible(action: GpuAction, now: LiveGpu): boolean {
  switch (action.kind) {
    case 'create-instance':
      return now.mig.current && !now.instances.some(({ placement }) => clash(placement, action.placement));
    case 'create-compute':
      return action.instanceId !== null;
    case 'destroy-instance':
      return now.instances.some(({ id, computeIds }) => id === action.instanceId && computeIds.length === 0);
    case 'set-mode':
      return action.enabled || now.instances.length === 0;
    case 'reset':
      return now.instances.length === 0;
    case 'destroy-compute':
      return true;
    default:
      return unreachable(action);
  }
}

/** `create 1g.24gb:3`. */
export function actionInWords(action: GpuAction): string {
  switch (action.kind) {
    case 'set-mode':
      return action.enabled ? 'enable MIG' : 'disable MIG';
    case 'reset':
      return 'reset the GPU';
    case 'create-instance':
      return `create ${asArgument(action.placement)}`;
    case 'create-compute':
      return `create the compute instance of ${asArgument(action.placement)}`;
    case 'destroy-compute':
      return `destroy the compute instance of ${asArgument(action.placement)}`;
    case 'destroy-instance':
      return `destroy ${asArgument(action.placement)}`;
    default:
      return unreachable(action);
  }
}

function destroying({ id, placement, computeIds }: LiveInstance): readonly GpuAction[] {
  return [
    ...computeIds.map((computeId): GpuAction => ({
      kind: 'destroy-compute',
      placement,
      instanceId: id,
      computeId,
    })),
    { kind: 'destroy-instance', placement, instanceId: id },
  ];
}

function creatingCompute(placement: Placement, instanceId: number | null): GpuAction {
  return { kind: 'create-compute', placement, instanceId };
}

function switchOn({ mig }: LiveGpu): readonly GpuAction[] {
  if (!mig.pending) return [{ kind: 'set-mode', enabled: true }];
  return mig.current ? [] : [{ kind: 'reset' }];
}

function switchOff({ mig }: LiveGpu): readonly GpuAction[] {
  if (mig.pending) return [{ kind: 'set-mode', enabled: false }];
  return mig.current ? [{ kind: 'reset' }] : [];
}

function clash(a: Placement, b: Placement): boolean {
  return overlaps(covers(a.start, a.size), covers(b.start, b.size));
}
