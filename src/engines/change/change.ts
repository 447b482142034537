/** Changing the GPUs of this machine: judged wholly first, then done step by step, and ended in one of six ways. */
import { isSamePlace } from '#core/plan/steps';
import type { GpuInfo } from '#ports/gpu-driver';
import { driverWhy, worstOf, type ChangeAnswer, type GpuOutcome, type Why } from './answer.js';
import { carryOut } from './carry-out.js';
import { newName } from './change-log.js';
import { busyWhy, freeUp, holdersOf } from './clients.js';
import { judgeGpu, type JudgedGpu } from './judge.js';
import { lockGpus, unfinishedWhy } from './locks.js';
import type { ChangeOptions, WantedGpu } from './options.js';
import type { ChangePorts } from './ports.js';
import { isOnRecord, placesOf, readPast, type Intent, type Past } from './records.js';

/** A GPU on its way through the change: still going, or through with an outcome. */
type Entry =
  | { readonly kind: 'named'; readonly info: GpuInfo; readonly want: WantedGpu['want'] }
  | { readonly kind: 'judged'; readonly info: GpuInfo; readonly gpu: JudgedGpu }
  | { readonly kind: 'over'; readonly outcome: GpuOutcome };

export async function changeGpus(
  ports: ChangePorts,
  wanted: readonly WantedGpu[],
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
  const busy = await freeUp(ports, judgedOf(judged), options);
  const ready = allOrNothing(
    judged.map((entry) =>
      refuseWhere(entry, () => (entry.kind === 'judged' ? (busy.get(entry.gpu) ?? null) : null)),
    ),
    options,
  );
  const gpus = judgedOf(ready);
  const [first] = gpus;
  const news = gpus.filter((gpu) => gpu.steps.length > 0 || !isOnRecord(past.changes, gpu.intent));
  if (first === undefined || news.length === 0) return answerOf(null, ready.map(asOutcome));
  const name = newName(ports, past.changes, first.intent.uuid);
  const outcomes = await carryOut(ports, name, news, options, cause);
  const found = new Map(outcomes.map((gpu) => [gpu.uuid, gpu]));
  return answerOf(
    name,
    ready.map(
      (entry) => (entry.kind === 'over' ? undefined : found.get(entry.info.uuid)) ?? asOutcome(entry),
    ),
  );
}

/** Which GPUs are meant. One that is not there, or named twice, is refused. */
async function nameGpus({ driver }: ChangePorts, wanted: readonly WantedGpu[]): Promise<readonly Entry[]> {
  const gpus = await driver.gpus();
  if (!gpus.ok) return wanted.map(({ gpu }) => refusedEntry(gpu, driverWhy(gpus, 'list the GPUs')));
  const named = new Set<string>();
  return wanted.map(({ gpu, want }): Entry => {
    const info = gpus.value.find((one) => one.index === gpu || one.uuid === gpu);
    if (info === undefined) {
      return refusedEntry(gpu, { kind: 'unknown-gpu', message: `this machine has no GPU ${gpu}` });
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
      const judgement = await judgeGpu(ports, info, want, options, past.changes);
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
  if (busy.length > 0 && options.drain === undefined && (options.waitMs ?? 0) === 0) {
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
