/** The steps that turn one GPU's layout into another: the least that must change, in an order that works. */
import { overlaps, covers } from '#core/geometry/mask';
import { asArgument, type Layout, type Placement } from '#core/geometry/placement';
import type { ExistingSlice } from './documents.js';

interface OnGpu {
  readonly node: string;
  readonly index: number;
  /** Why the step is there, and what it disturbs, in words. */
  readonly why: string;
}

export type Step =
  | (OnGpu & { readonly kind: 'enable-mig' | 'disable-mig' })
  /** The workload in the slice must leave first. */
  | (OnGpu & { readonly kind: 'drain'; readonly placement: Placement })
  | (OnGpu & { readonly kind: 'destroy'; readonly placement: Placement })
  | (OnGpu & { readonly kind: 'create'; readonly placement: Placement });

/** One GPU before and after. `slices: null`: nobody said what is there, so MIG may be off. */
export interface GpuChange {
  readonly node: string;
  readonly index: number;
  readonly before: readonly ExistingSlice[] | null;
  /** `null`: MIG off, the whole card. */
  readonly after: Layout | null;
}

export type StepsAnswer =
  | { readonly ok: true; readonly steps: readonly Step[]; readonly kept: readonly Placement[] }
  | {
      readonly ok: false;
      readonly why: {
        readonly kind: 'busy';
        readonly message: string;
        readonly slices: readonly Placement[];
      };
    };

/**
 * Slices of the same profile and place stay untouched; the rest is destroyed before anything is created, and large
 * slices are created first. Busy slices that would have to go are a refusal, unless `mayDrain` says that their
 * workloads may be moved.
 */
export function stepsBetween({ node, index, before, after }: GpuChange, mayDrain = false): StepsAnswer {
  const there = before ?? [];
  const wanted = after ?? [];
  const kept = there.filter((slice) => wanted.some((placement) => isSamePlace(slice, placement)));
  const going = there.filter((slice) => !kept.includes(slice));
  const coming = wanted.filter((placement) => !there.some((slice) => isSamePlace(slice, placement)));
  const busy = going.filter((slice) => slice.busy);
  if (busy.length > 0 && !mayDrain) {
    const names = busy.map(asArgument).join(', ');
    const message = `${node} GPU ${index}: ${names} ${busy.length === 1 ? 'is' : 'are'} busy and would have to go; allow moves, or plan around ${busy.length === 1 ? 'it' : 'them'}`;
    return { ok: false, why: { kind: 'busy', message, slices: busy.map(placementOnly) } };
  }
  const on = { node, index };
  const steps: Step[] = [
    ...busy.map((slice): Step => ({
      ...on,
      kind: 'drain',
      placement: placementOnly(slice),
      why: 'its workload moves to another slice first',
    })),
    ...going.map((slice): Step => ({
      ...on,
      kind: 'destroy',
      placement: placementOnly(slice),
      why: whyGoing(slice, coming, after),
    })),
    ...modeStep(on, before, after),
    ...largeFirst(coming).map((placement): Step => ({
      ...on,
      kind: 'create',
      placement,
      why: 'new slice on free units, nothing else is touched',
    })),
  ];
  return { ok: true, steps, kept: kept.map(placementOnly) };
}

function modeStep(
  on: Pick<OnGpu, 'node' | 'index'>,
  before: GpuChange['before'],
  after: GpuChange['after'],
): readonly Step[] {
  if (after === null)
    return [
      {
        ...on,
        kind: 'disable-mig',
        why: 'the whole card goes to one workload; does nothing where MIG is off',
      },
    ];
  if ((before ?? []).length > 0) return [];
  const why = 'slices need MIG mode; does nothing where MIG is on, else the GPU must be idle';
  return [{ ...on, kind: 'enable-mig', why }];
}

function whyGoing(slice: Placement, coming: readonly Placement[], after: GpuChange['after']): string {
  if (after === null) return 'the whole card is wanted';
  const units = covers(slice.start, slice.size);
  const inTheWay = coming.filter((placement) => overlaps(units, covers(placement.start, placement.size)));
  return inTheWay.length > 0
    ? `free slice in the place of ${inTheWay.map(asArgument).join(', ')}`
    : 'not wanted any more';
}

/** An order that works: a large slice never finds its place cut up by a small one. */
export function largeFirst(placements: readonly Placement[]): readonly Placement[] {
  return [...placements].sort((a, b) => b.size - a.size || a.start - b.start);
}

export function isSamePlace(
  a: Pick<Placement, 'profile' | 'start'>,
  b: Pick<Placement, 'profile' | 'start'>,
): boolean {
  return a.profile === b.profile && a.start === b.start;
}

function placementOnly({ profile, start, size }: Placement): Placement {
  return { profile, start, size };
}
