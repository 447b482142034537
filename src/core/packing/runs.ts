/** Long sequences of few different things, written as (how often, what): a fleet of 10^6 slices is a dozen runs. */

export interface Run<T> {
  readonly count: number;
  readonly item: T;
}

/** A run unless it is empty, so that callers need not ask. */
export function run<T>(count: number, item: T): readonly Run<T>[] {
  return count > 0 ? [{ count, item }] : [];
}

/** The first `length` things, and the rest. */
export function splitRuns<T>(
  runs: readonly Run<T>[],
  length: number,
): [readonly Run<T>[], readonly Run<T>[]] {
  const head: Run<T>[] = [];
  const tail: Run<T>[] = [];
  let left = length;
  for (const { count, item } of runs) {
    const here = Math.min(count, left);
    head.push(...run(here, item));
    tail.push(...run(count - here, item));
    left -= here;
  }
  return [head, tail];
}

/** Combines two sequences of the same length, thing by thing. */
export function zipRuns<A, B, C>(
  as: readonly Run<A>[],
  bs: readonly Run<B>[],
  combine: (a: A, b: B) => C,
): readonly Run<C>[] {
  const zipped: Run<C>[] = [];
  let restB = bs;
  for (const { count, item } of as) {
    const [here, later] = splitRuns(restB, count);
    restB = later;
    zipped.push(...here.map((other) => ({ count: other.count, item: combine(item, other.item) })));
  }
  return zipped;
}

/** Combines neighbours, the first with the second, the third with the fourth; the sequence has an even length. */
export function pairUp<A, C>(
  runs: readonly Run<A>[],
  combine: (first: A, second: A) => C,
): readonly Run<C>[] {
  const pairs: Run<C>[] = [];
  let waiting: { readonly item: A } | undefined;
  for (const { count, item } of runs) {
    let left = count;
    if (waiting !== undefined) {
      pairs.push({ count: 1, item: combine(waiting.item, item) });
      waiting = undefined;
      left -= 1;
    }
    pairs.push(...run(Math.floor(left / 2), combine(item, item)));
    if (left % 2 === 1) waiting = { item };
  }
  return pairs;
}
