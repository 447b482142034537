/** An independent judge of the bound: it knows profiles, starts and sizes, and nothing of how an answer was found. */
export interface Profile {
  readonly name: string;
  readonly sizeUnits: number;
  readonly starts: readonly number[];
  readonly maxCount: number;
}
type Amounts = Readonly<Record<string, number>>;
/** Rules beside overlap and maximum counts, such as engines. */
export type Legal = (counts: Amounts) => boolean;

/** The cards that the weights prove to be needed; NaN where some layout is worth more than `gpuWorth`. */
export function provenCards(
  profiles: readonly Profile[],
  demand: Amounts,
  proof: { readonly weights: Amounts; readonly gpuWorth: number },
  isLegal?: Legal,
): number {
  if (heaviest(profiles, proof.weights, 0n, isLegal) > proof.gpuWorth) return Number.NaN;
  const worths = Object.entries(demand).map(([name, count]) => count * (proof.weights[name] ?? 0));
  return Math.ceil(worths.reduce((sum, worth) => sum + worth, 0) / proof.gpuWorth);
}

/** The most that one card can hold of the weights, beside the units taken: every layout is looked at. */
export function heaviest(
  profiles: readonly Profile[],
  weights: Amounts,
  taken = 0n,
  isLegal: Legal = () => true,
): number {
  const places = profiles.flatMap((profile) =>
    profile.starts.map((start) => ({ profile, units: bits(start, profile.sizeUnits) })),
  );
  const best = (from: number, used: bigint, counts: Amounts): number => {
    let most = 0;
    for (const [index, { profile, units }] of places.entries()) {
      const next = { ...counts, [profile.name]: (counts[profile.name] ?? 0) + 1 };
      const isFull = (next[profile.name] ?? 0) > profile.maxCount || !isLegal(next);
      if (index < from || (used & units) !== 0n || isFull) continue;
      most = Math.max(most, (weights[profile.name] ?? 0) + best(index + 1, used | units, next));
    }
    return most;
  };
  return best(0, taken, {});
}

export function bits(start: number, size: number): bigint {
  return ((1n << BigInt(size)) - 1n) << BigInt(start);
}
