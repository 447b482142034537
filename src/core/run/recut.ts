/**
 * Where no free slice serves a wish: which one GPU is cut anew for it, and how. What is busy stays where it is; of what
 * is idle as little as possible goes, and nothing is made that was not asked for.
 */
import type { Profile } from '../catalogue/model.js';
import { checkLayout, type CheckedCard } from '../geometry/check.js';
import { asArgument, inGridOrder, type Layout, type Placement } from '../geometry/placement.js';
import { fits, wishInWords } from './choose-slices.js';
import type { LeasableSlice, LeaseWish, SliceWish } from './slice.js';

export interface RecutCard {
  readonly gpuUuid: string;
  readonly gpuIndex: number;
  readonly card: CheckedCard;
  /** `false`: MIG is off, and cutting it takes the whole GPU away. */
  readonly mig: boolean;
  readonly standing: readonly RecutSlice[];
  /** Why it cannot be cut anew at all; `forGood`: waiting does not help. */
  readonly shut: { readonly why: string; readonly forGood: boolean } | null;
}

export interface RecutSlice {
  readonly placement: Placement;
  /**
   * `idle`: nobody has it, nobody is in it, nobody else waits for it, and it may be destroyed. `foreign`: it may not,
   * whoever has it.
   */
  readonly state: 'idle' | 'busy' | 'foreign';
}

export interface Recut {
  readonly gpuUuid: string;
  readonly gpuIndex: number;
  /** All of the GPU afterwards. */
  readonly placements: Layout;
  readonly destroyed: Layout;
  readonly created: Layout;
  /** MIG is switched on for it. */
  readonly switches: boolean;
}

export type RecutAnswer =
  | { readonly ok: true; readonly recut: Recut }
  /** `later`: it would do once busy slices are free. */
  | { readonly ok: false; readonly later: boolean; readonly why: string };

/** `free`: the slices, of all GPUs, that the wish could be given as they are. */
export function recutFor(
  cards: readonly RecutCard[],
  wish: Pick<LeaseWish, 'slice' | 'count'>,
  free: readonly LeasableSlice[],
): RecutAnswer {
  const serving = free.filter((slice) => fits(slice, wish.slice));
  if (serving.length >= wish.count) {
    return { ok: false, later: true, why: 'enough slices that would do are free already' };
  }
  const open = cards.filter(({ shut }) => shut === null);
  const best = cheapest(open.flatMap((card) => recutOf(card, wish, serving) ?? []));
  if (best !== null) return { ok: true, recut: best };
  return { ok: false, ...whyNot(cards, wish, serving) };
}

/** The best for one GPU; `null`: there is none. */
function recutOf(
  { gpuUuid, gpuIndex, card, mig, standing }: RecutCard,
  { slice, count }: Pick<LeaseWish, 'slice' | 'count'>,
  serving: readonly LeasableSlice[],
): Recut | null {
  const doing = profilesFor(card, slice);
  const elsewhere = serving.filter((one) => one.gpuUuid !== gpuUuid).length;
  const here = serving.filter((one) => one.gpuUuid === gpuUuid && one.profile !== null);
  const isServing = ({ profile, start }: Placement): boolean =>
    here.some((one) => one.profile === profile && one.start === start);
  for (const going of choicesOf(
    standing.filter(({ state }) => state === 'idle').map(({ placement }) => placement),
  )) {
    const staying = standing.map(({ placement }) => placement).filter((one) => !going.includes(one));
    const missing = count - elsewhere - staying.filter(isServing).length;
    const created = missing <= 0 ? null : placesFor(card, doing, missing, staying);
    if (created === null) continue;
    return {
      ...{ gpuUuid, gpuIndex, destroyed: inGridOrder(going), created, switches: !mig },
      placements: inGridOrder([...staying, ...created]),
    };
  }
  return null;
}

/** Every set of slices, those of fewest slices first, then of fewest units: the first that makes room is the best. */
function choicesOf(idle: readonly Placement[]): readonly (readonly Placement[])[] {
  const choices: (readonly Placement[])[] = [[]];
  for (const one of idle) {
    for (const choice of choices.slice()) choices.push([...choice, one]);
  }
  return choices.sort((a, b) => a.length - b.length || unitsOf(a) - unitsOf(b));
}

/** New slices beside what stays, small ones first; `null`: there is no room for so many. */
function placesFor(
  card: CheckedCard,
  profiles: readonly Profile[],
  count: number,
  staying: readonly Placement[],
): Layout | null {
  const room = card.gridUnits - unitsOf(staying);
  for (const asked of bunchesOf(profiles, count, room)) {
    const answer = checkLayout(
      card,
      asked.map(({ name }) => ({ profile: name })),
      staying,
    );
    if (answer.ok) return answer.placements;
  }
  return null;
}

/** Every choice of so many profiles that fit into the room by their sizes, the smallest together first. */
function bunchesOf(
  profiles: readonly Profile[],
  count: number,
  roomUnits: number,
): readonly (readonly Profile[])[] {
  let bunches: readonly (readonly Profile[])[] = [[]];
  for (let size = 0; size < count; size += 1) {
    bunches = bunches.flatMap((bunch) =>
      profiles.slice(Math.max(0, profiles.indexOf(bunch.at(-1)!))).flatMap((profile) => {
        const longer = [...bunch, profile];
        return sizeUnitsOf(longer) <= roomUnits ? [longer] : [];
      }),
    );
    if (bunches.length === 0) return bunches;
  }
  return [...bunches].sort((a, b) => sizeUnitsOf(a) - sizeUnitsOf(b));
}

/** What may be made for a wish: plain profiles, unless one is named. Smallest first. */
function profilesFor({ profiles }: CheckedCard, wish: SliceWish): readonly Profile[] {
  const doing = profiles.filter(({ name, attribute, memoryMiB }) => {
    if (wish.kind === 'profile') return name === wish.profile;
    return attribute === null && (wish.kind === 'any' || (memoryMiB !== null && memoryMiB >= wish.memoryMiB));
  });
  return [...doing].sort(
    (a, b) => a.sizeUnits - b.sizeUnits || a.computeSlices - b.computeSlices || a.id - b.id,
  );
}

/** A whole GPU is broken up last: it is the one thing that a slice cannot stand for. */
function cheapest(recuts: readonly Recut[]): Recut | null {
  const rankOf = ({ switches, destroyed, created, gpuIndex }: Recut): readonly number[] => [
    switches ? 1 : 0,
    destroyed.length,
    unitsOf(destroyed),
    unitsOf(created),
    gpuIndex,
  ];
  const [best = null] = [...recuts].sort((a, b) => {
    const other = rankOf(b);
    return (
      rankOf(a)
        .map((value, place) => value - (other[place] ?? 0))
        .find((difference) => difference !== 0) ?? 0
    );
  });
  return best;
}

function whyNot(
  cards: readonly RecutCard[],
  wish: Pick<LeaseWish, 'slice' | 'count'>,
  serving: readonly LeasableSlice[],
): { readonly later: boolean; readonly why: string } {
  const able = cards.filter(({ card }) => profilesFor(card, wish.slice).length > 0);
  if (able.length === 0) return { later: false, why: `no GPU here can be cut into ${wishInWords(wish)}` };
  const inTime = able.filter(
    (card) => card.shut?.forGood !== true && recutOf(asIfIdle(card), wish, serving) !== null,
  );
  const foreign = able.flatMap(({ gpuIndex, standing }) =>
    standing.flatMap(({ placement, state }) =>
      state === 'foreign' ? [`${gpuIndex}/${asArgument(placement)}`] : [],
    ),
  );
  const shut = [
    ...(foreign.length === 0 ? [] : [`${foreign.join(', ')} stays: Mica did not make it`]),
    ...able.flatMap(({ shut: one }) => (one === null ? [] : [one.why])),
  ];
  if (inTime.length === 0) {
    const why = `no one GPU here can be cut into ${wishInWords(wish)}`;
    return { later: false, why: [why, ...shut].join('; ') };
  }
  const names = inTime.map(({ gpuIndex }) => gpuIndex).join(', ');
  const why = `GPU ${names} can be cut for ${wishInWords(wish)} once what is busy there is free`;
  return { later: true, why: [why, ...shut].join('; ') };
}

function asIfIdle(card: RecutCard): RecutCard {
  const standing = card.standing.map(({ placement, state }): RecutSlice => ({
    placement,
    state: state === 'foreign' ? state : 'idle',
  }));
  return { ...card, standing };
}

function unitsOf(placements: readonly Placement[]): number {
  return placements.reduce((sum, { size }) => sum + size, 0);
}

function sizeUnitsOf(profiles: readonly Profile[]): number {
  return profiles.reduce((sum, { sizeUnits }) => sum + sizeUnits, 0);
}
