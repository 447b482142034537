/** What the journal of a change holds, in the order of writing, and the reading of it after a crash. */
import { MicaError } from '#core/errors';
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
  | {
      readonly ok: false;
      readonly refusal: DriverRefusal;
      readonly message: string;
      /** Of a creation: the GPU was seen without it after that, so what stands there later is somebody else's. */
      readonly absent?: boolean;
    };

/** What every record has besides its content. */
interface Stamp {
  readonly atMs: number;
  /** The machine's boot; marks mean nothing in another. `null`: not known; left out in older journals. */
  readonly boot?: string | null;
}

export interface Intent extends Stamp {
  readonly kind: 'intent';
  readonly schema: typeof schema;
  readonly cause: 'apply' | 'undo' | 'restore';
  readonly options: ChangeOptions;
  readonly gpus: readonly GpuIntent[];
}

/** A process in the way that is asked, or made, to leave. */
export interface SignalledProcess {
  readonly pid: number;
  /** Tells it from a later process with the same pid. */
  readonly startedAt: string;
  readonly name: string | null;
  /** The GPUs that it is on. */
  readonly uuids: readonly string[];
}

export type ChangeRecord =
  | Intent
  /** Synced before the first of them is signalled. */
  | (Stamp & {
      readonly kind: 'signal';
      readonly signal: 'SIGTERM' | 'SIGKILL';
      readonly processes: readonly SignalledProcess[];
    })
  /** The pids, of the record before, that the signal reached. */
  | (Stamp & { readonly kind: 'signalled'; readonly reached: readonly number[] })
  /** Synced before the driver is called; `back`: of a roll-back. */
  | (Stamp & {
      readonly kind: 'begin';
      readonly step: number;
      readonly uuid: string;
      readonly action: GpuAction;
      readonly back: boolean;
    })
  | (Stamp & {
      readonly kind: 'end';
      readonly step: number;
      readonly uuid: string;
      readonly result: StepResult;
    })
  /** From here on these GPUs go back to what they were. */
  | (Stamp & { readonly kind: 'back'; readonly uuids: readonly string[]; readonly why: string })
  /** These GPUs are through; a journal is finished when all of its GPUs are. */
  | (Stamp & { readonly kind: 'settled'; readonly gpus: readonly SettledGpu[] });

export function intentRecord(
  fields: Omit<Intent, 'kind' | 'schema' | keyof Stamp>,
): Omit<Intent, keyof Stamp> {
  return { kind: 'intent', schema, ...fields };
}

/** A journal, read. */
export interface PastChange {
  readonly name: string;
  readonly isOpen: boolean;
  /** What the journal is to be forgotten as; `null`: it is open. */
  readonly closedId: string | null;
  readonly intent: Intent;
  readonly records: readonly ChangeRecord[];
  readonly settled: ReadonlyMap<string, SettledGpu & Pick<Stamp, 'boot'>>;
}

export interface Past {
  /** All changes of this machine that are remembered, in the order of their beginning. */
  readonly changes: readonly PastChange[];
  /** Names of open journals that another version wrote. */
  readonly unreadable: readonly string[];
}

export async function readPast(journal: ChangePorts['journal']): Promise<Past> {
  const open = await inTurns(await journal.names(), async (name) => ({
    name,
    closedId: null,
    records: await journal.read(name),
  }));
  const closed = await inTurns(await journal.closed(), async ({ id, name, read }) => ({
    name,
    closedId: id,
    records: await read(),
  }));
  const changes: PastChange[] = [];
  const unreadable: string[] = [];
  // What was closed while we read is in both lists.
  const all = new Map([...open, ...closed].map((one) => [one.name, one]));
  for (const { name, closedId, records } of all.values()) {
    const [first] = records;
    // Nothing was done before the intent was on disk; or it was forgotten while we read.
    if (first === undefined) continue;
    if (isIntent(first)) changes.push(pastChange(name, closedId, first, records));
    else if (closedId === null) unreadable.push(name);
  }
  return { changes: changes.sort((a, b) => (a.name < b.name ? -1 : 1)), unreadable };
}

/** A process may have few files open at a time. */
const readsAtOnce = 16;

async function inTurns<T, U>(all: readonly T[], read: (one: T) => Promise<U>): Promise<readonly U[]> {
  const found: U[] = [];
  for (let next = 0; next < all.length; next += readsAtOnce) {
    found.push(...(await Promise.all(all.slice(next, next + readsAtOnce).map(read))));
  }
  return found;
}

function pastChange(
  name: string,
  closedId: string | null,
  intent: Intent,
  records: readonly unknown[],
): PastChange {
  // Written by ourselves, under this schema: the records after the intent are ours too.
  const ours = records as readonly ChangeRecord[];
  const settled = new Map<string, SettledGpu & Pick<Stamp, 'boot'>>();
  for (const record of ours) {
    if (record.kind !== 'settled') continue;
    const { boot = null } = record;
    for (const gpu of record.gpus) settled.set(gpu.uuid, { ...gpu, boot });
  }
  if (closedId !== null && intent.gpus.some(({ uuid }) => !settled.has(uuid))) {
    throw new MicaError('damaged-state', `the closed journal ${closedId} has lost its end`);
  }
  return { name, isOpen: closedId === null, closedId, intent, records: ours, settled };
}

export function openGpus({ intent, settled }: PastChange): readonly GpuIntent[] {
  return intent.gpus.filter(({ uuid }) => !settled.has(uuid));
}

/** Whether a roll-back of this GPU was begun. */
export function turnedBack({ records }: PastChange, uuid: string): boolean {
  return records.some((record) => record.kind === 'back' && record.uuids.includes(uuid));
}

export function placesOf(state: CardState | null): readonly Placement[] {
  return state?.mig === true ? state.placements : [];
}

export function marksOf(instances: readonly LiveInstance[]): readonly InstanceMark[] {
  return instances.map(({ id, placement: { profile, start, size } }) => ({ profile, start, size, id }));
}

/** Where one of the two is not known, nothing speaks against it. */
export function isSameBoot(one: string | null | undefined, other: string | null | undefined): boolean {
  return one == null || other == null || one === other;
}

/** Profile, start and GI id together. */
export function isMarked({ id, placement }: LiveInstance, mark: InstanceMark): boolean {
  return id === mark.id && isSamePlace(placement, mark);
}

function isIntent(record: unknown): record is Intent {
  if (typeof record !== 'object' || record === null) return false;
  return 'kind' in record && record.kind === 'intent' && 'schema' in record && record.schema === schema;
}
