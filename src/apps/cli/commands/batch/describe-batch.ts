/** A batch's report as people and programs read it. */
import { resultInWords } from '#engines/run/batch/job';
import type { BatchReport, BatchSummary, JobReport } from '#engines/run/batch/report';
import { formatUsd } from '#core/units';
import type { Screen } from '../../terminal/screen.js';
import { printable } from '../../terminal/screen.js';

type LogOf = (place: number, attempt: number) => string;

/** What did not pass, then the figures. */
export function describeBatch(
  { style }: Screen,
  { results, summary, batch }: BatchReport,
  logOf: LogOf,
): string {
  const lines = results.flatMap((result, place) => {
    const { job, verdict, attempts } = result;
    const name = printable(job.name).replaceAll('\n', ' ');
    if (verdict.kind === 'passed' && !verdict.flaky) return [];
    const last = attempts.at(-1);
    const log =
      last === undefined || last.group === null ? '' : `\n${' '.repeat(widest)}${logOf(place, last.attempt)}`;
    const said = outcomeOf(result);
    const word = said === 'flaky' ? style.yellow(said.padEnd(widest)) : style.red(said.padEnd(widest));
    return [`${word}${name}${whyOf(result)}${log}`];
  });
  return [...lines, ...(lines.length === 0 ? [] : ['']), ...figures(summary, batch)].join('\n');
}

/** `timed-out` and a blank. */
const widest = 10;

function figures(summary: BatchSummary, batch: string): readonly string[] {
  const { passed, failed, flaky, timedOut, notRun, makespanMs, busyMs, speedUp, slices, cost } = summary;
  const counts = [
    `${passed} passed${flaky > 0 ? ` (${flaky} flaky)` : ''}`,
    `${failed} failed`,
    ...(timedOut > 0 ? [`${timedOut} timed out`] : []),
    ...(notRun > 0 ? [`${notRun} not run`] : []),
  ];
  const speed = speedUp === null ? '' : `, ${speedUp.toFixed(1)} times as fast as one at a time`;
  return [
    `${counts.join(', ')} of ${summary.jobs}`,
    `${inSeconds(makespanMs)} on ${slices} slice${slices === 1 ? '' : 's'}, ${inSeconds(busyMs)} of work${speed}`,
    ...(cost === null
      ? []
      : [
          `${formatUsd(cost.slicesUsd)} of slices; one at a time on a whole GPU: ${formatUsd(cost.wholeGpuUsd)}`,
        ]),
    `batch ${batch}`,
  ];
}

export function batchAsJson({ batch, startedMs, summary, results }: BatchReport, logOf: LogOf): object {
  return {
    batch,
    started: new Date(startedMs).toISOString(),
    summary,
    jobs: results.map((result, place) => ({
      name: result.job.name,
      command: result.job.command,
      outcome: outcomeOf(result),
      ...(result.verdict.kind === 'failed' || result.verdict.kind === 'not-run'
        ? { why: result.verdict.why }
        : {}),
      busyMs: result.busyMs,
      peakMemoryMiB: result.peakMemoryMiB,
      attempts: result.attempts.map(({ attempt, slice, startMs, end, group }) => ({
        attempt,
        slice,
        startMs,
        endMs: end?.ms ?? null,
        result: end?.result ?? null,
        log: group === null ? null : logOf(place, attempt),
      })),
    })),
  };
}

function outcomeOf({ verdict }: JobReport): 'passed' | 'flaky' | 'failed' | 'timed-out' | 'not-run' {
  return verdict.kind === 'passed' && verdict.flaky ? 'flaky' : verdict.kind;
}

function whyOf({ verdict, attempts }: JobReport): string {
  switch (verdict.kind) {
    case 'passed': {
      const first = attempts[0]?.end?.result;
      return first === undefined ? '' : `  (first: ${printable(resultInWords(first))})`;
    }
    case 'failed':
    case 'not-run':
      return `  (${printable(verdict.why)})`;
    case 'timed-out':
      return '';
  }
}

export function inSeconds(ms: number): string {
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  const minutes = Math.floor(ms / 60_000);
  const rest = `${Math.floor((ms % 60_000) / 1000)} s`;
  return minutes < 60 ? `${minutes} min ${rest}` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
