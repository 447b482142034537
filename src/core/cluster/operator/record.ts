/** How far the change of a node has come, as it stands in the node's annotations: all that a new process has to go by. */
import type { Reach } from './disturbed.js';
import type { MigEntry } from './mig-config.js';
import type { Expected } from './offered.js';
import type { OperatorPart } from './operator-pods.js';
import type { Trouble } from './troubles.js';

export const annotations = {
  /** The record, as JSON. */
  change: 'mica.dev/change',
  /** Why the node is as it is, for people. */
  reason: 'mica.dev/reason',
  /** What to do about it. */
  nextStep: 'mica.dev/next-step',
  /** How the last change ended. */
  last: 'mica.dev/last-change',
} as const;

/** A taint with which a node may join, so that nothing starts on it before it is cut; taken away when it is. */
export const notReadyTaintKey = 'mica.dev/mig-not-ready';

/** A configuration, and what the node offers under it. */
export interface Goal {
  readonly config: string;
  readonly expected: Expected;
}

/** Written down before it is done, so that it is done once. */
export interface Remedy {
  readonly kind: 'restart' | 'unpause';
  readonly part: OperatorPart | null;
  /** Of the pod that is deleted. */
  readonly pod: { readonly namespace: string; readonly name: string; readonly uid: string } | null;
  readonly atMs: number;
}

export interface ChangeRecord {
  readonly version: 1;
  /** Who began it, where it is not a person: whoever of the same name comes after goes on with it. */
  readonly by?: string;
  /**
   * `claimed`: meant, and nothing is touched; `clearing`: cordoned, and nothing is touched but pods; `cutting`: mig-manager has the
   * label; `restoring`: it has the old one.
   */
  readonly phase: 'claimed' | 'clearing' | 'cutting' | 'restoring' | 'stuck';
  readonly goal: Goal & { readonly entries: readonly MigEntry[] };
  readonly reach: Reach;
  /** `false`: where a pod turns out to be in the way, the change is given up. */
  readonly mayEvict?: boolean;
  /** What was asked for before; somebody who changes it meanwhile is not fought. `null`: there was no label. */
  readonly labelBefore: string | null;
  /** A state that is known to have been good, to go back to. */
  readonly previous: Goal | null;
  readonly cordonedByUs: boolean;
  readonly startedMs: number;
  /** When the phase began. */
  readonly sinceMs: number;
  /** Since when the entry is in the ConfigMap; `null`: it is not known to be. */
  readonly configMs: number | null;
  /** Of this phase. */
  readonly remedies: readonly Remedy[];
  /** Why the change is taken back, or stuck. */
  readonly why: Trouble | null;
  /** The change before this one got stuck, for this reason: giving up now leaves the node as that one did. */
  readonly stuckBefore?: Trouble | null;
}

/** Both may say how far one and the same change is. */
export function isSameChange(one: ChangeRecord, other: ChangeRecord): boolean {
  return one.startedMs === other.startedMs && one.goal.config === other.goal.config && one.by === other.by;
}

export function writeRecord(record: ChangeRecord): string {
  return JSON.stringify(record);
}

/** How the change that began then has ended, as its last edit says; `null`: not known. */
export function endingOf(
  of: Readonly<Record<string, string>>,
  startedMs: number,
): { readonly outcome: 'done' | 'rolled-back' | 'failed'; readonly why: string } | null {
  try {
    const read: unknown = JSON.parse(of[annotations.last] ?? '');
    if (!isMap(read) || read['startedMs'] !== startedMs) return null;
    const { outcome, why } = read;
    if (outcome !== 'done' && outcome !== 'rolled-back' && outcome !== 'failed') return null;
    return { outcome, why: typeof why === 'string' ? why : '' };
  } catch {
    return null;
  }
}

/** `null`: there is none. `unreadable`: written by another version, or by hand. */
export function readRecord(of: Readonly<Record<string, string>>): ChangeRecord | null | 'unreadable' {
  const text = of[annotations.change];
  if (text === undefined) return null;
  try {
    const read: unknown = JSON.parse(text);
    return isRecord(read) ? read : 'unreadable';
  } catch {
    return 'unreadable';
  }
}

const phases: readonly unknown[] = ['claimed', 'clearing', 'cutting', 'restoring', 'stuck'];

function isRecord(read: unknown): read is ChangeRecord {
  if (!isMap(read)) return false;
  const { goal, reach, previous } = read;
  const times = [read['startedMs'], read['sinceMs'], read['configMs'] ?? 0];
  return (
    read['version'] === 1 &&
    phases.includes(read['phase']) &&
    isGoal(goal) &&
    isMap(goal) &&
    Array.isArray(goal['entries']) &&
    isMap(reach) &&
    Array.isArray(reach['gpus']) &&
    typeof reach['wholeNode'] === 'boolean' &&
    (previous === null || isGoal(previous)) &&
    typeof read['cordonedByUs'] === 'boolean' &&
    times.every((time) => typeof time === 'number') &&
    Array.isArray(read['remedies']) &&
    (read['why'] === null || isMap(read['why'])) &&
    ((read['stuckBefore'] ?? null) === null || isMap(read['stuckBefore']))
  );
}

function isGoal(read: unknown): boolean {
  if (!isMap(read) || typeof read['config'] !== 'string') return false;
  const expected = read['expected'];
  return isMap(expected) && isMap(expected['counts']) && typeof expected['exact'] === 'boolean';
}

function isMap(read: unknown): read is Readonly<Record<string, unknown>> {
  return typeof read === 'object' && read !== null && !Array.isArray(read);
}
