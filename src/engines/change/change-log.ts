/** The open journal of one change: records go to disk one after the other, and none after one that failed. */
import type { ChangePorts } from './ports.js';
import type { ChangeRecord, PastChange } from './records.js';

/** A record as the caller has it: the log adds the time and the boot. */
type Unstamped<R> = R extends ChangeRecord ? Omit<R, 'atMs' | 'boot'> : never;

export interface ChangeLog {
  readonly name: string;
  readonly records: readonly ChangeRecord[];
  /** Resolves when the record is on disk. */
  readonly add: (record: Unstamped<ChangeRecord>) => Promise<void>;
  readonly nextStep: () => number;
}

export function continueLog(
  { journal, clock, processes }: ChangePorts,
  name: string,
  old: PastChange | null,
): ChangeLog {
  const records: ChangeRecord[] = [...(old?.records ?? [])];
  let steps = records.reduce(
    (most, record) => (record.kind === 'begin' ? Math.max(most, record.step) : most),
    0,
  );
  let last: Promise<void> = Promise.resolve();
  return {
    name,
    records,
    add: (unstamped) => {
      const record: ChangeRecord = { ...unstamped, atMs: clock.nowMs(), boot: processes.bootId() };
      last = last.then(async () => {
        await journal.append(name, record);
        records.push(record);
      });
      return last;
    },
    nextStep: () => (steps += 1),
  };
}

/**
 * Names sort as changes began, whatever the wall clock does, and no two are equal: a GPU is in one change at a time, so
 * its UUID tells two of the same millisecond apart.
 */
export function newName({ clock }: ChangePorts, changes: readonly PastChange[], firstUuid: string): string {
  const last = changes.reduce((most, { name }) => Math.max(most, Number.parseInt(name, 10) || 0), 0);
  const atMs = Math.max(clock.nowMs(), last + 1);
  return `${String(atMs).padStart(15, '0')}-${firstUuid.replaceAll(/[^\w-]/g, '_')}`;
}
