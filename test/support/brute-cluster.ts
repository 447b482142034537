/** The best plan of a small cluster by trying every cut of every node: shares no code with the search that it judges. */
import type { ClusterPod, ClusterState } from '#core/cluster/objects';

type Counts = Readonly<Record<string, number>>;

/** Of one RTX PRO 6000: what it can be cut into so that nothing more fits, and whole. */
const cuts: readonly Counts[] = [
  { '1g.24gb': 4 },
  { '1g.24gb': 2, '2g.48gb': 1 },
  { '2g.48gb': 2 },
  { '4g.96gb': 1 },
  { whole: 1 },
];
const shares: Counts = { '1g.24gb': 0.25, '2g.48gb': 0.5, '4g.96gb': 1, whole: 1 };

export interface BestPlan {
  /** The share of cards of the pods without a place. */
  readonly unplaced: number;
  readonly disturbed: number;
  readonly weights: ReadonlyMap<string, number>;
}

interface Demand {
  readonly slot: string;
  readonly zone: string | undefined;
}

export function fewestDisturbed({ nodes, pods }: ClusterState): BestPlan {
  const weights = new Map(pods.map((pod) => [pod.name, shares[slotOf(pod)] ?? 0]));
  const waiting = pods.filter(({ node }) => node === null);
  const isFixed = (name: string): boolean =>
    pods.some(({ node, controller }) => node === name && controller === null);
  const wanted = new Set(pods.filter(({ node }) => node === null || !isFixed(node)).map(slotOf));
  const useful = usefulCuts(wanted);
  let best = { unplaced: Infinity, disturbed: Infinity };
  const visit = (
    index: number,
    seats: readonly (Demand & { readonly count: number })[],
    moved: readonly ClusterPod[],
  ): void => {
    const node = nodes[index];
    if (node === undefined) {
      const unplaced = leastUnplaced(seats, moved, waiting);
      const isBetter = unplaced < best.unplaced - 1e-9;
      const isSame = Math.abs(unplaced - best.unplaced) < 1e-9;
      if (isBetter || (isSame && moved.length < best.disturbed)) best = { unplaced, disturbed: moved.length };
      return;
    }
    const zone = node.labels['zone'];
    const here = pods.filter((pod) => pod.node === node.name);
    const asSeats = (counts: Counts) =>
      Object.entries(counts).map(([slot, count]) => ({ slot, count, zone }));
    const free: Record<string, number> = {};
    for (const [resource, count] of Object.entries(node.allocatable)) free[slotNamed(resource)] = count;
    for (const pod of here) free[slotOf(pod)] = (free[slotOf(pod)] ?? 0) - 1;
    visit(index + 1, [...seats, ...asSeats(free)], moved);
    if (here.some(({ controller }) => controller === null)) return;
    const layout = new Map(
      Object.entries(node.allocatable).map(([resource, count]) => [slotNamed(resource), count]),
    );
    const gpus = Number(node.labels['nvidia.com/gpu.count'] ?? 1);
    for (const cut of dealt(useful, gpus).filter((one) => !isSame(one, layout)))
      visit(index + 1, [...seats, ...asSeats(cut)], [...moved, ...here]);
  };
  visit(0, [], []);
  return { ...best, weights };
}

/** Of what anybody wants, each cut that no other one has all of. */
function usefulCuts(wanted: ReadonlySet<string>): readonly Counts[] {
  const limited = cuts
    .map((cut) => Object.fromEntries(Object.entries(cut).filter(([slot]) => wanted.has(slot))))
    .filter((cut) => Object.keys(cut).length > 0);
  const has = (more: Counts, less: Counts): boolean =>
    Object.entries(less).every(([slot, count]) => (more[slot] ?? 0) >= count);
  return limited.filter((cut, index) =>
    limited.every((other, at) => at === index || !has(other, cut) || (has(cut, other) && at > index)),
  );
}

/** All that a node with so many GPUs can be cut into. */
function dealt(cutsOfOne: readonly Counts[], gpus: number): readonly Counts[] {
  if (gpus === 1) return cutsOfOne;
  return cutsOfOne.flatMap((first, index) =>
    dealt(cutsOfOne.slice(index), gpus - 1).map((others) => {
      const both: Record<string, number> = { ...others };
      for (const [slot, count] of Object.entries(first)) both[slot] = (both[slot] ?? 0) + count;
      return both;
    }),
  );
}

/** To clear a node and cut it as it was is no way to make room: its pods may come back. */
function isSame(cut: Counts, layout: ReadonlyMap<string, number>): boolean {
  const slots = Object.entries(cut);
  return slots.length === layout.size && slots.every(([slot, count]) => layout.get(slot) === count);
}

/** Infinite where somebody who ran has no seat. Zones: by trying which pending pods sit, each slot on its own. */
function leastUnplaced(
  seats: readonly (Demand & { readonly count: number })[],
  moved: readonly ClusterPod[],
  waiting: readonly ClusterPod[],
): number {
  let total = 0;
  for (const slot of Object.keys(shares)) {
    const inZone = (zone: string): number =>
      seats
        .filter((seat) => seat.slot === slot && seat.zone === zone)
        .reduce((sum, { count }) => sum + count, 0);
    const must = moved.filter((pod) => slotOf(pod) === slot).length;
    const asking = waiting.filter((pod) => slotOf(pod) === slot);
    const wish = (zone: string | undefined): number =>
      asking.filter(({ nodeSelector }) => nodeSelector['zone'] === zone).length;
    const [a, b] = [inZone('a'), inZone('b')];
    if (must > a + b) return Infinity;
    // Pods of one zone take their seats; those of both, and those that move, take what is left.
    const sitting = Math.min(wish('a'), a) + Math.min(wish('b'), b) + must + wish(undefined);
    total += (shares[slot] ?? 0) * (asking.length + must - Math.min(sitting, a + b));
  }
  return total;
}

function slotOf({ wants }: ClusterPod): string {
  return slotNamed(Object.keys(wants)[0] ?? '');
}

function slotNamed(resource: string): string {
  return resource === 'nvidia.com/gpu' ? 'whole' : resource.replace('nvidia.com/mig-', '');
}
