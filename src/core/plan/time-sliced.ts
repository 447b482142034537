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
  const open = new OpenCards(maxCards);
  let replicas = 0;
  for (const { need, count, compute, memory } of items) {
    const seated = open.seat(compute, memory, count);
    replicas += seated;
    if (seated < count) left.push({ need, count: count - seated });
  }
  return { cards: open.count, replicas, left };
}

/**
 * Cards by what is left of their compute and memory; cards with the same rooms are one entry with a number. The
 * fullest card that holds a replica is the fullest for the next one too, so each card takes as many as it holds at once.
 */
class OpenCards {
  count = 0;
  readonly #maxCards: number;
  readonly #byCompute: Map<number, number>[] = Array.from(
    { length: whole + 1 },
    () => new Map<number, number>(),
  );

  constructor(maxCards: number) {
    this.#maxCards = maxCards;
  }

  /** Seats equal replicas on the fullest cards that hold them, then on new ones; says how many found a place. */
  seat(compute: number, memory: number, count: number): number {
    let left = count;
    for (let room = compute; room <= whole && left > 0; room += 1) {
      const rooms = [...(this.#byCompute[room] ?? [])].filter(([memoryRoom]) => memoryRoom >= memory);
      for (const [memoryRoom, cards] of rooms.sort(([a], [b]) => a - b)) {
        const used = this.#fill(room, memoryRoom, compute, memory, { cards, replicas: left });
        this.#put(room, memoryRoom, -used.cards);
        left -= used.replicas;
      }
    }
    const fresh = this.#fill(whole, whole, compute, memory, {
      cards: this.#maxCards - this.count,
      replicas: left,
    });
    this.count += fresh.cards;
    return count - left + fresh.replicas;
  }

  /** Puts as many replicas as fit on each of some equal cards, the last of them taking the rest. */
  #fill(
    computeRoom: number,
    memoryRoom: number,
    compute: number,
    memory: number,
    { cards, replicas }: { cards: number; replicas: number },
  ): { cards: number; replicas: number } {
    const perCard = Math.min(replicas, timesIn(computeRoom, compute), timesIn(memoryRoom, memory));
    if (perCard === 0 || cards === 0) return { cards: 0, replicas: 0 };
    const full = Math.min(cards, Math.floor(replicas / perCard));
    const rest = full < cards ? replicas - full * perCard : 0;
    this.#put(computeRoom - perCard * compute, memoryRoom - perCard * memory, full);
    if (rest > 0) this.#put(computeRoom - rest * compute, memoryRoom - rest * memory, 1);
    return { cards: full + Math.sign(rest), replicas: full * perCard + rest };
  }

  #put(computeRoom: number, memoryRoom: number, cards: number): void {
    const byMemory = this.#byCompute[computeRoom];
    const number = (byMemory?.get(memoryRoom) ?? 0) + cards;
    if (number === 0) byMemory?.delete(memoryRoom);
    else byMemory?.set(memoryRoom, number);
  }
}

function timesIn(room: number, share: number): number {
  return share === 0 ? Infinity : Math.floor(room / share);
}
