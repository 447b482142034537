/** Changing the GPUs of this machine: judged wholly first, then done step by step, and ended in one of six ways. */
import { isSamePlace } from '#core/plan/steps';
import type { GpuInfo } from '#ports/gpu-driver';
import type { SliceFence } from '#ports/slice-guard';
import { driverWhy, worstOf, type ChangeAnswer, type GpuOutcome, type Why } from './answer.js';
import { beginChange, carryOut, caught } from './carry-out.js';
import { newName } from './change-log.js';
import { busyWhy, holdersOf } from './clients.js';
import { fenceOff, leasedWhys, takenBy, type Fencing } from './fence.js';
import { disturbed, freeUp } from './free-up.js';
import { judgeGpu, type JudgedGpu } from './judge.js';
import { lockGpus, unfinishedWhy } from './locks.js';
import type { ChangeOptions, RestoredGpu, WantedGpu } from './options.js';
import type { ChangePorts } from './ports.js';
import { isOnRecord, lastApplied, needless } from './recall.js';
import { placesOf, readPast, type Intent, type Past } from './records.js';

type Wanted = WantedGpu | RestoredGpu;

/** A GPU on its way through the change: still going, or through with an outcome. */
type Entry =
  | { readonly kind: 'named'; readonly info: GpuInfo; readonly want: Wanted['want'] }
  | { readonly kind: 'judged'; readonly info: GpuInfo; readonly gpu: JudgedGpu }
  | { readonly kind: 'over'; readonly outcome: GpuOutcome };

export async function changeGpus(
  ports: ChangePorts,
  wanted: readonly Wanted[],
  options: ChangeOptions = {},
  cause: Intent['cause'] = 'apply',
): Promise<ChangeAnswer> {
  const entries = allOrNothing(await nameGpus(ports, wanted), options);
  if (options.dryRun === true) {
    const judged = await judgeAll(ports, entries, options, await readPast(ports.journal));
    return answerOf(null, await Promise.all(judged.map((entry) => rehearsed(ports, entry, options))));
  }
  const uuids = entries.flatMap((entry) => (entry.kind === 'named' ? [entry.info.uuid] : []));
  const locks = await lockGpus(ports, uuids);
  try {
    const free = entries.map((entry) => refuseWhere(entry, ({ uuid }) => locks.refused.get(uuid) ?? null));
    return await changeLocked(ports, allOrNothing(free, options), options, cause);
  } finally {
    await locks.release();
  }
}

async function changeLocked(
  ports: ChangePorts,
  entries: readonly Entry[],
  options: ChangeOptions,
  cause: Intent['cause'],
): Promise<ChangeAnswer> {
  // Read under the locks: nobody else writes about these GPUs now.
  const past = await readPast(ports.journal);
  const judged = await judgeAll(ports, entries, options, past);
  const isNew = ({ steps, intent }: JudgedGpu): boolean =>
    steps.length > 0 || !isOnRecord(past.changes, intent);
  const news = judgedOf(judged).filter(isNew);
  if (news.length === 0) return answerOf(null, judged.map(asOutcome));
  const each = options.keepGoing === true;
  const fenced = await fenceOff(ports, news.map(fencing), { waitMs: options.waitMs ?? 0, each });
  try {
    const whys = new Map([...fenced.whys].map(([{ gpu }, why]) => [gpu, why] as const));
    const unleased = refuseAll(judged, whys, options);
    const still = judgedOf(unleased).filter(isNew);
    const moved = fenced.waited ? await disturbed(ports, still) : new Map<JudgedGpu, Why>();
    return await changeFenced(ports, refuseAll(unleased, moved, options), {
      ...{ options, cause, past, isNew, fence: fenced.fence },
    });
  } finally {
    await fenced.fence.release();
  }
}

interface FencedChange {
  readonly options: ChangeOptions;
  readonly cause: Intent['cause'];
  readonly past: Past;
  /** Whether there is anything to do or to write down. */
  readonly isNew: (gpu: JudgedGpu) => boolean;
  readonly fence: SliceFence;
}

async function changeFenced(
  ports: ChangePorts,
  judged: readonly Entry[],
  { options, cause, past, isNew, fence }: FencedChange,
): Promise<ChangeAnswer> {
  const news = judgedOf(judged).filter(isNew);
  const [first] = news;
  if (first === undefined) return answerOf(null, judged.map(asOutcome));
  const name = newName(ports, past.changes, first.intent.uuid);
  const begin = (gpus: readonly JudgedGpu[]) => beginChange(ports, name, gpus, options, cause);
  const refusing = (whys: ReadonlyMap<JudgedGpu, Why>): readonly Entry[] => refuseAll(judged, whys, options);
  const freed = await freeUp(ports, news, options, begin);
  const ready = refusing(freed.whys);
  const going = judgedOf(ready).filter((gpu) => news.includes(gpu));
  if (freed.log === null && going.length === 0) return answerOf(null, ready.map(asOutcome));
  const begun = freed.log === null ? await begin(going) : { ok: true as const, value: freed.log };
  if (!begun.ok) {
    const { why } = begun;
    return answerOf(
      null,
      refusing(new Map([...freed.whys, ...going.map((gpu) => [gpu, why] as const)])).map(asOutcome),
    );
  }
  const refused = freed.log === null ? new Map<JudgedGpu, Why>() : refusedOf(news, judged, ready);
  const outcomes = await carryOut(ports, begun.value, going, refused, options, fence);
  await forgetNeedless(ports, past);
  const found = new Map(outcomes.map((gpu) => [gpu.uuid, gpu]));
  const gpus = ready.map((entry) => {
    const uuid = entry.kind === 'over' ? entry.outcome.uuid : entry.info.uuid;
    return (uuid === null ? undefined : found.get(uuid)) ?? asOutcome(entry);
  });
  return answerOf(name, gpus);
}

/** Those that the journal has, and that are not to be changed after all. */
function refusedOf(
  news: readonly JudgedGpu[],
  before: readonly Entry[],
  after: readonly Entry[],
): ReadonlyMap<JudgedGpu, Why> {
  const refused = new Map<JudgedGpu, Why>();
  for (const [index, entry] of before.entries()) {
    const now = after[index];
    if (entry.kind !== 'judged' || now?.kind !== 'over' || now.outcome.why === undefined) continue;
    if (news.includes(entry.gpu)) refused.set(entry.gpu, now.outcome.why);
  }
  return refused;
}

/** What is past is bounded. Failing at that is no failure of the change, and the next one tries again. */
async function forgetNeedless({ journal }: ChangePorts, { changes }: Past): Promise<void> {
  await caught('forget old changes', async () => {
    await journal.forget(needless(changes));
    return null;
  });
}

/** Which GPUs are meant. One that is not there, or named twice, is refused. */
async function nameGpus({ driver }: ChangePorts, wanted: readonly Wanted[]): Promise<readonly Entry[]> {
  const gpus = await driver.gpus();
  if (!gpus.ok) return wanted.map(({ gpu }) => refusedEntry(gpu, driverWhy(gpus, 'list the GPUs')));
  const named = new Set<string>();
  return wanted.map(({ gpu, want }): Entry => {
    const info = gpus.value.find((one) => one.index === gpu || one.uuid === gpu);
    if (info === undefined) {
      return refusedEntry(gpu, {
        kind: 'unknown-gpu',
        message: `this machine has no GPU ${gpu}`,
      });
    }
    if (named.has(info.uuid)) {
      return refusedEntry(gpu, { kind: 'named-twice', message: `GPU ${info.index} is named twice` });
    }
    named.add(info.uuid);
    return { kind: 'named', info, want };
  });
}

async function judgeAll(
  ports: ChangePorts,
  entries: readonly Entry[],
  options: ChangeOptions,
  past: Past,
): Promise<readonly Entry[]> {
  const judged = await Promise.all(
    entries.map(async (entry): Promise<Entry> => {
      if (entry.kind !== 'named') return entry;
      const { info, want } = entry;
      const unfinished = unfinishedWhy(past, info.uuid);
      if (unfinished !== null) return refused(info, unfinished);
      const wish = want === 'last-applied' ? lastApplied(past.changes, info.uuid) : want;
      if (wish === null) return entry;
      const judgement = await judgeGpu(ports, info, wish, options, past.changes);
      return judgement.ok ? { kind: 'judged', info, gpu: judgement.value } : refused(info, judgement.why);
    }),
  );
  return allOrNothing(judged, options);
}

/** One refusal refuses all, unless each GPU goes for itself. */
function allOrNothing(entries: readonly Entry[], { keepGoing }: ChangeOptions): readonly Entry[] {
  const bad = entries.find((entry) => entry.kind === 'over');
  if (bad === undefined || keepGoing === true) return entries;
  const { index, why } = bad.outcome;
  const message = `all or nothing, and GPU ${index ?? 'named'} was refused: ${why?.message ?? 'no reason given'}`;
  return entries.map((entry) =>
    entry.kind === 'over' ? entry : refused(entry.info, { kind: 'other-gpu', message }),
  );
}

/** What a dry run says of a GPU: the steps, who would be drained, or who is in the way. */
async function rehearsed(ports: ChangePorts, entry: Entry, options: ChangeOptions): Promise<GpuOutcome> {
  if (entry.kind !== 'judged' || entry.gpu.steps.length === 0) return asOutcome(entry);
  const { info, gpu } = entry;
  const holders = await holdersOf(ports, gpu);
  if (!holders.ok) return asOutcome(refused(info, holders.why));
  const busy = holders.value;
  const waits = (options.waitMs ?? 0) > 0;
  const [leased] = waits ? [] : (await leasedWhys(ports, [fencing(gpu)])).values();
  if (leased !== undefined) return asOutcome(refused(info, leased));
  if (busy.length > 0 && options.drain === undefined && !waits) {
    return asOutcome(refused(info, busyWhy(busy)));
  }
  const { before, wanted } = gpu.intent;
  const [from, to] = [placesOf(before), placesOf(wanted)];
  return {
    index: info.index,
    uuid: info.uuid,
    outcome: 'done',
    kept: from.filter((place) => to.some((other) => isSamePlace(place, other))),
    created: to.filter((place) => !from.some((other) => isSamePlace(place, other))),
    destroyed: from.filter((place) => !to.some((other) => isSamePlace(place, other))),
    steps: gpu.steps,
    drains: busy,
  };
}

function judgedOf(entries: readonly Entry[]): readonly JudgedGpu[] {
  return entries.flatMap((entry) => (entry.kind === 'judged' ? [entry.gpu] : []));
}

/** What happens to a GPU of those that are judged, as whoever leases slices must know it. */
function fencing(gpu: JudgedGpu): Fencing & { readonly gpu: JudgedGpu } {
  return { gpu, slices: takenBy(gpu.intent.uuid, gpu.steps) };
}

function refuseAll(
  entries: readonly Entry[],
  whys: ReadonlyMap<JudgedGpu, Why>,
  options: ChangeOptions,
): readonly Entry[] {
  const after = entries.map((entry) =>
    refuseWhere(entry, () => (entry.kind === 'judged' ? (whys.get(entry.gpu) ?? null) : null)),
  );
  return allOrNothing(after, options);
}

function refuseWhere(entry: Entry, whyOf: (info: GpuInfo) => Why | null): Entry {
  if (entry.kind === 'over') return entry;
  const why = whyOf(entry.info);
  return why === null ? entry : refused(entry.info, why);
}

function refused({ index, uuid }: GpuInfo, why: Why): Entry {
  return { kind: 'over', outcome: { index, uuid, outcome: 'refused', ...nothing, why } };
}

function refusedEntry(gpu: number | string, why: Why): Entry {
  const named = typeof gpu === 'number' ? { index: gpu, uuid: null } : { index: null, uuid: gpu };
  return { kind: 'over', outcome: { ...named, outcome: 'refused', ...nothing, why } };
}

function asOutcome(entry: Entry): GpuOutcome {
  if (entry.kind === 'over') return entry.outcome;
  const { index, uuid } = entry.info;
  const kept = entry.kind === 'judged' ? placesOf(entry.gpu.intent.before) : [];
  return { index, uuid, outcome: 'unchanged', ...nothing, kept };
}

function answerOf(change: string | null, gpus: readonly GpuOutcome[]): ChangeAnswer {
  return { outcome: worstOf(gpus), change, gpus };
}

const nothing = { kept: [], created: [], destroyed: [] } as const;
