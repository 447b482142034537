/** Which pod gets a slice where: back on its own node if it can, and those that want several of one node first. */
import type { ClusterPod } from '../objects.js';
import type { ClassedUnit, PodClass } from './pod-classes.js';
import type { Decision } from './program.js';
import type { Place, Seat, Settled } from './settled.js';

interface Waiting {
  readonly pod: ClusterPod;
  readonly from: ClassedUnit | null;
  readonly isRunning: boolean;
}

/** `null`: a running pod has no place. */
export function findSeats(
  classes: readonly PodClass[],
  places: readonly Place[],
  displaced: ReadonlyMap<PodClass, readonly { readonly pod: ClusterPod; readonly from: ClassedUnit }[]>,
  decision: Decision,
): Pick<Settled, 'seats' | 'leftOut'> | null {
  const seats: Seat[] = [];
  const leftOut: Settled['leftOut'][number][] = [];
  const finder = new PlaceFinder(places);
  // Several slices of one node are hard to find: those pods choose first.
  const inOrder = classes
    .map((podClass, index) => ({ podClass, index }))
    .sort((a, b) => b.podClass.count - a.podClass.count);
  for (const { podClass, index } of inOrder) {
    const room = new Map(decision.seats[index]);
    const waiting: readonly Waiting[] = [
      ...(displaced.get(podClass) ?? []).map((one) => ({ ...one, isRunning: true })),
      ...podClass.resizing.map((pod) => ({ pod, from: null, isRunning: true })),
      ...podClass.pending.map((pod) => ({ pod, from: null, isRunning: false })),
    ];
    const rest: Waiting[] = [];
    for (const one of waiting) {
      const home = one.from === null ? undefined : finder.at(one.from);
      if (home !== undefined && (room.get(home.site) ?? 0) > 0 && finder.take(home, podClass)) {
        room.set(home.site, (room.get(home.site) ?? 0) - 1);
        seats.push({ pod: one.pod, podClass, place: home, from: one.from });
      } else rest.push(one);
    }
    for (const one of rest) {
      const place = finder.anyOf(room, podClass);
      if (place !== undefined) {
        room.set(place.site, (room.get(place.site) ?? 0) - 1);
        seats.push({ pod: one.pod, podClass, place, from: one.from });
      } else if (one.isRunning) return null;
      else leftOut.push({ pod: one.pod, podClass });
    }
  }
  return { seats: seats.map((seat) => finder.homeAgain(seat)), leftOut };
}

/** Nodes with something free, remembered by site and slot so that no list is gone through twice. */
class PlaceFinder {
  readonly #home = new Map<string, Place>();
  readonly #bySite = new Map<number, Place[]>();
  readonly #next = new Map<string, number>();

  constructor(places: readonly Place[]) {
    for (const place of places) {
      if (place.unit !== null) this.#home.set(place.unit.seen.node.name, place);
      const list = this.#bySite.get(place.site);
      if (list === undefined) this.#bySite.set(place.site, [place]);
      else list.push(place);
    }
  }

  at({ seen }: ClassedUnit): Place | undefined {
    return this.#home.get(seen.node.name);
  }

  /** Where a pod's own node has room for it after all, it need not be another. */
  homeAgain(seat: Seat): Seat {
    const { podClass, from, place } = seat;
    const home = from === null ? undefined : this.at(from);
    if (home === undefined || home === place || !this.take(home, podClass)) return seat;
    place.free.set(podClass.slot, (place.free.get(podClass.slot) ?? 0) + podClass.count);
    return { ...seat, place: home };
  }

  take({ free }: Place, { slot, count }: PodClass): boolean {
    const left = (free.get(slot) ?? 0) - count;
    if (left < 0) return false;
    free.set(slot, left);
    return true;
  }

  anyOf(room: ReadonlyMap<number, number>, podClass: PodClass): Place | undefined {
    for (const [site, count] of room) {
      if (count <= 0) continue;
      const key = `${site}/${podClass.slot}/${podClass.count}`;
      const places = this.#bySite.get(site) ?? [];
      for (let next = this.#next.get(key) ?? 0; next < places.length; next += 1) {
        this.#next.set(key, next);
        const place = places[next];
        if (place !== undefined && this.take(place, podClass)) return place;
      }
    }
    return undefined;
  }
}
