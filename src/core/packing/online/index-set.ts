/** A set of whole numbers below a limit that finds its smallest member in a few steps, however large the limit. */

/** Level 0 has a bit per member; each higher level a bit per word of the level below, set while that word is not 0. */
export type IndexSet = readonly Int32Array[];

const bitsPerWord = 32;

/** An empty set for members 0 to `limit` - 1. */
export function emptyIndexSet(limit: number): IndexSet {
  const levels: Int32Array[] = [];
  let words = limit;
  do {
    words = Math.max(1, Math.ceil(words / bitsPerWord));
    levels.push(new Int32Array(words));
  } while (words > 1);
  return levels;
}

export function addIndex(set: IndexSet, member: number): void {
  let bit = member;
  for (const words of set) {
    const word = bit >>> 5;
    const before = words[word]!;
    words[word] = before | (1 << (bit & 31));
    if (before !== 0) return;
    bit = word;
  }
}

export function deleteIndex(set: IndexSet, member: number): void {
  let bit = member;
  for (const words of set) {
    const word = bit >>> 5;
    const after = words[word]! & ~(1 << (bit & 31));
    words[word] = after;
    if (after !== 0) return;
    bit = word;
  }
}

/** The smallest member that is at least `from`; undefined: there is none. */
export function firstIndex(set: IndexSet, from = 0): number | undefined {
  let bit = from;
  for (let level = 0; level < set.length; level += 1) {
    const words = set[level]!;
    const word = bit >>> 5;
    if (word >= words.length) return undefined;
    const rest = words[word]! & (-1 << (bit & 31));
    if (rest !== 0) return smallestBelow(set, level, (word << 5) | lowestBit(rest));
    // Nothing left in this word: the level above knows the next one that is not 0.
    bit = word + 1;
  }
  return undefined;
}

/** The smallest member under a bit of some level. */
function smallestBelow(set: IndexSet, level: number, bit: number): number {
  let position = bit;
  for (let below = level - 1; below >= 0; below -= 1) {
    position = (position << 5) | lowestBit(set[below]![position]!);
  }
  return position;
}

function lowestBit(word: number): number {
  return 31 - Math.clz32(word & -word);
}
