/** What one card and one machine of a pool can become: the columns of the fleet program. */
import { spaceOfOnly, type Slot, type Space, slotOf } from '#core/geometry/space';
import { patternsOf } from '#core/geometry/states';
import { wholeCard, type FleetProblem, type Pool } from './problem.js';

/** What one card offers, as slices per slot kind. */
export interface CardChoice {
  readonly counts: ReadonlyMap<string, number>;
}

/** How one machine is divided: groups of whole cards for replicas that need several, the rest one by one. */
export interface MachineChoice {
  /** Groups per group size. */
  readonly groups: ReadonlyMap<number, number>;
  readonly singles: number;
  /** In a uniform pool: the card choice that all single cards of the machine take. */
  readonly only?: number;
}

export interface PoolChoices {
  readonly cards: readonly CardChoice[];
  readonly machines: readonly MachineChoice[];
}

/** The choices of each pool, limited to the profiles and group sizes that some class can use there. */
export function choicesOf(problem: FleetProblem): readonly PoolChoices[] {
  return problem.pools.map((pool, index) => {
    const slots = new Set<string>();
    const groupSizes = new Set<number>();
    for (const { gpus, services } of problem.classes) {
      for (const service of services) {
        if (service.pool !== index) continue;
        if (gpus > 1) groupSizes.add(gpus);
        else slots.add(service.slot);
      }
    }
    const cards = cardChoices(pool, slots);
    const divisions = machineChoices(pool.gpusEach, [...groupSizes]);
    return { cards, machines: pool.uniform ? uniformMachines(divisions, cards, pool.gpusEach) : divisions };
  });
}

/** The space that a pool's cards are cut in, and its taken slots; undefined for cards that are only used whole. */
function spaceOfPool(
  pool: Pool,
  profiles: Iterable<string>,
): { space: Space; taken: readonly Slot[] } | undefined {
  if (pool.model.kind !== 'mig') return undefined;
  const names = new Set([...profiles, ...pool.taken.map((placement) => placement.profile)]);
  const space = spaceOfOnly(pool.model, names);
  const taken = pool.taken.flatMap((placement) => slotOf(space, placement) ?? []);
  return { space, taken };
}

function cardChoices(pool: Pool, slots: ReadonlySet<string>): readonly CardChoice[] {
  const whole =
    slots.has(wholeCard) && pool.taken.length === 0 ? [{ counts: new Map([[wholeCard, 1]]) }] : [];
  const wanted = [...slots].filter((slot) => slot !== wholeCard);
  const sizes = pool.uniform ? wanted.map((size) => [size]) : [wanted];
  return [...sizes.flatMap((profiles) => cutsInto(pool, profiles)), ...whole];
}

/** The patterns of these profiles on a card of the pool. */
function cutsInto(pool: Pool, profiles: readonly string[]): readonly CardChoice[] {
  const cut = profiles.length === 0 ? undefined : spaceOfPool(pool, profiles);
  if (cut === undefined) return [];
  const { space, taken } = cut;
  return patternsOf(space, taken)
    .map(({ counts }) => ({
      counts: new Map(
        space.profiles.flatMap(({ name }, index): [string, number][] => {
          const count = counts[index] ?? 0;
          return count > 0 && profiles.includes(name) ? [[name, count]] : [];
        }),
      ),
    }))
    .filter(({ counts }) => counts.size > 0);
}

/** One size a machine; whole cards are a size, and only beside them do groups of whole cards stand. */
function uniformMachines(
  divisions: readonly MachineChoice[],
  cards: readonly CardChoice[],
  gpusEach: number,
): readonly MachineChoice[] {
  const wholeIndex = cards.findIndex(({ counts }) => counts.has(wholeCard));
  const grouped = divisions.filter(({ groups }) => groups.size > 0);
  return [
    ...cards.map((_, only): MachineChoice => ({ groups: new Map(), singles: gpusEach, only })),
    ...grouped.map(({ groups, singles }): MachineChoice => ({ groups, singles, only: wholeIndex })),
  ];
}

/** Every multiset of group sizes that fits into one machine. */
function machineChoices(gpus: number, groupSizes: readonly number[]): readonly MachineChoice[] {
  const choices: MachineChoice[] = [];
  const visit = (groups: ReadonlyMap<number, number>, singles: number, sizes: readonly number[]): void => {
    const [size, ...smaller] = sizes;
    if (size === undefined) {
      choices.push({ groups, singles });
      return;
    }
    for (let count = 0; count * size <= singles; count += 1) {
      visit(count === 0 ? groups : new Map([...groups, [size, count]]), singles - count * size, smaller);
    }
  };
  visit(
    new Map(),
    gpus,
    [...groupSizes].sort((a, b) => b - a),
  );
  return choices;
}
