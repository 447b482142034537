/** The same needs on time-sliced cards: best-fit by compute share, as schedulers for shared GPUs do. No isolation. */
import type { GpuModel } from '#core/catalogue/model';
import { cardShareOf } from '#core/sizing/card-share';
import type { SizingOptions } from '#core/sizing/wants';
import type { Need } from './documents.js';

/** Cards of one model that are shared by taking turns, and the replicas on them. */
export interface SharedCards {
  readonly model: string;
  readonly cards: number;
  readonly replicas: number;
}

export interface SharedPacking {
  readonly shared: readonly SharedCards[];
  /** Replicas that fit on no model, or for which no card was left. */
  readonly unplaced: number;
}

/** A model to share, with the cards at hand; `null`: as many as wanted. Models are filled in the order given. */
export interface SharedSupply {
  readonly model: GpuModel;
  readonly cards: number | null;
}

/**
 * Best-fit decreasing: the largest share first, onto the card with the least room that still holds it, by compute share
 * and memory. A replica without a compute wish counts by its memory, one without either takes a card.
 */
export function packShared(
  needs: readonly Need[],
  supply: readonly SharedSupply[],
  sizing: SizingOptions,
): SharedPacking {
  let waiting = needs.map((need) => ({ need, count: need.count }));
  const shared = supply.map(({ model, cards }) => {
    const filled = fillModel(waiting, model, cards ?? Infinity, sizing);
    waiting = filled.left;
    return { model: model.key, cards: filled.cards, replicas: filled.replicas };
  });
  return { shared, unplaced: waiting.reduce((sum, { count }) => sum + count, 0) };
}

interface Waiting {
  readonly need: Need;
  readonly count: number;
}

/** Shares are counted in thousandths of a card, memory in thousandths of its memory. */
const whole = 1000;

function fillModel(
  waiting: readonly Waiting[],
  model: GpuModel,
  maxCards: number,
  sizing: SizingOptions,
): { cards: number; replicas: number; left: Waiting[] } {
  const left: Waiting[] = [];
  const items: (Waiting & { compute: number; memory: number })[] = [];
  for (const one of waiting) {
    const share = cardShareOf(one.need, model, sizing);
    if (share === null) left.push(one);
    else
      items.push({
        ...one,
        compute: Math.ceil(share.compute * whole - 1e-6),
        memory: Math.ceil(share.memory * whole - 1e-6),
      });
  }
  items.sort((a, b) => Math.max(b.compute, b.memory) - Math.max(a.compute, a.memory));
  const open = new OpenCards();
  let replicas = 0;
  for (const { need, count, compute, memory } of items) {
    let seated = 0;
    while (
      seated < count &&
      (open.seat(compute, memory) || (open.count < maxCards && open.add(compute, memory)))
    )
      seated += 1;
    replicas += seated;
    if (seated < count) left.push({ need, count: count - seated });
  }
  return { cards: open.count, replicas, left };
}

/** Cards by what is left of their compute, fullest first. Cards with the same rooms are one entry with a number. */
class OpenCards {
  count = 0;
  readonly #byCompute: Map<number, number>[] = Array.from(
    { length: whole + 1 },
    () => new Map<number, number>(),
  );

  /** Puts a replica on the fullest card that holds it. */
  seat(compute: number, memory: number): boolean {
    for (let room = compute; room <= whole; room += 1) {
      const byMemory = this.#byCompute[room] ?? new Map<number, number>();
      const fits = [...byMemory.keys()].filter((memoryRoom) => memoryRoom >= memory);
      if (fits.length === 0) continue;
      const tightest = Math.min(...fits);
      const number = byMemory.get(tightest) ?? 0;
      if (number > 1) byMemory.set(tightest, number - 1);
      else byMemory.delete(tightest);
      this.#put(room - compute, tightest - memory);
      return true;
    }
    return false;
  }

  /** Opens a card for a replica. */
  add(compute: number, memory: number): boolean {
    this.count += 1;
    this.#put(whole - compute, whole - memory);
    return true;
  }

  #put(computeRoom: number, memoryRoom: number): void {
    const byMemory = this.#byCompute[computeRoom];
    byMemory?.set(memoryRoom, (byMemory.get(memoryRoom) ?? 0) + 1);
  }
}
