/** Who needs a place in the plan, where it may be, and under which names: the assessments, sorted into plans. */
import type { Need } from '#core/plan/documents';
import { modelByKey } from '#core/catalogue/catalogue';
import { servingOptions } from '#core/sizing/serving-options';
import { askOf } from './ask.js';
import type { Assessment } from './assess.js';
import { nameOf, wholeCardsOf, type Moment } from './held.js';
import type { AuditSetting } from './options.js';
import type { Stock } from './stock.js';
import { keptNeed } from './workload-need.js';

/** One replica's place; several names: they take turns on it. */
export type Seat = readonly string[];

export interface Demand {
  /** Its `count` is the number of seats. */
  readonly need: Need;
  readonly seats: readonly Seat[];
  /** Who it is, for what it keeps where the plan has no place. */
  readonly from: Assessment;
  /** Time-sliced pods of any workloads, together. */
  readonly isTurns: boolean;
}

export interface Demands {
  /** On the cards that there are. */
  readonly own: readonly Demand[];
  /** On cards of the target, as many as it takes. */
  readonly target: readonly Demand[];
  /** On cards of models that are not known: they stay as they are. */
  readonly unknown: readonly Demand[];
}

/** Everything moves within the cards that there are, unless a target names other ones. */
export function movesWithin({ cards }: Stock, { target }: AuditSetting): boolean {
  return target === null || [...cards.keys()].every((model) => model === target.key);
}

export function demandsOf(
  assessments: readonly Assessment[],
  stock: Stock,
  moment: Moment | null,
  setting: AuditSetting,
): Demands {
  const within = movesWithin(stock, setting);
  const ownCards = [...stock.cards.keys()].flatMap((model) =>
    model === null ? [] : (modelByKey(model) ?? []),
  );
  const places = within || setting.target === null ? ownCards : [setting.target];
  const demands = { own: [] as Demand[], target: [] as Demand[], unknown: [] as Demand[] };
  for (const from of assessments) {
    const name = displayName(from);
    const { judged } = from;
    const ask = askOf(name, judged, setting);
    if (ask.kind === 'nothing') continue;
    const isOnUnknown = judged.current.model === null && !stock.assumed;
    const moves =
      ask.kind === 'moves' &&
      !(within && isOnUnknown) &&
      places.some((card) => servingOptions(ask.need, card, setting.sizing).length > 0);
    const need = moves ? ask.need : keptNeed(name, judged, setting);
    const seats = Array.from({ length: need.count }, () => [name]);
    const demand = { need, from, seats, isTurns: false };
    if (moves) demands[within ? 'own' : 'target'].push(demand);
    else demands[isOnUnknown ? 'unknown' : 'own'].push(demand);
  }
  return { ...demands, own: withTurns(demands.own, stock, moment) };
}

export function displayName({ judged }: Assessment): string {
  return nameOf(judged);
}

/**
 * Time-sliced pods that are seen on whole cards hold fewer cards than there are pods: those that they were seen on.
 * Where that is not known, together no more than the others leave of the cards of their model.
 */
function withTurns(
  demands: readonly Demand[],
  { cards, assumed }: Stock,
  moment: Moment | null,
): readonly Demand[] {
  const isTurning = ({ from, need }: Demand): boolean => from.isTimeSliced && need.p2p && !assumed;
  const models = [...new Set(demands.filter(isTurning).map(({ from }) => from.judged.current.model))];
  const merged = models.flatMap((model): readonly Demand[] => {
    const here = demands.filter((one) => isTurning(one) && one.from.judged.current.model === model);
    const [first] = here;
    if (first === undefined) return [];
    const seen =
      moment === null
        ? []
        : wholeCardsOf(
            moment,
            model,
            here.map(({ from }) => from),
          );
    const seats = seen.length > 0 ? seen : seatsLeft(here, demands, model, cards.get(model) ?? 0);
    const share = first.need.compute === undefined ? {} : { compute: { ...first.need.compute, share: 1 } };
    const need = { ...first.need, ...share, gpus: 1, count: seats.length };
    return [{ need, from: first.from, seats, isTurns: true }];
  });
  return [...demands.filter((one) => !isTurning(one)), ...merged];
}

function seatsLeft(
  here: readonly Demand[],
  demands: readonly Demand[],
  model: string | null,
  cards: number,
): readonly Seat[] {
  const pods = here.reduce((sum, { need }) => sum + need.count * need.gpus, 0);
  const others = demands
    .filter(({ from }) => !from.isTimeSliced && from.judged.current.model === model)
    .filter(({ from }) => from.judged.current.profile === null)
    .reduce((sum, { from: { judged } }) => sum + judged.replicas * judged.devicesEach, 0);
  const seat = here.map(({ from }) => displayName(from));
  return Array.from({ length: Math.min(pods, Math.max(1, cards - others)) }, () => seat);
}
