/**
 * Slices of which only the number is known, not the place: a box each while there is room, one bar for many.
 *
 *     1g.24gb  [ chat-0 ][ chat-1 ][  free  ]   2/3 used
 */

export interface DrawnSlices {
  readonly label: string;
  /** One for each slice in use. */
  readonly users: readonly string[];
  readonly free: number;
  /** Known to the kubelet and given to nobody. */
  readonly gone: number;
  readonly remark: string;
}

const widestBox = 24;
const narrowestBox = 3;
/** A box that holds a word, and one that holds enough of a name to know it by. */
const narrowestWord = 6;
const narrowestName = 9;
const widestBar = 48;
const narrowestBar = 10;

/** Rows under one another, each no wider than `columns` where that is possible. */
export function drawSlices(all: readonly DrawnSlices[], columns: number): readonly string[] {
  const longest = (texts: readonly string[]): number => Math.max(0, ...texts.map((text) => text.length));
  const labelColumns = longest(all.map(({ label }) => label));
  const useColumns = longest(all.map(useOf));
  const room = Math.max(columns - labelColumns - useColumns - 5, narrowestBar);
  const pictures = all.map((slices) => pictureOf(slices, room));
  const widest = longest(pictures);
  return all.flatMap((slices, index) => {
    const picture = (pictures[index] ?? '').padEnd(widest);
    const row = `${slices.label.padEnd(labelColumns)}  ${picture}   ${useOf(slices).padStart(useColumns)}`;
    const isNamed = boxColumns(slices, room) >= narrowestName;
    if (isNamed || slices.users.length === 0) return [row];
    return [row, `${' '.repeat(labelColumns)}  ${namesOf(slices.users, columns - labelColumns - 2)}`];
  });
}

/** Where the boxes are too small for names: each user once, as many as there is room for. */
function namesOf(users: readonly string[], columns: number): string {
  const names = [...new Set(users)];
  let text = '';
  for (const [index, name] of names.entries()) {
    const next = text === '' ? name : `${text}, ${name}`;
    const left = names.length - index - 1;
    const end = left === 0 ? '' : ` and ${left} more`;
    if (index > 0 && next.length + end.length > columns) return `${text} and ${left + 1} more`;
    text = next;
  }
  return text;
}

function boxColumns({ users, free, gone }: DrawnSlices, room: number): number {
  return Math.min(Math.floor(room / (users.length + free + gone)), widestBox);
}

function useOf({ users, free, remark }: DrawnSlices): string {
  return `${users.length}/${users.length + free} used${remark === '' ? '' : `, ${remark}`}`;
}

function pictureOf(slices: DrawnSlices, room: number): string {
  const { users, free, gone } = slices;
  if (users.length + free + gone === 0) return '';
  const width = boxColumns(slices, room);
  if (width < narrowestBox) return bar({ users: users.length, free, gone }, Math.min(room, widestBar));
  return [
    ...users.map((user) => box('[', width < narrowestName ? '#'.repeat(width - 2) : user, ']', width)),
    ...Array.from({ length: free }, () => box('[', width < narrowestWord ? '' : 'free', ']', width)),
    ...Array.from({ length: gone }, () => box('(', width < narrowestWord ? 'x' : 'gone', ')', width)),
  ].join('');
}

/** Nothing in use looks like free, and nothing free like full, however many there are. */
function bar(
  { users, free, gone }: { readonly users: number; readonly free: number; readonly gone: number },
  width: number,
): string {
  const inner = width - 2;
  const least = (of: number): number => (of === 0 ? 0 : 1);
  const part = (of: number, most: number): number =>
    of === 0 ? 0 : Math.min(Math.max(1, Math.round((of / (users + free + gone)) * inner)), most);
  const full = part(users, inner - least(free) - least(gone));
  const open = gone === 0 && free > 0 ? inner - full : part(free, inner - full - least(gone));
  const rest = inner - full - open;
  return `[${'#'.repeat(full)}${'.'.repeat(open)}${'x'.repeat(rest)}]`;
}

function box(left: string, text: string, right: string, width: number): string {
  const inner = width - 2;
  const label = text.length <= inner ? text : `${text.slice(0, inner - 1)}…`;
  const before = Math.floor((inner - label.length) / 2);
  return `${left}${' '.repeat(before)}${label}${' '.repeat(inner - label.length - before)}${right}`;
}
