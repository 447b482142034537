/**
 * GPUs as people see them: one line each, slices as boxes whose width is their part of the card.
 *
 *     gpu-0  RTX PRO 6000  [ 1g.24gb acme ][ 1g.24gb free ][      2g.48gb llama-70b       ]   3/4 used
 */
import type { MigModel } from '#core/catalogue/model';
import { covers, unitRuns, wholeGrid, type Mask } from '#core/geometry/mask';
import type { Placement } from '#core/geometry/placement';
import { slotOf, spaceFor, type Card } from '#core/geometry/space';
import { canAdd, stateFrom } from '#core/geometry/states';

export interface DrawnSlice {
  readonly placement: Placement;
  /** Who is in it; `null`: nobody, the slice is free. Left out: who uses it is not the question. */
  readonly user?: string | null;
}

/** A model of the catalogue, or a card as its driver describes it. */
export type DrawnCard = Card & Pick<MigModel, 'computeSlices'>;

export interface DrawnGpu {
  /** The first column, e.g. `gpu-0` or `12 x`. */
  readonly label: string;
  readonly title: string;
  readonly card:
    | { readonly kind: 'sliced'; readonly model: DrawnCard; readonly slices: readonly DrawnSlice[] }
    /** MIG off. */
    | { readonly kind: 'whole'; readonly user: string };
}

/** As wide as the terminal allows, all cards alike. Units that no profile can use any more are dots. */
export function drawGpus(gpus: readonly DrawnGpu[], columns: number): string {
  const { headColumns, cardColumns, useColumns } = measure(gpus, columns);
  const cards = gpus.map((gpu) => drawCard(gpu, cardColumns));
  const widest = Math.max(0, ...cards.map((card) => card.length));
  return gpus
    .map((gpu, index) => {
      const card = (cards[index] ?? '').padEnd(widest);
      return `${headOf(gpu, headColumns)}${card}   ${useOf(gpu).padStart(useColumns)}`;
    })
    .join('\n');
}

/** One cut card with the numbers of its placement units underneath, as `PROFILE:START` counts them. */
export function drawGpuWithUnits(gpu: DrawnGpu, model: DrawnCard, columns: number): string {
  const { headColumns, cardColumns } = measure([gpu], columns);
  const width = unitColumns(model, cardColumns);
  const numbers = Array.from({ length: model.gridUnits }, (_, unit) => String(unit).padEnd(width));
  const indent = ' '.repeat(headOf(gpu, headColumns).length);
  return `${drawGpus([gpu], columns)}\n${indent}${numbers.join('').trimEnd()}`;
}

function measure(
  gpus: readonly DrawnGpu[],
  columns: number,
): { headColumns: readonly [number, number]; cardColumns: number; useColumns: number } {
  const longest = (texts: readonly string[]): number => Math.max(0, ...texts.map((text) => text.length));
  const headColumns = [
    longest(gpus.map(({ label }) => label)),
    longest(gpus.map(({ title }) => title)),
  ] as const;
  const useColumns = longest(gpus.map(useOf));
  const headLength = Math.max(0, ...gpus.map((gpu) => headOf(gpu, headColumns).length));
  const room = columns - headLength - 3 - useColumns;
  return {
    headColumns,
    useColumns,
    cardColumns: Math.min(Math.max(room, leastCardColumns), mostCardColumns),
  };
}

function headOf({ label, title }: DrawnGpu, [labelColumns, titleColumns]: readonly [number, number]): string {
  return [label.padEnd(labelColumns), title.padEnd(titleColumns)]
    .filter((text) => text !== '')
    .map((text) => `${text}  `)
    .join('');
}

const leastCardColumns = 24;
const mostCardColumns = 72;

function useOf({ card }: DrawnGpu): string {
  if (card.kind === 'whole') return 'whole';
  const used = card.slices
    .filter(({ user }) => user !== null)
    .reduce((sum, { placement }) => sum + computeSlicesOf(card.model, placement), 0);
  return `${used}/${card.model.computeSlices} used`;
}

function computeSlicesOf(model: DrawnCard, placement: Placement): number {
  return model.profiles.find((profile) => profile.name === placement.profile)?.computeSlices ?? 0;
}

function unitColumns({ gridUnits }: DrawnCard, cardColumns: number): number {
  return Math.max(2, Math.floor(cardColumns / gridUnits));
}

function drawCard({ card }: DrawnGpu, cardColumns: number): string {
  if (card.kind === 'whole')
    return box('[', [`whole card ${card.user}`, 'whole card', 'all'], ']', cardColumns);
  const { model, slices } = card;
  const width = unitColumns(model, cardColumns);
  const pieces = slices.map(({ placement, user }) => {
    const sliceColumns = placement.size * width;
    return {
      start: placement.start,
      text: box('[', labelsOf(placement.profile, user, sliceColumns), ']', sliceColumns),
    };
  });
  const { open, stranded } = gapsOf(model, slices);
  for (const [first, last] of unitRuns(open)) {
    pieces.push({ start: first, text: box('(', ['not cut', '-'], ')', (last - first + 1) * width) });
  }
  for (const [first, last] of unitRuns(stranded)) {
    pieces.push({ start: first, text: '·'.repeat((last - first + 1) * width) });
  }
  return pieces
    .sort((a, b) => a.start - b.start)
    .map(({ text }) => text)
    .join('');
}

/** Units without a slice: where a profile could still go, and where none can. */
export function gapsOf(
  model: DrawnCard,
  slices: readonly Pick<DrawnSlice, 'placement'>[],
): { open: Mask; stranded: Mask } {
  const space = spaceFor(
    model,
    slices.map(({ placement }) => placement.profile),
  );
  const state = stateFrom(
    space,
    slices.flatMap(({ placement }) => slotOf(space, placement) ?? []),
  );
  const taken = slices.reduce<Mask>(
    (mask, { placement }) => mask | covers(placement.start, placement.size),
    0,
  );
  const open = space.slots
    .filter((slot) => canAdd(space, state, slot))
    .reduce((mask, slot) => mask | slot.mask, 0);
  return { open, stranded: wholeGrid(model.gridUnits) & ~taken & ~open };
}

/** From the fullest to the shortest: `1g.24gb+me acme`, `1g+me acme`, `1g+me ac…`, `1g.24gb+me`, `1g+me`, `1g`. */
function labelsOf(profile: string, user: string | null | undefined, columns: number): readonly string[] {
  const name = user === null ? 'free' : user;
  const short = profile.replace(/\.\d+gb/, '');
  const letters = columns - `[${short} …]`.length;
  const named = name === undefined ? [] : [`${profile} ${name}`, `${short} ${name}`];
  const cut = name === undefined || letters < 3 ? [] : [`${short} ${name.slice(0, letters)}…`];
  return [...named, ...cut, profile, short, short.replace(/[+-].*/, '')];
}

/** The first label that fits between the ends, in the middle; the ends alone where none does. */
function box(left: string, labels: readonly string[], right: string, columns: number): string {
  const inner = columns - 2;
  const label = labels.find((text) => text.length <= inner) ?? '';
  const before = Math.floor((inner - label.length) / 2);
  return `${left}${' '.repeat(before)}${label}${' '.repeat(inner - label.length - before)}${right}`;
}
