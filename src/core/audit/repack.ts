/** The fleet after the audit: every workload in the slice that it needs, on as few cards as hold them all. */
import { modelByKey } from '#core/catalogue/catalogue';
import type { Solve } from '#core/packing/linear-program';
import { displayName, movesWithin, type Demand, type Demands } from './demand.js';
import { gridShareOf, sliceOf } from './device.js';
import type { AuditSetting } from './options.js';
import { someNodes } from './owned.js';
import { placeDemands, type DrawnCard, type Placed } from './place-demands.js';
import { cardNow, type Stock } from './stock.js';

export interface Repacked {
  /** One entry a card. */
  readonly cards: readonly DrawnCard[];
  /** Replicas that the plan has no place for at the size that they need; they keep what they have. */
  readonly unplaced: readonly { readonly name: string; readonly count: number }[];
  /** Workloads on cards that are not known: they are not planned. */
  readonly onUnknown: readonly string[];
}

export function repack(
  demands: Demands,
  stock: Stock,
  usual: string | null,
  setting: AuditSetting,
  solve: Solve,
): Repacked {
  const own = placeDemands(demands.own, stock.nodes, setting.sizing, solve);
  const moved = movesWithin(stock, setting) ? nowhere : onTarget(demands.target, setting, solve);
  const unknownCards = stock.cards.get(null) ?? 0;
  const unplaced = [...own.unplaced, ...moved.unplaced];
  const known = [...stock.cards].reduce((sum, [model, gpus]) => sum + (model === null ? 0 : gpus), 0);
  const kept = keptCards(own.unplaced, known - own.cards.length, usual);
  return {
    cards: [...own.cards, ...kept, ...moved.cards, ...wholeCards(demands.unknown, unknownCards)],
    unplaced: unplaced.map(({ demand, seats }) => ({ name: displayName(demand.from), count: seats })),
    onUnknown: demands.unknown.map(({ from }) => displayName(from)),
  };
}

const nowhere: Placed = { cards: [], unplaced: [] };

/** As many cards of the target as there are replicas are more than enough. */
function onTarget(demands: readonly Demand[], { target, sizing }: AuditSetting, solve: Solve): Placed {
  const seats = demands.reduce((sum, demand) => sum + demand.seats.length, 0);
  return target === null ? nowhere : placeDemands(demands, someNodes(target.key, seats), sizing, solve);
}

/** What has no place in the plan keeps the cards that it has; there are not more than the plan leaves. */
function keptCards(unplaced: Placed['unplaced'], atMost: number, usual: string | null): readonly DrawnCard[] {
  const cards = unplaced.flatMap(({ demand, seats }): readonly DrawnCard[] => {
    const { from, need } = demand;
    const { current } = from.judged;
    const model = cardNow(from, usual);
    const share = current.profile === null ? need.gpus : (gridShareOf(current) ?? 1);
    const card = model === null ? undefined : modelByKey(model);
    const count = Math.ceil(share * seats - 1e-9);
    const slice = {
      profile: current.profile,
      start: null,
      sizeUnits: sliceOf(current)?.profile.sizeUnits ?? null,
      workloads: demand.seats.at(-1) ?? [],
    };
    const gridUnits = card?.kind === 'mig' ? card.gridUnits : null;
    return Array.from({ length: count }, () => ({ model, gridUnits, slices: [slice] }));
  });
  return cards.slice(0, Math.max(0, atMost));
}

/** Cards of which nothing is known but that somebody is on them, filled in order. */
function wholeCards(demands: readonly Demand[], cards: number): readonly DrawnCard[] {
  const seats = demands.flatMap((demand) =>
    demand.seats.flatMap((seat) => Array<readonly string[]>(demand.need.gpus).fill(seat)),
  );
  return Array.from({ length: Math.min(cards, seats.length) }, (_, index) => {
    const workloads = [...new Set(seats.filter((_seat, seat) => seat % cards === index).flat())];
    return {
      model: null,
      gridUnits: null,
      slices: [{ profile: null, start: null, sizeUnits: null, workloads }],
    };
  });
}
