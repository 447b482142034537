/** Pods that the same places would serve are one class: planning counts them, and only at the end names them. */
import { usesGpus } from '../operator/disturbed.js';
import type { ClusterPod } from '../objects.js';
import { whyKeptOut } from '../why-pending.js';
import {
  askOf,
  gpuResource,
  pinningLabel,
  workloadKey,
  workloadOf,
  whyItStays,
  type Ask,
} from './pod-asks.js';
import { byName, slotOf, whole, type NodeUnit, type Site } from './sites.js';
import { Takers, type Taken } from './takers.js';

/** What an audit recommends for a workload, where it is sure enough. */
export interface RightSize {
  readonly namespace: string | null;
  /** `null`: whatever kind it is. */
  readonly kind: string | null;
  readonly name: string;
  /** Catalogue key. */
  readonly model: string;
  readonly profile: string;
}

export interface PodClass {
  readonly key: string;
  readonly slot: string;
  /** On one node. */
  readonly count: number;
  readonly priority: number;
  /** Its manifest is rewritten, so that only the card and the size matter. */
  readonly resized: boolean;
  /** Indexes of sites that it may go to. */
  readonly sites: readonly number[];
  /** Of a card, for one pod: leaving out a large one is worse. */
  readonly weight: number;
  readonly pending: ClusterPod[];
  /** Running pods that get another size, wherever they are: each must have a place. */
  readonly resizing: ClusterPod[];
}

/** A node with its movable pods by class. */
export interface ClassedUnit extends NodeUnit {
  readonly site: number;
  readonly held: ReadonlyMap<PodClass, readonly ClusterPod[]>;
}

export interface Classed {
  readonly classes: readonly PodClass[];
  readonly units: readonly ClassedUnit[];
  /** Pending pods that get what is free already. */
  readonly taken: readonly Taken[];
  readonly hopeless: readonly { readonly pod: ClusterPod; readonly why: string }[];
  readonly resized: readonly { readonly pod: ClusterPod; readonly from: string; readonly to: string }[];
}

/** What pods of the whole cluster may mean by a name. */
interface Names {
  readonly changingNames: ReadonlySet<string>;
  /** What `nvidia.com/gpu` stands for. */
  readonly sizesOfOneName: ReadonlySet<string>;
}

export function classesOf(
  pods: readonly ClusterPod[],
  sites: readonly Site[],
  { changingNames, sizesOfOneName }: Names,
  rightSizes: readonly RightSize[],
): Classed {
  const book = new ClassBook(sites);
  const sizes = new Map(rightSizes.map((one) => [`${one.namespace ?? '*'}/${one.name}`, one]));
  const resized: Classed['resized'][number][] = [];
  const hopeless: Classed['hopeless'][number][] = [];
  const taken: Taken[] = [];
  const takers = new Takers(
    sites.flatMap((site, index) => site.units.map((unit) => classedUnit(unit, index, book, sizes, resized))),
  );
  const waiting = pods
    .filter((pod) => pod.node === null && pod.phase === 'Pending' && !pod.isDeleting && usesGpus(pod))
    .sort((a, b) => a.createdMs - b.createdMs || byName(a, b));
  for (const pod of waiting) {
    const answer = askOf(pod);
    if (!answer.ok) {
      hopeless.push({ pod, why: answer.why });
      continue;
    }
    const ask = meant(answer.ask, sizesOfOneName);
    const pin = pinningLabel(pod, changingNames);
    if (pin !== null || ask.isAnySize) {
      const why = pin === null ? 'will take what is free' : `selects it by ${pin}`;
      const seat = takers.take(pod, ask, `${pod.namespace}/${pod.name} ${why}`);
      if (seat !== undefined) taken.push(seat);
      else if (pin !== null)
        hopeless.push({
          pod,
          why: `it selects nodes by ${pin}, and those have no ${slotOf(ask.profile)} free`,
        });
      if (seat !== undefined || pin !== null) continue;
    }
    const size = sizeFor(pod, sizes);
    const wanted = size !== undefined && ask.count === 1 && ask.profile !== size.profile;
    const own = wanted && sites.some(({ like }) => like.model?.key === size.model) ? size : undefined;
    const podClass = book.classOf(pod, ask, own);
    if (own !== undefined) resized.push({ pod, from: slotOf(ask.profile), to: own.profile });
    if (podClass.sites.length === 0) hopeless.push({ pod, why: whyNowhere(pod, ask, sites) });
    else podClass.pending.push(pod);
  }
  return { classes: book.all(), units: takers.units(), taken, hopeless, resized };
}

function classedUnit(
  unit: NodeUnit,
  site: number,
  book: ClassBook,
  sizes: ReadonlyMap<string, RightSize>,
  resized: Classed['resized'][number][],
): ClassedUnit {
  const held = new Map<PodClass, ClusterPod[]>();
  const free = new Map(unit.free);
  for (const pod of unit.pods) {
    const answer = askOf(pod);
    if (!answer.ok || pod.isDeleting || whyItStays(pod) !== null) continue;
    const offer = unit.seen.offers.find(({ resource }) => resource === answer.ask.resource);
    const ask = { ...answer.ask, profile: offer === undefined ? answer.ask.profile : offer.profile };
    const size = sizeFor(pod, sizes);
    const fits = size?.model === unit.seen.model?.key && ask.count === 1 && ask.profile !== size?.profile;
    if (size !== undefined && fits && unit.isOpen) {
      const podClass = book.classOf(pod, ask, size);
      if (podClass.sites.length > 0) {
        podClass.resizing.push(pod);
        resized.push({ pod, from: slotOf(ask.profile), to: size.profile });
        free.set(slotOf(ask.profile), (free.get(slotOf(ask.profile)) ?? 0) + 1);
        continue;
      }
    }
    if (unit.frozen !== null) continue;
    const podClass = book.classOf(pod, ask);
    const known = held.get(podClass);
    if (known === undefined) held.set(podClass, [pod]);
    else known.push(pod);
  }
  return { ...unit, free, site, held };
}

function sizeFor(pod: ClusterPod, sizes: ReadonlyMap<string, RightSize>): RightSize | undefined {
  if (sizes.size === 0) return undefined;
  const { namespace, name, kind } = workloadOf(pod);
  const found = sizes.get(`${namespace}/${name}`) ?? sizes.get(`*/${name}`);
  return found === undefined || (found.kind !== null && found.kind !== kind) ? undefined : found;
}

/** Where `nvidia.com/gpu` is one size everywhere, that size is meant. */
function meant(ask: Ask, sizes: ReadonlySet<string>): Ask {
  const [only = whole] = sizes;
  if (!ask.isAnySize || sizes.size > 1) return ask;
  return { ...ask, profile: only === whole ? null : only, isAnySize: false };
}

class ClassBook {
  readonly #classes = new Map<string, PodClass>();
  readonly #reach = new Map<string, readonly number[]>();
  readonly #sites: readonly Site[];

  constructor(sites: readonly Site[]) {
    this.#sites = sites;
  }

  classOf(pod: ClusterPod, ask: Ask, size?: RightSize): PodClass {
    const slot = size === undefined ? slotOf(ask.profile) : size.profile;
    const where = JSON.stringify([
      slot,
      size === undefined ? ask.resource === gpuResource : size.model,
      Object.entries(ask.selector).sort(),
      pod.tolerations,
    ]);
    let sites = this.#reach.get(where);
    if (sites === undefined) {
      sites = this.#sites.flatMap((site, index) => (mayGo(pod, ask, site, size) ? [index] : []));
      this.#reach.set(where, sites);
    }
    const key = JSON.stringify([slot, ask.count, pod.priority, size?.model ?? null, sites]);
    let known = this.#classes.get(key);
    if (known === undefined) {
      known = {
        ...{ key, slot, count: ask.count, priority: pod.priority, resized: size !== undefined, sites },
        weight:
          ask.count *
          shareOfCard(
            slot,
            sites.map((index) => this.#sites[index] as Site),
          ),
        pending: [],
        resizing: [],
      };
      this.#classes.set(key, known);
    }
    return known;
  }

  /** In an order that does not depend on the order of nodes and pods. */
  all(): readonly PodClass[] {
    return [...this.#classes.values()].sort((a, b) => b.priority - a.priority || (a.key < b.key ? -1 : 1));
  }
}

function mayGo(pod: ClusterPod, ask: Ask, site: Site, size: RightSize | undefined): boolean {
  const slot = size?.profile ?? slotOf(ask.profile);
  if (size !== undefined && site.like.model?.key !== size.model) return false;
  if (size === undefined) {
    const named = offeredAs(site, slot);
    if (named === null || (named === gpuResource) !== (ask.resource === gpuResource)) return false;
  }
  if (!hasSlot(site, slot)) return false;
  return whyKeptOut({ ...pod, nodeSelector: ask.selector }, site.like) === null;
}

/** The resource by which a site offers a slice; `null`: it does not, and cannot be cut so. */
function offeredAs({ style, units }: Site, slot: string): string | null {
  if (style === 'gke' || style === 'single' || slot === whole) return gpuResource;
  if (style === 'mixed') return `nvidia.com/mig-${slot.replace('+', '.')}`;
  for (const { seen } of units) {
    const offer = seen.offers.find(({ profile }) => slotOf(profile) === slot);
    if (offer !== undefined) return offer.resource;
  }
  return null;
}

function hasSlot({ style, like, units }: Site, slot: string): boolean {
  if (units.some(({ free }) => free.has(slot))) return true;
  if (style === null) return false;
  return (
    slot === whole || (like.model?.kind === 'mig' && like.model.profiles.some(({ name }) => name === slot))
  );
}

function shareOfCard(slot: string, sites: readonly Site[]): number {
  const shares = sites.map(({ like: { model } }) => {
    const profile = model?.kind === 'mig' ? model.profiles.find(({ name }) => name === slot) : undefined;
    return model?.kind === 'mig' && profile !== undefined ? profile.sizeUnits / model.gridUnits : 1;
  });
  return shares.length === 0 ? 1 : Math.min(...shares);
}

function whyNowhere(pod: ClusterPod, ask: Ask, sites: readonly Site[]): string {
  const slot = slotOf(ask.profile);
  const able = sites.filter((site) => {
    const named = offeredAs(site, slot);
    return (
      named !== null && (named === gpuResource) === (ask.resource === gpuResource) && hasSlot(site, slot)
    );
  });
  const first = able.find(({ units }) => units.some(({ isOpen }) => isOpen)) ?? able[0];
  if (first === undefined)
    return `no node has, or can be cut into, ${ask.resource}${slot === whole ? '' : ` (${slot})`}`;
  const why = whyKeptOut({ ...pod, nodeSelector: ask.selector }, first.like);
  return `no node that could serve it is open to it: of ${first.like.pool ?? first.like.node.name}, ${why ?? 'none'}`;
}

export function workloadNameOf(pod: ClusterPod): string {
  return workloadKey(workloadOf(pod));
}
