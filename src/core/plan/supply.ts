/** A fleet as pools of alike machines, each pool knowing its machines by name and what their cards hold now. */
import { modelByKey } from '#core/catalogue/catalogue';
import type { GpuModel } from '#core/catalogue/model';
import type { PriceTable } from '#core/cost/price-table';
import { asArgument } from '#core/geometry/placement';
import type { Pool } from '#core/packing/fleet/problem';
import type { ExistingSlice, Fleet, FleetNode, RentOption } from './documents.js';

/** One card by its place, with the slices on it. `known: false`: nobody said what is cut on it. */
export interface FleetCard {
  readonly node: string;
  readonly index: number;
  readonly known: boolean;
  readonly slices: readonly ExistingSlice[];
}

export interface SupplyPool extends Pool {
  /** Owned: one entry a machine with its cards of this pool. Rented: empty, machines are named as they are taken. */
  readonly nodes: readonly { readonly name: string; readonly cards: readonly FleetCard[] }[];
  /** Rented: the machine type. */
  readonly machineType: string | null;
  /** The price is an estimate. */
  readonly estimate: boolean;
}

export type SupplyAnswer =
  | {
      readonly ok: true;
      readonly pools: readonly SupplyPool[];
      /** Nodes that take no part: busy slices stay, so their cards cannot all get one size. */
      readonly leftOut: readonly string[];
    }
  | {
      readonly ok: false;
      readonly why: { readonly kind: 'unknown-model' | 'unknown-machine-type'; readonly message: string };
    };

/**
 * Cards with busy slices are pools of their own: what is busy stays, the rest of such a card can be cut. `uniform`: all
 * cards of a machine get slices of one size.
 */
export function supplyOf(fleet: Fleet, prices: PriceTable, uniform = false): SupplyAnswer {
  const pools = new Map<string, Omit<SupplyPool, 'nodes'> & { nodes: SupplyPool['nodes'][number][] }>();
  const leftOut: string[] = [];
  for (const node of fleet.nodes) {
    if (uniform && hasBusySlices(node)) {
      leftOut.push(node.name);
      continue;
    }
    const model = modelByKey(node.model);
    if (model === undefined) return unknownModel(node);
    for (const pool of poolsOfNode(node, model, uniform)) {
      const key = JSON.stringify([model.key, pool.gpusEach, pool.usdPerHour, pool.taken]);
      const known = pools.get(key);
      if (known === undefined) pools.set(key, { ...pool, nodes: [...pool.nodes] });
      else known.nodes.push(...pool.nodes);
    }
  }
  const rented: SupplyPool[] = [];
  for (const option of fleet.rent) {
    const answer = rentedPool(option, prices, uniform);
    if (!answer.ok) return answer;
    rented.push(answer.pool);
  }
  const owned = [...pools.values()].map((pool) => ({ ...pool, machines: pool.nodes.length }));
  return { ok: true, pools: [...owned, ...rented], leftOut };
}

function hasBusySlices({ layouts = [] }: FleetNode): boolean {
  return layouts.some(({ slices }) => slices.some(({ busy }) => busy));
}

function poolsOfNode(node: FleetNode, model: GpuModel, uniform: boolean): readonly SupplyPool[] {
  const cards = Array.from({ length: node.gpus }, (_, index): FleetCard => {
    const now = node.layouts?.find((layout) => layout.index === index);
    return { node: node.name, index, known: now !== undefined, slices: now?.slices ?? [] };
  });
  const common = { model, owned: true, machines: 1, machineType: null, estimate: false, uniform } as const;
  const free = cards.filter((card) => !card.slices.some((slice) => slice.busy));
  const whole: SupplyPool = {
    ...common,
    name: model.key,
    gpusEach: free.length,
    usdPerHour: node.usdPerHour ?? null,
    taken: [],
    nodes: [{ name: node.name, cards: free }],
  };
  const partly = cards
    .filter((card) => !free.includes(card))
    .map((card): SupplyPool => {
      const taken = card.slices
        .filter((slice) => slice.busy)
        .map(({ profile, start, size }) => ({ profile, start, size }));
      const name = `${model.key} beside ${taken.map(asArgument).join(',')}`;
      // The machine runs already, for the sake of its busy slices: using the rest of the card costs nothing more.
      return {
        ...common,
        name,
        gpusEach: 1,
        usdPerHour: 0,
        taken,
        nodes: [{ name: node.name, cards: [card] }],
      };
    });
  return free.length > 0 ? [whole, ...partly] : partly;
}

function rentedPool(
  option: RentOption,
  prices: PriceTable,
  uniform: boolean,
): { ok: true; pool: SupplyPool } | Extract<SupplyAnswer, { ok: false }> {
  const { machineType, max } = option;
  const price = prices.find((entry) => entry.machineType === machineType);
  const model = price === undefined ? undefined : modelByKey(price.model);
  if (price === undefined || model === undefined || price.gpus < 1) {
    const message =
      price !== undefined && price.gpus < 1
        ? `${machineType} carries a fraction of a card, cut by the cloud: MIG is not yours to set there`
        : `no machine type '${machineType}' in the price table; add it with its model, gpus and usdPerHour in a prices file`;
    return { ok: false, why: { kind: 'unknown-machine-type', message } };
  }
  const pool: SupplyPool = {
    name: machineType,
    model,
    gpusEach: price.gpus,
    machines: max ?? null,
    owned: false,
    uniform,
    usdPerHour: price.usdPerHour,
    taken: [],
    nodes: [],
    machineType,
    estimate: price.estimate,
  };
  return { ok: true, pool };
}

function unknownModel(node: FleetNode): SupplyAnswer {
  return {
    ok: false,
    why: { kind: 'unknown-model', message: `node '${node.name}': no GPU model '${node.model}'` },
  };
}
