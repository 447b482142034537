/** After a crash: changes that were begun and not finished are ended, on exactly the old or exactly the new layout. */
import { wayTo } from '#core/plan/gpu-actions';
import { worstOf, type ChangeAnswer, type GpuOutcome, type Why } from './answer.js';
import { caught, endingOf, goBack, goToUnchecked } from './carry-out.js';
import { continueLog, type ChangeLog } from './change-log.js';
import { mayDestroy, type Work } from './execute.js';
import { fenceOff, noFence, takenBy, type Fencing } from './fence.js';
import { signalsOf } from './history.js';
import { lockGpus } from './locks.js';
import { lookAt } from './look.js';
import type { ChangePorts } from './ports.js';
import { openGpus, readPast, turnedBack, type PastChange } from './records.js';
import { settle, type Ending } from './settle.js';

/**
 * `back`: the layout before, but a change that was through on all its GPUs and not written down as such stays.
 * `forward`: the layout wanted, and if that does not work the one before. `accept`: whatever the GPUs hold now; for a
 * card that can be neither.
 */
export type Direction = 'back' | 'forward' | 'accept';

/** One answer for each interrupted change, oldest first. One that is going on right now is refused as locked. */
export async function resumeChanges(
  ports: ChangePorts,
  direction: Direction = 'back',
): Promise<readonly ChangeAnswer[]> {
  const answers: ChangeAnswer[] = [];
  for (const { name, intent } of (await readPast(ports.journal)).changes.filter(({ isOpen }) => isOpen)) {
    const locks = await lockGpus(
      ports,
      intent.gpus.map(({ uuid }) => uuid),
    );
    try {
      // Read again: whoever held the lock may have finished it.
      const change = (await readPast(ports.journal)).changes.find((one) => one.name === name && one.isOpen);
      if (change !== undefined) answers.push(await resumeOne(ports, change, direction, locks.refused));
    } finally {
      await locks.release();
    }
  }
  return answers;
}

async function resumeOne(
  ports: ChangePorts,
  change: PastChange,
  direction: Direction,
  locked: ReadonlyMap<string, Why>,
): Promise<ChangeAnswer> {
  const { name } = change;
  const [lock] = [...locked.values()];
  if (lock !== undefined) return refusedAnswer(change, lock);
  const log = continueLog(ports, name, change);
  const made: Work['fence'] = { made: (slice) => fence.made(slice) };
  let fence = noFence;
  const works = openGpus(change).map((intent): Work => ({
    ...{ ports, log, intent, fence: made },
    patience: { leftMs: 0 },
    isStopped: () => false,
  }));
  if (direction === 'accept') return acceptAll(ports, change, log, works);
  const keepGoing = change.intent.options.keepGoing === true;
  const groups = keepGoing ? works.map((work) => [work]) : [works];
  // Where some of the GPUs went back already, all or nothing leaves the others one way only.
  const way = !keepGoing && wentBack(change) ? 'back' : direction;
  const losing = await Promise.all(groups.map((group) => lostBy(change, group, way)));
  const fenced = await fenceOff(ports, losing.flat());
  const [leased] = fenced.whys.values();
  if (leased !== undefined) return refusedAnswer(change, leased);
  try {
    fence = fenced.fence;
    const endings = await Promise.all(groups.map((group) => endGroup(change, log, group, way)));
    const gpus = await settle(ports, log, endings.flat());
    return { outcome: worstOf(gpus), change: name, gpus };
  } finally {
    await fenced.fence.release();
  }
}

/** What may have been leased since the change was interrupted, and would go on either way to its end. */
async function lostBy(
  change: PastChange,
  works: readonly Work[],
  direction: 'back' | 'forward',
): Promise<readonly Fencing[]> {
  if (await isAllThrough(change, works, direction)) return [];
  return Promise.all(
    works.map(async (work): Promise<Fencing> => {
      const { uuid, before, wanted } = work.intent;
      const live = await lookAt(work.ports.driver, uuid);
      const targets = direction === 'back' ? [before] : [wanted, before];
      const actions = live.ok
        ? targets.flatMap((target) => wayTo(target, live.value, mayDestroy(work)).actions)
        : [];
      return { slices: takenBy(uuid, actions) };
    }),
  );
}

/** GPUs that stand or fall together. */
async function endGroup(
  change: PastChange,
  log: ChangeLog,
  works: readonly Work[],
  direction: 'back' | 'forward',
): Promise<readonly Ending[]> {
  const done = works.map((work): Ending => ({ work, outcome: 'done', why: null }));
  const failures = new Map<Work, Why | null>(works.map((work) => [work, null]));
  if (direction === 'forward') {
    for (const [work, why] of await onAll(works, (one) => goToUnchecked(one, one.ports)))
      failures.set(work, why);
    if ([...failures.values()].every((why) => why === null)) return done;
  } else if (await isAllThrough(change, works, direction)) return done;
  const first = [...failures.values()].find((why) => why !== null);
  const notBack = await goBack(log, failures);
  return works.map((work) =>
    endingOf(work, failures.get(work) ?? first ?? interruptedWhy(change), notBack.get(work) ?? null),
  );
}

async function onAll(
  works: readonly Work[],
  go: (work: Work) => Promise<Why | null>,
): Promise<readonly (readonly [Work, Why | null])[]> {
  return Promise.all(works.map(async (work) => [work, await caught('go on', () => go(work))] as const));
}

async function isAllThrough(
  change: PastChange,
  works: readonly Work[],
  direction: 'back' | 'forward',
): Promise<boolean> {
  if (direction === 'forward' || works.some(({ intent }) => turnedBack(change, intent.uuid))) return false;
  return (await Promise.all(works.map(isThrough))).every(Boolean);
}

/** Whether the GPU is as wanted, with nothing left to do. */
async function isThrough(work: Work): Promise<boolean> {
  const live = await lookAt(work.ports.driver, work.intent.uuid);
  if (!live.ok) return false;
  const { actions, inTheWay } = wayTo(work.intent.wanted, live.value, mayDestroy(work));
  return actions.length === 0 && inTheWay.length === 0;
}

/** Written down as failed, so that nothing is ever restored from it; what Mica made of it stays Mica's. */
async function acceptAll(
  ports: ChangePorts,
  change: PastChange,
  log: ChangeLog,
  works: readonly Work[],
): Promise<ChangeAnswer> {
  const why: Why = { kind: 'interrupted', message: 'accepted as it is; the interrupted change is forgotten' };
  const endings = works.map((work): Ending => ({ work, outcome: 'failed', why }));
  const settled = await settle(ports, log, endings, { accept: true });
  const gpus = settled.map((gpu): GpuOutcome => {
    const { index, uuid, kept, created, destroyed } = gpu;
    return { index, uuid, outcome: 'unchanged', kept, created, destroyed, why };
  });
  return { outcome: worstOf(gpus), change: change.name, gpus };
}

function refusedAnswer(change: PastChange, why: Why): ChangeAnswer {
  const gpus = openGpus(change).map(({ index, uuid }): GpuOutcome => ({
    index,
    uuid,
    outcome: 'refused',
    kept: [],
    created: [],
    destroyed: [],
    why,
  }));
  return { outcome: 'refused', change: change.name, gpus };
}

function wentBack({ settled }: PastChange): boolean {
  return [...settled.values()].some(({ outcome }) => outcome === 'rolled-back');
}

/** Processes that were told to leave do not come back with the layout. */
function interruptedWhy(change: PastChange): Why {
  const told = signalsOf(change).flatMap(({ signal, pid, name, reached }) => {
    if (reached === false) return [];
    const sent = reached === true ? 'was sent' : 'may have been sent';
    return [`; ${signal} ${sent} to ${name ?? 'a process'} (pid ${pid})`];
  });
  return {
    kind: 'interrupted',
    message: `the change was interrupted${told.join('')}`,
  };
}
