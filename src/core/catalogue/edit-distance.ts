/** "Did you mean": which known names are a slip of the finger away. */

/**
 * The nearest names, best first. A third of the letters may be wrong, one at least and three at most: beyond that a
 * suggestion is a guess.
 */
export function closest(query: string, names: Iterable<string>, most = 3): readonly string[] {
  const limit = Math.max(1, Math.min(3, Math.floor(query.length / 3)));
  return [...new Set(names)]
    .filter((name) => Math.abs(name.length - query.length) <= limit)
    .map((name) => ({ name, distance: editDistance(query, name) }))
    .filter(({ distance }) => distance <= limit)
    .sort((a, b) => a.distance - b.distance || (a.name < b.name ? -1 : 1))
    .slice(0, most)
    .map(({ name }) => name);
}

/** Letters to insert, remove or replace, a swap of two neighbours counting as one: `editDistance('2bg', '2gb')` is 1. */
export function editDistance(a: string, b: string): number {
  let twoAbove: number[] = [];
  let above = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const line = [row];
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1];
      const replaced = at(above, column - 1) + (same ? 0 : 1);
      let best = Math.min(replaced, at(above, column) + 1, at(line, column - 1) + 1);
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      if (swapped) best = Math.min(best, at(twoAbove, column - 2) + 1);
      line.push(best);
    }
    twoAbove = above;
    above = line;
  }
  return at(above, b.length);
}

function at(line: readonly number[], column: number): number {
  return line[column] ?? Infinity;
}
