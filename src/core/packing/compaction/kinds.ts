/** Groups a fleet for the compaction program: GPUs in equal states, and states with equal choices. */
import type { FleetIndex, FleetPlace } from '../online/fleet.js';
import type { Keeping, Option } from './kept.js';
import type { Kind } from './program.js';

/** GPUs in one state with the same part pinned. `options` are in the order of the kind's. */
export interface GpuClass {
  readonly gpus: readonly number[];
  readonly state: number;
  readonly options: readonly Option[];
}

export interface KindOfClasses extends Kind {
  readonly classes: readonly GpuClass[];
}

export function kindsOf(
  fleet: FleetIndex,
  keeping: Keeping,
  mayMove: ((place: FleetPlace) => boolean) | undefined,
): readonly KindOfClasses[] {
  const byOptions = new Map<string, GpuClass[]>();
  for (const { gpus, state, pinned } of groupByState(fleet, mayMove)) {
    const keyed = keeping
      .optionsFor(state, pinned)
      .map((option) => ({ option, key: `${option.givenAway.join()}:${option.room.index}` }))
      .sort((a, b) => (a.key < b.key ? -1 : 1));
    const key = keyed.map((one) => one.key).join(' ');
    const classes = byOptions.get(key) ?? [];
    classes.push({ gpus, state, options: keyed.map((one) => one.option) });
    byOptions.set(key, classes);
  }
  return [...byOptions.values()].map((classes) => ({
    classes,
    gpus: classes.reduce((sum, { gpus }) => sum + gpus.length, 0),
    options: classes[0]!.options,
  }));
}

interface Group {
  readonly gpus: number[];
  readonly state: number;
  /** The state of what is pinned. */
  readonly pinned: number;
}

function groupByState(
  fleet: FleetIndex,
  mayMove: ((place: FleetPlace) => boolean) | undefined,
): Iterable<Group> {
  const groups = new Map<number, Group>();
  const { states } = fleet.table;
  for (const [gpu, state] of fleet.stateOf.entries()) {
    const pinned = mayMove === undefined ? 0 : pinnedState(fleet, gpu, mayMove);
    const key = state * states.length + pinned;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { gpus: [gpu], state, pinned });
    else group.gpus.push(gpu);
  }
  return groups.values();
}

function pinnedState(fleet: FleetIndex, gpu: number, mayMove: (place: FleetPlace) => boolean): number {
  const { states, afterFreeing, space } = fleet.table;
  let pinned = fleet.stateOf[gpu]!;
  for (const slot of states[pinned]!.slots) {
    if (mayMove({ gpu, start: slot.start })) pinned = afterFreeing[pinned * space.slots.length + slot.index]!;
  }
  return pinned;
}
