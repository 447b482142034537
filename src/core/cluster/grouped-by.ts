/** Things by a name that some of them share, each group in the order of the things. */

/** `null`: in no group. */
export function groupedBy<T>(all: readonly T[], keyOf: (one: T) => string | null): ReadonlyMap<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const one of all) {
    const key = keyOf(one);
    if (key === null) continue;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [one]);
    else group.push(one);
  }
  return groups;
}
