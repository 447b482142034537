/** The cards of an audit, ready to be drawn: slices at their places, equal cards together. */
import type { DrawnGpu } from '#core/audit/answer';
import { modelByKey } from '#core/catalogue/catalogue';
import type { Profile } from '#core/catalogue/model';
import { covers, type Mask } from '#core/geometry/mask';

export interface CardSlice {
  readonly profile: string;
  readonly start: number;
  readonly sizeUnits: number;
  /** Empty: free. */
  readonly workloads: readonly string[];
}

export interface Card {
  readonly count: number;
  readonly model: string | null;
  readonly cut:
    | { readonly kind: 'whole'; readonly workloads: readonly string[] }
    | { readonly kind: 'sliced'; readonly gridUnits: number; readonly slices: readonly CardSlice[] };
}

/** Slices of which only the profile is known stand where they would fit. */
export function cardOf({ count, model, slices, gridUnits }: DrawnGpu): Card {
  const known = model === null ? undefined : modelByKey(model);
  const cut = slices.flatMap(({ profile, ...slice }) => (profile === null ? [] : [{ ...slice, profile }]));
  if (cut.length === 0) {
    const workloads = [...new Set(slices.flatMap((slice) => slice.workloads))];
    return { count, model, cut: { kind: 'whole', workloads } };
  }
  const profiles = known?.kind === 'mig' ? known.profiles : [];
  const sized = cut.map((slice) => {
    const profile = profiles.find(({ name }) => name === slice.profile);
    return { ...slice, sizeUnits: slice.sizeUnits ?? profile?.sizeUnits ?? 1, starts: profile?.starts };
  });
  const units = gridUnits ?? (known?.kind === 'mig' ? known.gridUnits : sumOf(sized));
  return { count, model, cut: placed(sized, units) ?? sideBySide(sized, units) };
}

/** Cards that `keyOf` calls equal become one, the most frequent first. */
export function together(cards: readonly Card[], keyOf: (card: Card) => string): readonly Card[] {
  const groups = new Map<string, [Card, ...Card[]]>();
  for (const card of cards) {
    const key = keyOf(card);
    const there = groups.get(key);
    if (there === undefined) groups.set(key, [card]);
    else there.push(card);
  }
  return [...groups.values()].map(merged).sort((a, b) => b.count - a.count);
}

/** The same card with the same cut, and the same workloads in it. */
export function namedKey({ model, cut }: Card): string {
  return JSON.stringify([model, cut]);
}

/** The same card with the same cut, whoever has it. */
export function layoutKey({ model, cut }: Card): string {
  if (cut.kind === 'whole') return `${model ?? ''} ${cut.workloads.length === 0 ? 'free' : 'whole'}`;
  const slices = cut.slices.map(
    ({ profile, start, workloads }) => `${profile}:${start}${workloads.length === 0 ? ' free' : ''}`,
  );
  return `${model ?? ''} ${slices.join()}`;
}

/** Everybody who has one of them; a reader is told how many they are. */
function merged(cards: readonly [Card, ...Card[]]): Card {
  const [first] = cards;
  const count = cards.reduce((sum, card) => sum + card.count, 0);
  if (first.cut.kind === 'whole') {
    const workloads = cards.flatMap(({ cut }) => (cut.kind === 'whole' ? cut.workloads : []));
    return { ...first, count, cut: { kind: 'whole', workloads: [...new Set(workloads)] } };
  }
  const slices = first.cut.slices.map((slice, index) => {
    const workloads = cards.flatMap(({ cut }) =>
      cut.kind === 'sliced' ? (cut.slices[index]?.workloads ?? []) : [],
    );
    return { ...slice, workloads: [...new Set(workloads)] };
  });
  return { ...first, count, cut: { ...first.cut, slices } };
}

interface SizedSlice {
  readonly profile: string;
  readonly start: number | null;
  readonly sizeUnits: number;
  readonly workloads: readonly string[];
  /** Left out: a profile that nobody knows; it may stand anywhere. */
  readonly starts: Profile['starts'] | undefined;
}

/** The ones whose place is known come first, then the largest: the others go around them. `null`: they do not all fit. */
function placed(slices: readonly SizedSlice[], gridUnits: number): Card['cut'] | null {
  let taken: Mask = 0;
  const done: CardSlice[] = [];
  const inOrder = [...slices].sort(
    (a, b) => Number(a.start === null) - Number(b.start === null) || b.sizeUnits - a.sizeUnits,
  );
  for (const { profile, sizeUnits, workloads, starts, start: wanted } of inOrder) {
    const candidates =
      wanted === null ? (starts ?? Array.from({ length: gridUnits }, (_, at) => at)) : [wanted];
    const start = candidates.find(
      (at) => at + sizeUnits <= gridUnits && (covers(at, sizeUnits) & taken) === 0,
    );
    if (start === undefined) return null;
    taken |= covers(start, sizeUnits);
    done.push({ profile, start, sizeUnits, workloads });
  }
  return { kind: 'sliced', gridUnits, slices: done.sort((a, b) => a.start - b.start) };
}

/** What the figures say does not fit on one card: slices came and went. Each is shown all the same. */
function sideBySide(slices: readonly SizedSlice[], gridUnits: number): Card['cut'] {
  let start = 0;
  const row = slices.map(({ profile, sizeUnits, workloads }) => {
    const slice = { profile, start, sizeUnits, workloads };
    start += sizeUnits;
    return slice;
  });
  return { kind: 'sliced', gridUnits: Math.max(gridUnits, start), slices: row };
}

function sumOf(slices: readonly SizedSlice[]): number {
  return slices.reduce((sum, { sizeUnits }) => sum + sizeUnits, 0);
}
