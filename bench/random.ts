/** Seeded chance, so that every table can be repeated. */

export interface Random {
  /** Uniform in [0, 1). */
  readonly uniform: () => number;
  /** Exponential with mean 1. */
  readonly exponential: () => number;
  /** An index, drawn with the given probabilities. */
  readonly pick: (shares: readonly number[]) => number;
  /** A whole number from 0 to `limit` - 1. */
  readonly below: (limit: number) => number;
}

/** The sfc32 generator (Chris Doty-Humphrey, PractRand; public domain): equal seeds give equal numbers. */
export function randomFrom(seed: number): Random {
  let [a, b, c, counter] = [0, seed | 0, 0x9e3779b9 | 0, 1];
  const next = (): number => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    c |= 0;
    return (sum >>> 0) / 4294967296;
  };
  for (let round = 0; round < 15; round += 1) next();
  return {
    uniform: next,
    exponential: () => -Math.log(1 - next()),
    below: (limit) => Math.floor(next() * limit),
    pick: (shares) => {
      let left = next();
      for (const [index, share] of shares.entries()) {
        left -= share;
        if (left < 0) return index;
      }
      // Rounding may leave a rest; it belongs to the last one that can occur.
      return shares.findLastIndex((share) => share > 0);
    },
  };
}

/** Seeds from `first` to `last`. */
export function seeds(first: number, last: number): readonly number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}
