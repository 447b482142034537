/** Doing it on all GPUs of a change at the same time, and going back where that does not work out. */
import { brokenWhy, type GpuOutcome, type Why } from './answer.js';
import { cardFor } from './card.js';
import { continueLog, type ChangeLog } from './change-log.js';
import { goTo, putBack, type Work } from './execute.js';
import { targetOf, type JudgedGpu } from './judge.js';
import type { ChangeOptions } from './options.js';
import type { ChangePorts } from './ports.js';
import type { Looked } from './look.js';
import { intentRecord, type Intent } from './records.js';
import { settle, type Ending } from './settle.js';

/** Writes down what is about to be done; nothing is, where that does not work. */
export async function beginChange(
  ports: ChangePorts,
  name: string,
  gpus: readonly JudgedGpu[],
  options: ChangeOptions,
  cause: Intent['cause'],
): Promise<Looked<ChangeLog>> {
  const log = continueLog(ports, name, null);
  const unwritten = await caught('begin a journal', async () => {
    await log.add(intentRecord({ cause, options, gpus: gpus.map(({ intent }) => intent) }));
    return null;
  });
  return unwritten === null ? { ok: true, value: log } : { ok: false, why: unwritten };
}

/**
 * GPUs that are as wanted already are written down as such, and left alone; so are those that were refused after the
 * beginning, when processes had been asked to leave.
 */
export async function carryOut(
  ports: ChangePorts,
  log: ChangeLog,
  gpus: readonly JudgedGpu[],
  refused: ReadonlyMap<JudgedGpu, Why>,
  options: ChangeOptions,
  fence: Work['fence'],
): Promise<readonly GpuOutcome[]> {
  const failures = new Map<JudgedGpu, Why>();
  const isOver = (): boolean => failures.size > 0 && options.keepGoing !== true;
  const works = new Map(
    [...gpus, ...refused.keys()].map((gpu): [JudgedGpu, Work] => [
      gpu,
      {
        ...{ ports, log, fence, intent: gpu.intent },
        ...{ patience: { leftMs: options.waitMs ?? 0 }, isStopped: isOver },
      },
    ]),
  );
  const onEach = async (
    some: readonly JudgedGpu[],
    go: (work: Work, gpu: JudgedGpu) => Promise<Why | null>,
  ) => {
    await Promise.all(
      some.map(async (gpu) => {
        const why = await caught('go on', () => go(works.get(gpu)!, gpu));
        if (why !== null) failures.set(gpu, why);
      }),
    );
  };
  // What may need a reboot comes first, while nothing else has been touched yet.
  const active = gpus.filter(({ steps }) => steps.length > 0);
  await onEach(
    active.filter(({ intent }) => intent.wanted.mig && !intent.before.mig),
    (work) => goTo(work, { mig: true, placements: [] }),
  );
  await onEach(isOver() ? [] : active.filter((gpu) => !failures.has(gpu)), (work, { checked }) =>
    goToWanted(work, checked),
  );
  const back = isOver() ? active : active.filter((gpu) => failures.has(gpu));
  const returning = back.filter((gpu) => failures.get(gpu)?.kind !== 'needs-reboot');
  const notBack = await goBack(
    log,
    new Map(returning.map((gpu) => [works.get(gpu)!, failures.get(gpu) ?? null])),
  );
  const first = gpus.find((gpu) => failures.has(gpu) && failures.get(gpu)?.kind !== 'other-gpu');
  const endings = gpus.map((gpu): Ending => {
    const work = works.get(gpu)!;
    const why = failures.get(gpu) ?? null;
    if (!active.includes(gpu)) return { work, outcome: 'unchanged', why };
    if (why?.kind === 'needs-reboot') return { work, outcome: 'needs-reboot', why };
    if (!back.includes(gpu)) return { work, outcome: 'done', why: null };
    const reason = why === null || why.kind === 'other-gpu' ? otherGpu(first, failures) : why;
    return endingOf(work, reason, notBack.get(work) ?? null);
  });
  const refusals = [...refused].map(([gpu, why]): Ending => ({
    work: works.get(gpu)!,
    outcome: 'refused',
    why,
  }));
  return settle(ports, log, [...endings, ...refusals]);
}

/** Back to the layout before; the answer has the GPUs that did not get there. */
export async function goBack(
  log: ChangeLog,
  works: ReadonlyMap<Work, Why | null>,
): Promise<ReadonlyMap<Work, Why>> {
  const notBack = new Map<Work, Why>();
  if (works.size === 0) return notBack;
  const [why] = [...works.values()].filter((one) => one !== null);
  const uuids = [...works.keys()].map(({ intent }) => intent.uuid);
  const written = await caught('write to the journal', async () => {
    await log.add({ kind: 'back', uuids, why: why?.message ?? 'asked to' });
    return null;
  });
  await Promise.all(
    [...works.keys()].map(async (work) => {
      const refused = written ?? (await caught('go back', () => putBack(work, work.intent.before)));
      if (refused !== null) notBack.set(work, refused);
    }),
  );
  return notBack;
}

export function endingOf(work: Work, why: Why, notBack: Why | null): Ending {
  if (notBack === null) return { work, outcome: 'rolled-back', why };
  const message =
    notBack.message === why.message
      ? `${why.message}; the layout before could not be put back either`
      : `${why.message}; the layout before could not be put back: ${notBack.message}`;
  return { work, outcome: 'failed', why: { ...why, message }, needsReboot: notBack.kind === 'needs-reboot' };
}

/** What throws is out of order altogether, such as a journal on a full disk: the GPU stays as it is. */
export async function caught(doing: string, go: () => Promise<Why | null>): Promise<Why | null> {
  try {
    return await go();
  } catch (error) {
    return brokenWhy(doing, error);
  }
}

async function goToWanted(work: Work, checked: boolean): Promise<Why | null> {
  const { intent, ports } = work;
  if (checked) return goTo(work, intent.wanted);
  return goToUnchecked(work, ports);
}

/** For a card that lists its profiles only with MIG on, and that the catalogue does not know. */
export async function goToUnchecked(work: Work, { driver }: ChangePorts): Promise<Why | null> {
  const { uuid, wanted } = work.intent;
  const gpus = await driver.gpus();
  const info = gpus.ok ? gpus.value.find((gpu) => gpu.uuid === uuid) : undefined;
  if (info === undefined)
    return { kind: 'unknown-gpu', message: `the driver does not list ${uuid} any more` };
  const card = await cardFor(driver, info);
  if (!card.ok) return card.why;
  const target = targetOf(wanted, card.value);
  return target.ok ? goTo(work, target.value) : target.why;
}

function otherGpu(first: JudgedGpu | undefined, failures: ReadonlyMap<JudgedGpu, Why>): Why {
  const why = first === undefined ? undefined : failures.get(first);
  const message =
    first === undefined || why === undefined
      ? 'another GPU of this change failed'
      : `all or nothing, and GPU ${first.intent.index} did not work out: ${why.message}`;
  return { kind: 'other-gpu', message };
}
