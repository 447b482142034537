/** An independent judge of layouts and seating: legal places, nothing overlapping, everybody counted once. */
import type { Profile } from './check-bound.js';

interface Place {
  readonly profile: string;
  readonly start: number;
  readonly size: number;
}

/** What is wrong with a layout, or nothing. */
function layoutComplaints(profiles: readonly Profile[], placements: readonly Place[]): readonly string[] {
  const illegal = placements.filter(
    ({ profile, start, size }) =>
      !profiles.some((one) => one.name === profile && one.sizeUnits === size && one.starts.includes(start)),
  );
  const units = placements.flatMap(({ start, size }) =>
    Array.from({ length: size }, (_, unit) => start + unit),
  );
  return [
    ...illegal.map(({ profile, start }) => `${profile} cannot stand at ${start}`),
    ...(new Set(units).size === units.length ? [] : ['placements overlap']),
  ];
}

/** What is wrong with a packing: illegal layouts, or slices that do not add up to the demand. */
export function packingComplaints(
  profiles: readonly Profile[],
  demand: Readonly<Record<string, number>>,
  packing: {
    readonly gpus: number;
    readonly layouts: readonly { readonly count: number; readonly placements: readonly Place[] }[];
    readonly unplaced: Readonly<Record<string, number>>;
  },
): readonly string[] {
  const total: Record<string, number> = { ...packing.unplaced };
  for (const { count, placements } of packing.layouts) {
    for (const { profile } of placements) total[profile] = (total[profile] ?? 0) + count;
  }
  const names = [...new Set([...Object.keys(demand), ...Object.keys(total)])];
  const cards = packing.layouts.reduce((sum, { count }) => sum + count, 0);
  return [
    ...packing.layouts.flatMap(({ placements }) => layoutComplaints(profiles, placements)),
    ...names
      .filter((name) => (total[name] ?? 0) !== (demand[name] ?? 0))
      .map((name) => `${name} does not add up`),
    ...(cards === packing.gpus ? [] : [`${cards} layouts for ${packing.gpus} cards`]),
  ];
}

interface Plan {
  readonly layouts: readonly {
    readonly node: string;
    readonly index: number;
    readonly model: string;
    readonly mig: boolean;
    readonly placements: readonly Place[];
  }[];
  readonly assignment: readonly {
    readonly need: string;
    readonly node: string;
    readonly index: number;
    readonly placement: Place | null;
  }[];
  readonly unplaced: readonly { readonly need: string; readonly count: number }[];
}

/** What is wrong with a plan's seating: replicas without a seat or with two, seats taken twice. */
export function seatingComplaints(
  profilesOf: (model: string) => readonly Profile[],
  needs: readonly {
    readonly name: string;
    readonly count: number;
    readonly gpus: number;
    readonly isolation: string;
  }[],
  plan: Plan,
): readonly string[] {
  const wrong: string[] = [];
  const seats = new Map<string, string | null>();
  for (const { node, index, model, mig, placements } of plan.layouts) {
    wrong.push(...layoutComplaints(profilesOf(model), placements));
    const places = mig ? placements.map(({ profile, start }) => `${profile}:${start}`) : ['whole'];
    for (const place of places) seats.set(`${node}/${index}/${place}`, null);
  }
  for (const { need, node, index, placement } of plan.assignment) {
    const seat = `${node}/${index}/${placement === null ? 'whole' : `${placement.profile}:${placement.start}`}`;
    const sitting = seats.get(seat);
    const mayShare =
      sitting === need && needs.some(({ name, isolation }) => name === need && isolation === 'shared');
    if (sitting === undefined) wrong.push(`${need} sits at ${seat}, which is not there`);
    else if (sitting !== null && !mayShare) wrong.push(`${need} and ${sitting} both sit at ${seat}`);
    seats.set(seat, need);
  }
  for (const { name, count, gpus } of needs) {
    const seated = plan.assignment.filter(({ need }) => need === name).length / gpus;
    const out = plan.unplaced.filter(({ need }) => need === name).reduce((sum, one) => sum + one.count, 0);
    if (seated + out !== count) wrong.push(`${name}: ${seated} seated and ${out} out of ${count}`);
  }
  return wrong;
}
