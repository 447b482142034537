/**
 * The 7-slice family (A100, H100, H200, B200, …) in closed form. A card is a low half (units 0-3: a 4g, a 3g, or two
 * full pairs of units) beside a high half (units 4-7: a 3g, or one full pair and one odd pair, 6-7). A full pair holds a
 * 2g, a double-memory 1g or two 1g; the odd pair a double-memory 1g or one 1g, since nothing small starts at 7.
 * An odd pair can do nothing that a full one cannot, which gives the order of filling; six resources bound it.
 */
import type { Profile } from '#core/catalogue/model';
import type { Layout, Placement } from '#core/geometry/placement';
import type { Space } from '#core/geometry/space';
import type { Family, Resource } from './family.js';
import type { Demand } from './demand.js';
import { pairUp, run, splitRuns, zipRuns, type Run } from './runs.js';

/** The six plain shapes; a card may lack some. */
type Role = 'full' | 'four' | 'three' | 'two' | 'double' | 'one';

const shapes: Readonly<Record<Role, { readonly sizeUnits: number; readonly starts: string }>> = {
  full: { sizeUnits: 8, starts: '0' },
  four: { sizeUnits: 4, starts: '0' },
  three: { sizeUnits: 4, starts: '0,4' },
  two: { sizeUnits: 2, starts: '0,2,4' },
  double: { sizeUnits: 2, starts: '0,2,4,6' },
  one: { sizeUnits: 1, starts: '0,1,2,3,4,5,6' },
};
const roles = Object.keys(shapes) as readonly Role[];

/**
 * What every layout uses at most. The largest of the six bounds is the optimum: a demand that obeys all six for some
 * number of cards is placed on them by `layoutsFor`. Held by tests against every layout and against exhaustive search.
 */
const roleResources: readonly {
  readonly resource: string;
  readonly worth: Readonly<Record<Role, number>>;
  readonly gpuWorth: number;
}[] = [
  {
    resource: 'low halves of a card',
    worth: { full: 1, four: 1, three: 0, two: 0, double: 0, one: 0 },
    gpuWorth: 1,
  },
  {
    resource: 'halves of a card',
    worth: { full: 2, four: 1, three: 1, two: 0, double: 0, one: 0 },
    gpuWorth: 2,
  },
  {
    resource: 'places for a 2g',
    worth: { full: 3, four: 2, three: 1, two: 1, double: 0, one: 0 },
    gpuWorth: 3,
  },
  {
    resource: 'pairs of memory slices',
    worth: { full: 4, four: 2, three: 2, two: 1, double: 1, one: 0 },
    gpuWorth: 4,
  },
  {
    resource: 'compute slices',
    worth: { full: 7, four: 4, three: 3, two: 2, double: 1, one: 1 },
    gpuWorth: 7,
  },
  {
    resource: 'memory slices',
    worth: { full: 8, four: 4, three: 4, two: 2, double: 2, one: 1 },
    gpuWorth: 8,
  },
];

/** The family of a plain space on the 8-unit grid; undefined where a profile has another shape. */
export function sevenSliceFamily(space: Space): Family | undefined {
  const profiles = new Map<Role, Profile>();
  for (const profile of space.profiles) {
    const role = roles.find(
      (name) => shapes[name].sizeUnits === profile.sizeUnits && shapes[name].starts === profile.starts.join(),
    );
    if (role === undefined || profiles.has(role)) return undefined;
    profiles.set(role, profile);
  }
  if (space.card.gridUnits !== 8 || profiles.size === 0) return undefined;
  const nameOf = (role: Role): string | undefined => profiles.get(role)?.name;
  const countsOf = (demand: Demand): Counts => {
    const count = (role: Role): number => demand[nameOf(role) ?? ''] ?? 0;
    return {
      full: count('full'),
      four: count('four'),
      three: count('three'),
      two: count('two'),
      double: count('double'),
      one: count('one'),
    };
  };
  return {
    resources: roleResources.map(({ resource, worth, gpuWorth }): Resource => {
      const weights = Object.fromEntries(roles.map((role) => [nameOf(role) ?? '', worth[role]]));
      return { resource, weights: withoutUnnamed(weights), gpuWorth };
    }),
    admit: (demand, gpus) => {
      const admitted = admit(countsOf(demand), gpus);
      return withoutUnnamed(Object.fromEntries(roles.map((role) => [nameOf(role) ?? '', admitted[role]])));
    },
    layoutsFor: (demand, gpus) =>
      fill(countsOf(demand), gpus).map(({ count, item }) => ({
        count,
        item: item.map(({ role, start }): Placement => {
          return { profile: nameOf(role) ?? role, start, size: shapes[role].sizeUnits };
        }) satisfies Layout,
      })),
  };
}

type Counts = Readonly<Record<Role, number>>;

/** Part of a card: what stands where. */
type Part = readonly { readonly role: Role; readonly start: number }[];

/** How many pairs of each kind the cards have beside the large slices, and where the 3g go. */
function pairsLeft(
  counts: Counts,
  gpus: number,
): { cards: number; highThrees: number; lowThrees: number; low: number; high: number } {
  const cards = gpus - counts.full;
  const highThrees = Math.min(counts.three, cards);
  const lowThrees = counts.three - highThrees;
  return { cards, highThrees, lowThrees, low: cards - counts.four - lowThrees, high: cards - highThrees };
}

/**
 * Large before small: each large slice fills its part of the card to the last unit that anything could use there, so
 * refusing it for smaller ones never places more units.
 */
function admit(wanted: Counts, gpus: number): Counts {
  const full = Math.min(wanted.full, gpus);
  const four = Math.min(wanted.four, gpus - full);
  const three = Math.min(wanted.three, 2 * (gpus - full) - four);
  const { low, high } = pairsLeft({ ...wanted, full, four, three }, gpus);
  const fullPairs = 2 * low + high;
  const two = Math.min(wanted.two, fullPairs);
  const double = Math.min(wanted.double, fullPairs + high - two);
  const oddOfDouble = Math.min(double, high);
  const fullPairsLeft = fullPairs - two - (double - oddOfDouble);
  const one = Math.min(wanted.one, 2 * fullPairsLeft + (high - oddOfDouble));
  return { full, four, three, two, double, one };
}

function fill(counts: Counts, gpus: number): readonly Run<Part>[] {
  const { cards, highThrees, lowThrees, low, high } = pairsLeft(counts, gpus);
  const oddDoubles = Math.min(counts.double, high);
  const fullDoubles = counts.double - oddDoubles;
  const onePairs = 2 * low + high - counts.two - fullDoubles;
  const onesInFull = Math.min(counts.one, 2 * onePairs);
  const onesInOdd = counts.one - onesInFull;
  const pairs: readonly Run<Part>[] = [
    ...run(counts.two, at('two', 0)),
    ...run(fullDoubles, at('double', 0)),
    ...run(Math.floor(onesInFull / 2), [...at('one', 0), ...at('one', 1)]),
    ...run(onesInFull % 2, at('one', 0)),
    ...run(onePairs - Math.ceil(onesInFull / 2), []),
  ];
  const odds: readonly Run<Part>[] = [
    ...run(oddDoubles, at('double', 6)),
    ...run(onesInOdd, at('one', 6)),
    ...run(high - oddDoubles - onesInOdd, []),
  ];
  const [lowPairs, highPairs] = splitRuns(pairs, 2 * low);
  const lowHalves: readonly Run<Part>[] = [
    ...run(counts.four, at('four', 0)),
    ...run(lowThrees, at('three', 0)),
    ...pairUp(lowPairs, (first, second) => [...first, ...moved(second, 2)]),
  ];
  const highHalves: readonly Run<Part>[] = [
    ...run(highThrees, at('three', 4)),
    ...zipRuns(highPairs, odds, (pair, odd) => [...moved(pair, 4), ...odd]),
  ];
  const [halvesLow] = splitRuns(lowHalves, cards);
  return [
    ...run(counts.full, at('full', 0)),
    ...zipRuns(halvesLow, highHalves, (lowHalf, highHalf) => [...lowHalf, ...highHalf]),
  ];
}

function at(role: Role, start: number): Part {
  return [{ role, start }];
}

function moved(part: Part, units: number): Part {
  return part.map(({ role, start }) => ({ role, start: start + units }));
}

/** Shapes that the card lacks were keyed by the empty name. */
function withoutUnnamed(byName: Readonly<Record<string, number>>): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(byName).filter(([name]) => name !== ''));
}
