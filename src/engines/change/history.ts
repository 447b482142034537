/** Looking back: what was changed on this machine, and taking a change back. */
import type { CardState } from '#core/plan/gpu-actions';
import { worstOf, type ChangeAnswer, type Outcome, type Why } from './answer.js';
import { changeGpus } from './change.js';
import type { ChangeOptions } from './options.js';
import type { ChangePorts } from './ports.js';
import { changedGpus, lastUndoable } from './recall.js';
import { readPast, type Intent, type PastChange, type SignalledProcess } from './records.js';

export interface HistoryEntry {
  /** What `undo` takes. */
  readonly change: string;
  readonly atMs: number;
  readonly cause: Intent['cause'];
  /** `null`: not finished. */
  readonly outcome: Outcome | null;
  readonly gpus: readonly {
    readonly index: number;
    readonly uuid: string;
    readonly before: CardState;
    readonly wanted: CardState;
    /** `null`: not finished, or the GPU did not say. */
    readonly after: CardState | null;
    readonly outcome: Outcome | null;
    readonly why?: Why;
  }[];
  /** Processes in the way that were told to leave, in that order. */
  readonly signals: readonly SentSignal[];
}

export interface SentSignal extends SignalledProcess {
  readonly atMs: number;
  readonly signal: 'SIGTERM' | 'SIGKILL';
  /** `null`: the change was interrupted before anybody wrote it down. */
  readonly reached: boolean | null;
}

export type UndoAnswer =
  /** `undone`: its name, so that what was rehearsed and what is done can be one. */
  | { readonly ok: true; readonly undone: string; readonly answer: ChangeAnswer }
  | {
      readonly ok: false;
      readonly why: { readonly kind: 'unknown-change' | 'nothing-to-undo'; readonly message: string };
    };

/** Oldest first. */
export async function historyOf(ports: Pick<ChangePorts, 'journal'>): Promise<readonly HistoryEntry[]> {
  return (await readPast(ports.journal)).changes.map(entryOf);
}

/**
 * A change back to the layouts before the named one, on the GPUs that it changed; without a name the last one that
 * changed anything by itself, which a restore does not. It is a change like any other, so it can be undone too.
 */
export async function undoChange(
  ports: ChangePorts,
  name: string | null,
  options: ChangeOptions = {},
): Promise<UndoAnswer> {
  const { changes } = await readPast(ports.journal);
  const change = name === null ? lastUndoable(changes) : changes.find((one) => one.name === name);
  if (change === undefined) {
    const message =
      name === null ? 'nothing was changed here yet' : `no change is called ${name}; see the history`;
    return { ok: false, why: { kind: name === null ? 'nothing-to-undo' : 'unknown-change', message } };
  }
  const gpus = changedGpus(change);
  if (gpus.length === 0) {
    const message = `${change.name} changed nothing that stayed, so there is nothing to undo`;
    return { ok: false, why: { kind: 'nothing-to-undo', message } };
  }
  const wanted = gpus.map(({ uuid, before }) => ({ gpu: uuid, want: before }));
  return { ok: true, undone: change.name, answer: await changeGpus(ports, wanted, options, 'undo') };
}

/** What was signalled in this change, and whether it got there. */
export function signalsOf({ records }: Pick<PastChange, 'records'>): readonly SentSignal[] {
  return records.flatMap((record, index): readonly SentSignal[] => {
    if (record.kind !== 'signal') return [];
    const { atMs, signal, processes } = record;
    // Nothing else is written between the two.
    const answer = records[index + 1];
    const reached = answer?.kind === 'signalled' ? answer.reached : null;
    return processes.map((one) => ({
      ...one,
      atMs,
      signal,
      reached: reached === null ? null : reached.includes(one.pid),
    }));
  });
}

function entryOf(past: PastChange): HistoryEntry {
  const { name, intent, settled } = past;
  const gpus = intent.gpus.map(({ index, uuid, before, wanted }) => {
    const end = settled.get(uuid);
    const why = end?.why === undefined ? {} : { why: end.why };
    return { index, uuid, before, wanted, after: end?.after ?? null, outcome: end?.outcome ?? null, ...why };
  });
  const ends = [...settled.values()];
  const outcome = ends.length < gpus.length ? null : worstOf(ends);
  return { change: name, atMs: intent.atMs, cause: intent.cause, outcome, gpus, signals: signalsOf(past) };
}
