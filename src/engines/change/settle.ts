/** What became of each GPU in the end, as the answer and as the last record of the journal. */
import { asArgument, inGridOrder, type Placement } from '#core/geometry/placement';
import { stateOf, type CardState, type LiveGpu, type LiveInstance } from '#core/plan/gpu-actions';
import { isSamePlace } from '#core/plan/steps';
import { brokenWhy, type GpuOutcome, type Outcome, type Why } from './answer.js';
import type { ChangeLog } from './change-log.js';
import { isOfThisBoot, type Work } from './execute.js';
import { lookAt } from './look.js';
import { destroyedOn, isMade, madeOn } from './made.js';
import type { ChangePorts } from './ports.js';
import {
  isMarked,
  marksOf,
  placesOf,
  type GpuIntent,
  type InstanceMark,
  type SettledGpu,
} from './records.js';

/** How one GPU ended, before anybody has looked at it for the last time. */
export interface Ending {
  readonly work: Work;
  readonly outcome: Outcome;
  readonly why: Why | null;
  /** Failed: the way back goes on after a reboot. */
  readonly needsReboot?: boolean;
}

/**
 * Looks at the GPUs once more, writes down in one record what became of them, and closes the journal if that was all.
 * Those that failed stay open, so that `restore` finds them, unless they are accepted as they are.
 */
export async function settle(
  { driver, journal }: ChangePorts,
  log: ChangeLog,
  endings: readonly Ending[],
  { accept = false } = {},
): Promise<readonly GpuOutcome[]> {
  const seen = await Promise.all(
    endings.map(async (ending) => ({ ending, live: await lastLook(driver, ending.work.intent.uuid) })),
  );
  const outcomes = seen.map(({ ending, live }) => outcomeOf(ending, live));
  const through = seen.filter(({ ending }) => accept || ending.outcome !== 'failed');
  try {
    if (through.length > 0) {
      await log.add({ kind: 'settled', gpus: through.map(({ ending, live }) => settledGpu(ending, live)) });
    }
    if (through.length === endings.length) await journal.close(log.name);
  } catch (error) {
    const why = brokenWhy('write the end of the change to the journal', error);
    return seen.map(({ ending, live }) =>
      outcomeOf({ ...ending, outcome: 'failed', why: ending.why ?? why }, live),
    );
  }
  return outcomes;
}

/** What to do after a change that did not end well, with the command. */
const nextSteps = {
  failed:
    'mend what the reason names, then run `mica node restore` to end the change; with `--interrupted accept` it leaves the GPU as it is',
  back: 'reboot this machine, then run `mica node restore` to put the layout before back',
  reboot: 'reboot this machine, then run `mica node restore` (the installed service does so by itself)',
} as const;

function inWords(state: CardState | null): string {
  if (state === null) return 'unknown, the driver does not answer';
  if (!state.mig) return 'MIG off';
  return state.placements.length === 0 ? 'no instances' : state.placements.map(asArgument).join(', ');
}

async function lastLook(driver: ChangePorts['driver'], uuid: string): Promise<LiveGpu | null> {
  try {
    const live = await lookAt(driver, uuid);
    return live.ok ? live.value : null;
  } catch {
    // A driver that is gone altogether has been said already, as the reason of the failure.
    return null;
  }
}

function outcomeOf({ work, outcome, why, needsReboot }: Ending, live: LiveGpu | null): GpuOutcome {
  const { intent } = work;
  const after = live === null ? null : stateOf(live);
  const kept = live === null ? [] : keptOf(work, live);
  const isKept = (place: Placement): boolean => kept.some((one) => isSamePlace(one, place));
  const { index, uuid } = intent;
  if (outcome === 'refused') {
    return { index, uuid, outcome, kept: [], created: [], destroyed: [], ...(why === null ? {} : { why }) };
  }
  const gpu = {
    index,
    uuid,
    outcome,
    kept,
    created: placesOf(after).filter((place) => !isKept(place)),
    destroyed: live === null ? [] : placesOf(intent.before).filter((place) => !isKept(place)),
    ...whyOf(intent, outcome, why, placesOf(after)),
  };
  if (outcome === 'needs-reboot') return { ...gpu, next: nextSteps.reboot };
  if (outcome !== 'failed') return gpu;
  const next = needsReboot === true ? nextSteps.back : nextSteps.failed;
  return { ...gpu, left: after, next: `GPU ${index} holds ${inWords(after)}; ${next}` };
}

/** The reason, and a word about instances that somebody else made meanwhile in places that nobody needs. */
function whyOf(
  intent: GpuIntent,
  outcome: Outcome,
  why: Why | null,
  after: readonly Placement[],
): { why?: Why } {
  const meant = placesOf(outcome === 'rolled-back' ? intent.before : intent.wanted);
  const strangers =
    outcome === 'rolled-back' || outcome === 'done'
      ? after.filter((place) => !meant.some((other) => isSamePlace(place, other)))
      : [];
  if (strangers.length === 0) return why === null ? {} : { why };
  const names = strangers.map(asArgument).join(', ');
  const message = `${names} appeared meanwhile, was not made by Mica and is left alone`;
  if (why === null) return { why: { kind: 'foreign', instances: strangers, message } };
  return { why: { ...why, message: `${why.message}; ${message}` } };
}

/** The same instances as before, not new ones in their places: ids come again, so the journal has a say. */
function keptOf(work: Work, live: LiveGpu): readonly Placement[] {
  const { intent, log } = work;
  if (!isOfThisBoot(work)) return [];
  const kept = intent.seen.filter(
    (mark) => live.instances.some((instance) => isMarked(instance, mark)) && !wasDestroyed(log, intent, mark),
  );
  return inGridOrder(kept.map(placeOf));
}

function wasDestroyed({ records }: ChangeLog, { uuid }: GpuIntent, mark: InstanceMark): boolean {
  return records.some(
    (record) =>
      record.kind === 'begin' &&
      record.uuid === uuid &&
      record.action.kind === 'destroy-instance' &&
      isSamePlace(record.action.placement, mark) &&
      !records.some((end) => end.kind === 'end' && end.step === record.step && !end.result.ok),
  );
}

function settledGpu({ work, outcome, why }: Ending, live: LiveGpu | null): SettledGpu {
  const { intent } = work;
  return {
    uuid: intent.uuid,
    index: intent.index,
    outcome,
    after: live === null ? null : stateOf(live),
    owned: live === null ? [] : ownedAfter(work, live, outcome),
    ...(why === null ? {} : { why }),
  };
}

/**
 * A layout that was reached is Mica's wholly, also what others made and it names. Otherwise nothing changes hands: ours
 * is what was ours and still stands, what was made again in its place, and what was made where nothing stood.
 */
function ownedAfter(work: Work, live: LiveGpu, outcome: Outcome): readonly InstanceMark[] {
  const { intent, log, ports } = work;
  const boot = ports.processes.bootId();
  const named = outcome === 'done' || outcome === 'unchanged' ? placesOf(intent.wanted) : [];
  const made = madeOn(log, intent.uuid, boot);
  const destroyed = destroyedOn(log, intent.uuid, boot);
  const stayed = isOfThisBoot(work) ? intent.owned : [];
  const isOurs = (one: LiveInstance): boolean => {
    if (isIn(named, one.placement)) return true;
    if (made.some((mark) => isMade(one, mark))) {
      return isIn(intent.owned, one.placement) || !isIn(placesOf(intent.before), one.placement);
    }
    const isMarkedBy = (mark: InstanceMark): boolean => isMarked(one, mark);
    return stayed.some(isMarkedBy) && !destroyed.some(isMarkedBy);
  };
  return marksOf(live.instances.filter(isOurs));
}

function isIn(places: readonly Placement[], place: Placement): boolean {
  return places.some((one) => isSamePlace(one, place));
}

function placeOf({ profile, start, size }: Placement): Placement {
  return { profile, start, size };
}
