/** The batches of this machine, newest first: how far each has come, and whether anybody runs it. */
import { verdictOf, type BatchRequest } from '#engines/run/batch/job';
import { hasEnded, type LeasePorts } from '#engines/run/ports';
import type { AttemptRecord, BatchRecord, RunTables } from '#ports/run-store';
import { printable, type Screen } from '../../terminal/screen.js';
import { tableOf } from '../../terminal/table.js';

export interface ListedBatch {
  readonly id: string;
  readonly startedMs: number;
  readonly endedMs: number | null;
  /** `stopped`: it can be resumed. */
  readonly state: 'running' | 'done' | 'stopped';
  readonly jobs: number;
  readonly passed: number;
  readonly failed: number;
  /** Without a result yet. */
  readonly open: number;
  /** What its first job is called. */
  readonly first: string;
}

/** What it takes to tell whether somebody still runs a batch. */
export type Onlookers = Pick<LeasePorts, 'processes' | 'self'>;

const mostListed = 20;

export function listBatches(tables: RunTables, ports: Onlookers): readonly ListedBatch[] {
  return tables.batches(mostListed).map((batch) => {
    const { jobs, retries } = JSON.parse(batch.request) as BatchRequest;
    const attempts = new Map<number, AttemptRecord[]>(jobs.map((_, place) => [place, []]));
    for (const attempt of tables.attempts(batch.id)) attempts.get(attempt.job)?.push(attempt);
    const verdicts = jobs.map((job, place) => verdictOf(job, attempts.get(place) ?? [], retries));
    const passed = verdicts.filter((one) => one?.kind === 'passed').length;
    const open = verdicts.filter((one) => one === null).length;
    return {
      ...{ id: batch.id, startedMs: batch.startedMs, endedMs: batch.endedMs },
      state: stateOf(batch, ports),
      ...{ jobs: jobs.length, passed, open, failed: jobs.length - passed - open },
      first: jobs[0]?.name ?? '',
    };
  });
}

export function stateOf({ endedMs, runner }: BatchRecord, ports: Onlookers): ListedBatch['state'] {
  if (endedMs !== null) return 'done';
  return hasEnded(ports, runner) ? 'stopped' : 'running';
}

export function describeBatches(screen: Screen, batches: readonly ListedBatch[]): string {
  if (batches.length === 0) return 'no batch has run here yet';
  const columns = [
    ...[{ head: 'BATCH' }, { head: 'STARTED' }, { head: 'STATE' }],
    ...([
      { head: 'PASSED', align: 'right' },
      { head: 'FAILED', align: 'right' },
    ] as const),
    ...([{ head: 'OPEN', align: 'right' }, { head: 'FIRST JOB' }] as const),
  ];
  const rows = batches.map(({ id, startedMs, state, passed, failed, open, first }) => [
    ...[id, new Date(startedMs).toISOString().replace(/\.\d+/, ''), state],
    ...[String(passed), String(failed), String(open), shortened(printable(first))],
  ]);
  const stopped = batches.filter(({ state }) => state === 'stopped').map(({ id }) => id);
  const next =
    stopped.length === 0 ? [] : [`go on with a stopped one: mica batch --resume ${stopped[0] ?? ''}`];
  return [tableOf(screen, columns, rows), ...next].join('\n\n');
}

function shortened(text: string): string {
  return text.length <= 40 ? text : `${text.slice(0, 39)}…`;
}
