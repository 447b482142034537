/** What of the past still counts: whose the instances are, what restore and undo go by, and what may be forgotten. */
import type { CardState, LiveInstance } from '#core/plan/gpu-actions';
import { isSamePlace } from '#core/plan/steps';
import {
  isMarked,
  isSameBoot,
  placesOf,
  type GpuIntent,
  type Intent,
  type InstanceMark,
  type PastChange,
} from './records.js';

/** How many ended changes the history has; older ones stay only as long as something goes by them. */
export const keptChanges = 100;

/**
 * The instances of a GPU that are Mica's to destroy: what its last change left as such and still stands. None survives
 * a reboot, so what has the same id in the same place after one was made by somebody else.
 */
export function ownedOn(
  changes: readonly PastChange[],
  uuid: string,
  instances: readonly LiveInstance[],
  boot: string | null,
): readonly InstanceMark[] {
  const last = lastSettled(changes, uuid)?.settled.get(uuid);
  if (last === undefined || !isSameBoot(last.boot, boot)) return [];
  return last.owned.filter((mark) => instances.some((instance) => isMarked(instance, mark)));
}

/** Whether the last change of the GPU ended as this one wants it, so that there is nothing new to write down. */
export function isOnRecord(
  changes: readonly PastChange[],
  { uuid, wanted, seen, owned }: GpuIntent,
): boolean {
  const last = lastSettled(changes, uuid)?.settled.get(uuid);
  // Nobody has to be told that a card without MIG, of which nothing was ever asked, stays whole.
  if (last === undefined) return !wanted.mig;
  if (last.outcome !== 'done' && last.outcome !== 'unchanged') return false;
  return last.after !== null && isSameState(last.after, wanted) && seen.length === owned.length;
}

/** The layout that restore puts back. A change that waits for a reboot counts: the reboot is over. */
export function lastApplied(changes: readonly PastChange[], uuid: string): CardState | null {
  return lastApplying(changes, uuid)?.intent.gpus.find((gpu) => gpu.uuid === uuid)?.wanted ?? null;
}

/** The change that undo takes back where none is named. A restore is none: it brought back what others had done. */
export function lastUndoable(changes: readonly PastChange[]): PastChange | undefined {
  return changes.findLast((one) => one.intent.cause !== 'restore' && changedGpus(one).length > 0);
}

/** The GPUs that a change has changed, and left changed. */
export function changedGpus({ intent, settled }: PastChange): Intent['gpus'] {
  return intent.gpus.filter(({ uuid }) => {
    const outcome = settled.get(uuid)?.outcome;
    return outcome === 'done' || outcome === 'needs-reboot';
  });
}

/**
 * The closed journals without which all of the above is answered as with them. What nobody needs now nobody needs
 * later either, so forgetting may be interrupted anywhere, and two processes may do it at the same time.
 */
export function needless(changes: readonly PastChange[], keep = keptChanges): readonly string[] {
  const needed = new Set<PastChange | undefined>([lastUndoable(changes)]);
  for (const uuid of new Set(changes.flatMap(({ intent }) => intent.gpus.map((gpu) => gpu.uuid)))) {
    needed.add(lastSettled(changes, uuid)).add(lastApplying(changes, uuid));
  }
  const closed = changes.filter(({ closedId }) => closedId !== null);
  return closed
    .slice(0, Math.max(0, closed.length - keep))
    .flatMap((change) => (change.closedId === null || needed.has(change) ? [] : [change.closedId]));
}

function lastSettled(changes: readonly PastChange[], uuid: string): PastChange | undefined {
  return changes.findLast(({ settled }) => settled.has(uuid));
}

function lastApplying(changes: readonly PastChange[], uuid: string): PastChange | undefined {
  return changes.findLast(({ settled }) => {
    const outcome = settled.get(uuid)?.outcome;
    return outcome === 'done' || outcome === 'unchanged' || outcome === 'needs-reboot';
  });
}

function isSameState(a: CardState, b: CardState): boolean {
  const [places, others] = [placesOf(a), placesOf(b)];
  return (
    a.mig === b.mig &&
    places.length === others.length &&
    places.every((place) => others.some((other) => isSamePlace(place, other)))
  );
}
