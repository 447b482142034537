/** How many slices of each profile are wanted from one kind of card. */

/** Slices per profile name; whole numbers, none negative. */
export type Demand = Readonly<Record<string, number>>;

export function totalCount(demand: Demand): number {
  return Object.values(demand).reduce((sum, count) => sum + count, 0);
}

/** What is left of a demand, without the profiles that are fully served. */
export function minus(demand: Demand, served: Demand): Demand {
  return Object.fromEntries(
    Object.entries(demand)
      .map(([profile, count]) => [profile, count - (served[profile] ?? 0)] as const)
      .filter(([, count]) => count > 0),
  );
}
