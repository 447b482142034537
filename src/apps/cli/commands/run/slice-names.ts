/** Slices as people name them: `0/1g.24gb:3` is a slice on GPU 0, `0` the whole GPU. */
import type { LeasableSlice } from '#core/run/slice';

export function shortNameOf({
  gpuIndex,
  profile,
  start,
}: Pick<LeasableSlice, 'gpuIndex' | 'profile' | 'start'>): string {
  return profile === null ? `${gpuIndex}` : `${gpuIndex}/${profile}:${start ?? 0}`;
}

/** A slice that is not there any more keeps the name that it was stored by. */
export function namesIn(slices: readonly LeasableSlice[]): (id: string) => string {
  const names = new Map(slices.map((slice) => [slice.id, shortNameOf(slice)]));
  return (id) => names.get(id) ?? id;
}
