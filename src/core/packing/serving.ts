/** Inference services with a request rate: which slices, and how many, on the fewest cards of one model. */
import type { MigModel } from '#core/catalogue/model';
import { MicaError } from '#core/errors';
import { spaceOf, type Space } from '#core/geometry/space';
import { patternsOf, type State } from '#core/geometry/states';
import {
  dot,
  mustBeOptimal,
  type Column,
  type LinearProgram,
  type Row,
  type Solve,
} from './linear-program.js';
import { pack } from './pack.js';
import type { Packing } from './packing.js';

/** A service, and what one slice of each profile can carry of it; profiles that miss its latency are left out. */
export interface Service {
  readonly name: string;
  readonly requestsPerSecond: number;
  /** Requests per second of one slice, by profile name. */
  readonly throughput: Readonly<Record<string, number>>;
}

/**
 * Why fewer cards cannot do: a price per slice. No layout is worth more than `gpuWorth` (1), and whatever slices a
 * service takes, they are worth at least `least`. So at least the sum of `least` cards are needed, rounded up.
 */
export interface ServingProof {
  readonly kind: 'slice-prices';
  readonly model: string;
  readonly prices: Readonly<Record<string, number>>;
  readonly services: readonly { readonly name: string; readonly least: number }[];
  readonly lowerBound: number;
}

export interface ServingPlan {
  readonly packing: Packing;
  /** Slices per service and profile. */
  readonly slices: readonly { readonly service: string; readonly counts: Readonly<Record<string, number>> }[];
  readonly proof: ServingProof;
}

/** One way to carry a service: slices per profile index, none of which could be left out. */
type Cover = readonly number[];

/**
 * Exact: an integer program chooses one cover a service and the patterns that hold them all. Its relaxation, over the
 * covers, gives the prices of the proof. Throws MicaError `solver-failed`, also for a service that no profile carries.
 */
export function packServices(model: MigModel, services: readonly Service[], solve: Solve): ServingPlan {
  const space = spaceOf(model);
  const patterns = patternsOf(space);
  const covers = services.map((service) => coversOf(space, service));
  const relaxed = mustBeOptimal(solve(programOf(space, patterns, covers, false)), 'serving program');
  const chosen = mustBeOptimal(solve(programOf(space, patterns, covers, true)), 'serving program');
  const slices = services.map((service, index) => ({
    service: service.name,
    counts: countsOf(space, chosenCover(patterns.length, covers, index, chosen.values)),
  }));
  const demand: Record<string, number> = {};
  for (const { counts } of slices) {
    for (const [profile, count] of Object.entries(counts)) demand[profile] = (demand[profile] ?? 0) + count;
  }
  const duals = space.profiles.map((_, index) => Math.max(0, relaxed.duals?.[index] ?? 0));
  return {
    packing: pack(model, demand, { solve }),
    slices,
    proof: proofOf(space, patterns, services, covers, duals),
  };
}

/** More ways than this to carry one service, and the program would not fit into memory: hundreds of slices each. */
const maxCovers = 100_000;

/** Every minimal set of slices that carries the service's rate. */
function coversOf(space: Space, { throughput, requestsPerSecond, name }: Service): readonly Cover[] {
  const rates = space.profiles.map((profile) => throughput[profile.name] ?? 0);
  if (rates.every((rate) => rate <= 0)) {
    throw new MicaError('solver-failed', `no profile of ${space.card.key} carries service '${name}' in time`);
  }
  const covers: Cover[] = [];
  const add = (cover: Cover): void => {
    if (!isMinimal(cover, rates, requestsPerSecond)) return;
    if (covers.push(cover) > maxCovers) {
      throw new MicaError(
        'solver-failed',
        `service '${name}' can be carried in too many ways; split its rate`,
      );
    }
  };
  const visit = (counts: readonly number[], index: number, missing: number): void => {
    const rate = rates[index];
    if (rate === undefined) return;
    if (index === rates.length - 1 || rates.slice(index + 1).every((later) => later <= 0)) {
      if (rate > 0) add(counts.with(index, Math.ceil(missing / rate - 1e-9)));
      return;
    }
    const most = rate > 0 ? Math.ceil(missing / rate - 1e-9) : 0;
    for (let count = 0; count <= most; count += 1) {
      const left = missing - count * rate;
      const next = counts.with(index, count);
      if (left > 1e-9) visit(next, index + 1, left);
      else add(next);
    }
  };
  visit(
    rates.map(() => 0),
    0,
    requestsPerSecond,
  );
  return covers;
}

function isMinimal(cover: Cover, rates: readonly number[], wanted: number): boolean {
  const total = dot(cover, rates);
  return cover.every((count, index) => count === 0 || total - (rates[index] ?? 0) < wanted - 1e-9);
}

/** Rows: one a profile (patterns hold at least what the covers take), then one a service (one cover each). */
function programOf(
  space: Space,
  patterns: readonly State[],
  covers: readonly (readonly Cover[])[],
  integer: boolean,
): LinearProgram {
  const columns: Column[] = patterns.map((_, index) => ({ name: `x${index}`, cost: 1, integer }));
  const owners: { service: number; cover: Cover; column: number }[] = [];
  for (const [service, options] of covers.entries()) {
    for (const cover of options) {
      owners.push({ service, cover, column: columns.length });
      columns.push({ name: `c${columns.length}`, cost: 0, integer });
    }
  }
  const held = space.profiles.map((_, profile): Row => ({
    name: `held${profile}`,
    terms: [
      ...patterns.map((pattern, column) => ({ column, coefficient: pattern.counts[profile] ?? 0 })),
      ...owners.map(({ cover, column }) => ({ column, coefficient: -(cover[profile] ?? 0) })),
    ],
    lower: 0,
  }));
  const served = covers.map((_, service): Row => ({
    name: `service${service}`,
    terms: owners
      .filter((owner) => owner.service === service)
      .map(({ column }) => ({ column, coefficient: 1 })),
    lower: 1,
  }));
  return { columns, rows: [...held, ...served], costUnit: 1 };
}

function chosenCover(
  patterns: number,
  covers: readonly (readonly Cover[])[],
  service: number,
  values: readonly number[],
): Cover {
  const before = covers.slice(0, service).reduce((sum, options) => sum + options.length, patterns);
  const options = covers[service] ?? [];
  return options.find((_, index) => (values[before + index] ?? 0) > 0.5) ?? [];
}

function proofOf(
  space: Space,
  patterns: readonly State[],
  services: readonly Service[],
  covers: readonly (readonly Cover[])[],
  duals: readonly number[],
): ServingProof {
  const worth = Math.max(...patterns.map((pattern) => dot(pattern.counts, duals)));
  const prices = duals.map((price) => (worth > 0 ? price / worth : 0));
  const least = services.map(({ name }, index) => {
    return { name, least: Math.min(...(covers[index] ?? []).map((cover) => dot(cover, prices))) };
  });
  const total = least.reduce((sum, one) => sum + one.least, 0);
  return {
    kind: 'slice-prices',
    model: space.card.key,
    prices: Object.fromEntries(space.profiles.map(({ name }, index) => [name, prices[index] ?? 0])),
    services: least,
    lowerBound: Math.ceil(total - 1e-6),
  };
}

function countsOf(space: Space, cover: Cover): Readonly<Record<string, number>> {
  return Object.fromEntries(space.profiles.map(({ name }, index) => [name, cover[index] ?? 0]));
}
