/** Streams of workloads for the online benchmarks, drawn once per seed and replayed for every contestant. */
import type { Random } from './random.js';

/** Jobs are numbered in order of arrival. */
export interface Stream {
  /** Profile index of each job. */
  readonly profileOf: Uint8Array;
  /** In order of time: `job` arrives, `~job` (negative) leaves. */
  readonly events: Int32Array;
}

/** Poisson arrivals with exponential lifetimes. `load`: units asked for at a time, as a share of all units. */
export function steadyStream(
  { exponential, pick }: Random,
  shares: readonly number[],
  sizes: readonly number[],
  { jobs, units, load }: { readonly jobs: number; readonly units: number; readonly load: number },
): Stream {
  const meanUnits = shares.reduce((sum, share, index) => sum + share * sizes[index]!, 0);
  const arrivalsPerLifetime = (load * units) / meanUnits;
  const profileOf = new Uint8Array(jobs);
  const times = new Float64Array(2 * jobs);
  let now = 0;
  for (let job = 0; job < jobs; job += 1) {
    now += exponential() / arrivalsPerLifetime;
    profileOf[job] = pick(shares);
    times[job] = now;
    times[jobs + job] = now + exponential();
  }
  const order = Uint32Array.from(times.keys()).sort((a, b) => times[a]! - times[b]!);
  return { profileOf, events: Int32Array.from(order, (index) => (index < jobs ? index : ~(index - jobs))) };
}

/** Arrivals without departures until the units asked for are 1.3 times those there are. */
export function fillStream(
  { pick }: Random,
  shares: readonly number[],
  sizes: readonly number[],
  units: number,
): Stream {
  const profiles: number[] = [];
  for (let asked = 0; asked < 1.3 * units; asked += sizes[profiles.at(-1)!]!) profiles.push(pick(shares));
  return { profileOf: Uint8Array.from(profiles), events: Int32Array.from(profiles.keys()) };
}
