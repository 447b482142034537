/** What the journal of a change holds, in the order of writing, and the reading of it after a crash. */
import type { Placement } from '#core/geometry/placement';
import type { CardState, GpuAction, LiveInstance } from '#core/plan/gpu-actions';
import { isSamePlace } from '#core/plan/steps';
import type { DriverRefusal } from '#ports/gpu-driver';
import type { Outcome, Why } from './answer.js';
import type { ChangeOptions } from './options.js';
import type { ChangePorts } from './ports.js';

const schema = 'mica/change@1';

/** An instance as of this boot. A UUID would not do: the same GPU and GI id give the same UUID again. */
export interface InstanceMark extends Placement {
  readonly id: number;
}

/** One GPU as it was when the change began, and as it shall be. */
export interface GpuIntent {
  readonly uuid: string;
  readonly index: number;
  readonly before: CardState;
  readonly wanted: CardState;
  readonly seen: readonly InstanceMark[];
  /** Those of `seen` that Mica made, or that a layout given to Mica names. */
  readonly owned: readonly InstanceMark[];
  /** The driver's ids of profiles named above, as far as known. */
  readonly profileIds: Readonly<Record<string, number>>;
}

export interface SettledGpu {
  readonly uuid: string;
  readonly index: number;
  readonly outcome: Outcome;
  /** `null`: the GPU did not say. */
  readonly after: CardState | null;
  readonly owned: readonly InstanceMark[];
  readonly why?: Why;
}

export type StepResult =
  | { readonly ok: true; readonly id: number | null }
  | { readonly ok: false; readonly refusal: DriverRefusal; readonly message: string };

export interface Intent {
  readonly kind: 'intent';
  readonly schema: typeof schema;
  readonly atMs: number;
  readonly cause: 'apply' | 'undo' | 'restore';
  readonly options: ChangeOptions;
  readonly gpus: readonly GpuIntent[];
}

export type ChangeRecord =
  | Intent
  /** Synced before the driver is called; `back`: of a roll-back. */
  | {
      readonly kind: 'begin';
      readonly atMs: number;
      readonly step: number;
      readonly uuid: string;
      readonly action: GpuAction;
      readonly back: boolean;
    }
  | {
      readonly kind: 'end';
      readonly atMs: number;
      readonly step: number;
      readonly uuid: string;
      readonly result: StepResult;
    }
  /** From here on these GPUs go back to what they were. */
  | { readonly kind: 'back'; readonly atMs: number; readonly uuids: readonly string[]; readonly why: string }
  /** These GPUs are through; a journal is finished when all of its GPUs are. */
  | { readonly kind: 'settled'; readonly atMs: number; readonly gpus: readonly SettledGpu[] };

export function intentRecord(fields: Omit<Intent, 'kind' | 'schema' | 'atMs'>): Omit<Intent, 'atMs'> {
  return { kind: 'intent', schema, ...fields };
}

/** What was made, or begun to be made, on a GPU, and not seen to go again. `id: null`: the answer never came. */
export interface MadeMark extends Placement {
  readonly id: number | null;
}

/** A journal, read. */
export interface PastChange {
  readonly name: string;
  readonly isOpen: boolean;
  readonly intent: Intent;
  readonly records: readonly ChangeRecord[];
  readonly settled: ReadonlyMap<string, SettledGpu>;
}

export interface Past {
  /** All changes that were ever begun on this machine, in the order of their beginning. */
  readonly changes: readonly PastChange[];
  /** Names of open journals that another version wrote. */
  readonly unreadable: readonly string[];
}

export async function readPast(journal: ChangePorts['journal']): Promise<Past> {
  const open = await Promise.all(
    (await journal.names()).map(async (name) => ({ name, isOpen: true, records: await journal.read(name) })),
  );
  const closed = await Promise.all(
    (await journal.closed()).map(async (one) => ({
      name: one.name,
      isOpen: false,
      records: await one.read(),
    })),
  );
  const changes: PastChange[] = [];
  const unreadable: string[] = [];
  // What was closed while we read is in both lists.
  const all = new Map([...open, ...closed].map((one) => [one.name, one]));
  for (const { name, isOpen, records } of all.values()) {
    const [first] = records;
    // Nothing was done before the intent was on disk.
    if (first === undefined) continue;
    if (isIntent(first)) changes.push(pastChange(name, isOpen, first, records));
    else if (isOpen) unreadable.push(name);
  }
  return { changes: changes.sort((a, b) => (a.name < b.name ? -1 : 1)), unreadable };
}

function pastChange(name: string, isOpen: boolean, intent: Intent, records: readonly unknown[]): PastChange {
  // Written by ourselves, under this schema: the records after the intent are ours too.
  const ours = records as readonly ChangeRecord[];
  const settled = new Map<string, SettledGpu>();
  for (const record of ours) {
    if (record.kind === 'settled') for (const gpu of record.gpus) settled.set(gpu.uuid, gpu);
  }
  return { name, isOpen, intent, records: ours, settled };
}

export function openGpus({ intent, settled }: PastChange): readonly GpuIntent[] {
  return intent.gpus.filter(({ uuid }) => !settled.has(uuid));
}

/** Whether a roll-back of this GPU was begun. */
export function turnedBack({ records }: PastChange, uuid: string): boolean {
  return records.some((record) => record.kind === 'back' && record.uuids.includes(uuid));
}

export function madeOn({ records }: Pick<PastChange, 'records'>, uuid: string): readonly MadeMark[] {
  let made: readonly MadeMark[] = [];
  const begun = new Map<number, GpuAction>();
  for (const record of records) {
    if (record.kind === 'begin' && record.uuid === uuid) {
      begun.set(record.step, record.action);
      if (record.action.kind === 'create-instance')
        made = [...made, { ...record.action.placement, id: null }];
    }
    if (record.kind !== 'end' || record.uuid !== uuid) continue;
    const action = begun.get(record.step);
    if (action?.kind !== 'create-instance' && action?.kind !== 'destroy-instance') continue;
    const others = made.filter((mark) => !isSamePlace(mark, action.placement));
    const { result } = record;
    if (action.kind === 'destroy-instance') made = result.ok ? others : made;
    else if (result.ok) made = [...others, { ...action.placement, id: result.id }];
    // The driver's way to say that the place is taken: what stands there is somebody else's, who was faster.
    else if (result.refusal === 'no-room') made = others;
  }
  return made;
}

/** The instances of a GPU that are Mica's to destroy: what its last change left as such and still stands. */
export function ownedOn(
  changes: readonly PastChange[],
  uuid: string,
  instances: readonly LiveInstance[],
): readonly InstanceMark[] {
  const last = changes.findLast(({ settled }) => settled.has(uuid))?.settled.get(uuid);
  return (last?.owned ?? []).filter((mark) => instances.some((instance) => isMarked(instance, mark)));
}

/** Whether the last change of the GPU ended as this one wants it, so that there is nothing new to write down. */
export function isOnRecord(
  changes: readonly PastChange[],
  { uuid, wanted, seen, owned }: GpuIntent,
): boolean {
  const last = changes.findLast(({ settled }) => settled.has(uuid))?.settled.get(uuid);
  // Nobody has to be told that a card without MIG, of which nothing was ever asked, stays whole.
  if (last === undefined) return !wanted.mig;
  if (last.outcome !== 'done' && last.outcome !== 'unchanged') return false;
  return last.after !== null && isSameState(last.after, wanted) && seen.length === owned.length;
}

function isSameState(a: CardState, b: CardState): boolean {
  const [places, others] = [placesOf(a), placesOf(b)];
  return (
    a.mig === b.mig &&
    places.length === others.length &&
    places.every((place) => others.some((other) => isSamePlace(place, other)))
  );
}

export function placesOf(state: CardState | null): readonly Placement[] {
  return state?.mig === true ? state.placements : [];
}

export function marksOf(instances: readonly LiveInstance[]): readonly InstanceMark[] {
  return instances.map(({ id, placement: { profile, start, size } }) => ({ profile, start, size, id }));
}

/** Profile, start and GI id together. */
export function isMarked({ id, placement }: LiveInstance, mark: InstanceMark): boolean {
  return id === mark.id && isSamePlace(placement, mark);
}

function isIntent(record: unknown): record is Intent {
  if (typeof record !== 'object' || record === null) return false;
  return 'kind' in record && record.kind === 'intent' && 'schema' in record && record.schema === schema;
}
