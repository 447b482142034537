/**
 * Pods that wait and get something that is free, whatever is planned: they select its node by a label that a new cut
 * changes, or ask for `nvidia.com/gpu` and say no size, so that the scheduler gives them the first that there is.
 */
import { bySize } from '../gpu-node.js';
import type { ClusterPod } from '../objects.js';
import { whyKeptOut } from '../why-pending.js';
import { gpuResource, type Ask } from './pod-asks.js';
import { slotOf, type NodeUnit } from './sites.js';

export interface Taken {
  readonly pod: ClusterPod;
  readonly slot: string;
  readonly count: number;
  readonly node: string;
}

export class Takers<T extends NodeUnit> {
  readonly #units: T[];
  /** Whole GPUs first, then the smallest slices. */
  readonly #bySize: readonly { readonly index: number; readonly slot: string }[];
  /** Of equal asks: those before it have nothing for them, and will not have. */
  readonly #next = new Map<string, number>();

  constructor(units: readonly T[]) {
    this.#units = [...units];
    const open = units.flatMap(({ free, seen }, index) =>
      seen.offers.flatMap(({ resource, profile }) => {
        const slot = slotOf(profile);
        return free.has(slot) ? [{ index, slot, profile, isAny: resource === gpuResource }] : [];
      }),
    );
    this.#bySize = open
      .filter(({ isAny }) => isAny)
      .sort(
        (a, b) =>
          Number(a.profile !== null) - Number(b.profile !== null) ||
          bySize(a.profile, b.profile) ||
          a.index - b.index,
      );
  }

  units(): readonly T[] {
    return this.#units;
  }

  /** Its node stays as it is, for `why`. */
  take(pod: ClusterPod, ask: Ask, why: string): Taken | undefined {
    const slot = slotOf(ask.profile);
    const places = ask.isAnySize ? this.#bySize : this.#units.map((_, index) => ({ index, slot }));
    const key = JSON.stringify([ask.isAnySize, slot, ask.count, pod.nodeSelector, pod.tolerations]);
    for (let next = this.#next.get(key) ?? 0; next < places.length; next += 1) {
      this.#next.set(key, next);
      const place = places[next];
      const unit = place === undefined ? undefined : this.#units[place.index];
      if (place === undefined || unit === undefined) continue;
      const left = (unit.free.get(place.slot) ?? 0) - ask.count;
      if (left < 0 || whyKeptOut(pod, unit.seen) !== null) continue;
      const free = new Map(unit.free).set(place.slot, left);
      this.#units[place.index] = { ...unit, free, frozen: unit.frozen ?? why };
      return { pod, slot: place.slot, count: ask.count, node: unit.seen.node.name };
    }
    return undefined;
  }
}
