/** What a batch does, while it does it: on standard error, redrawn on a terminal, else a line per job that ended. */
import type { LeasableSlice } from '#core/run/slice';
import { isPass, resultInWords, type BatchJob } from '#engines/run/batch/job';
import type { BatchEvent } from '#engines/run/batch/run-batch';
import type { AttemptRecord } from '#ports/run-store';
import { printable, type Host } from '../../terminal/screen.js';
import { shortNameOf } from '../run/slice-names.js';
import { inSeconds } from './describe-batch.js';

export interface Progress {
  readonly onEvent: (event: BatchEvent) => void;
  /** Takes the picture away; the lines stay. */
  readonly end: () => void;
}

/** Often enough to look alive. */
const redrawMs = 200;
/** A machine has more slices than a screen has lines. */
const mostDrawn = 16;

export function progressOn(
  { err }: Host,
  jobs: readonly BatchJob[],
  done: number,
  nowMs: () => number,
): Progress {
  const running = new Map<string, { readonly name: string; job: string; sinceMs: number }>();
  const isTerminal = err.isTTY === true;
  const columns = err.columns ?? 80;
  let [ended, failed, drawn] = [done, 0, 0];
  const erase = (): void => {
    if (drawn > 0) err.write(`\u001b[${drawn}A\u001b[J`);
    drawn = 0;
  };
  const draw = (): void => {
    if (!isTerminal) return;
    erase();
    const rows = [...running.values()].sort((a, b) => (a.name < b.name ? -1 : 1)).slice(0, mostDrawn);
    const lines = [
      `${ended} of ${jobs.length} done, ${failed} failed attempts, ${running.size} slices`,
      ...rows.map(({ name, job, sinceMs }) => `  ${name}  ${inSeconds(nowMs() - sinceMs)}  ${job}`),
    ];
    err.write(lines.map((line) => `${line.slice(0, columns - 1)}\n`).join(''));
    drawn = lines.length;
  };
  const say = (text: string): void => {
    erase();
    err.write(`${printable(text)}\n`);
    draw();
  };
  const timer = isTerminal ? setInterval(draw, redrawMs) : undefined;
  const oneLine = (job: number): string => printable(jobs[job]?.name ?? '').replaceAll('\n', ' ');
  const names = new Map<string, string>();
  const free = (slice: LeasableSlice) => {
    names.set(slice.id, shortNameOf(slice));
    return { name: shortNameOf(slice), job: '-', sinceMs: nowMs() };
  };
  return {
    onEvent: (event) => {
      switch (event.kind) {
        case 'slice-taken':
          running.set(event.slice.id, free(event.slice));
          break;
        case 'slice-gone':
          running.delete(event.slice.id);
          if (event.why !== null) say(`slice ${shortNameOf(event.slice)} is left: ${event.why}`);
          break;
        case 'started':
          running.set(event.slice.id, { ...free(event.slice), job: oneLine(event.job) });
          break;
        case 'ended': {
          const { attempt, verdict } = event;
          const job = jobs[attempt.job];
          if (verdict !== null) ended += 1;
          const passed = job !== undefined && attempt.end !== null && isPass(job, attempt.end.result);
          if (!passed) failed += 1;
          const again = verdict === null ? ', again later' : '';
          const where = names.get(attempt.slice) ?? attempt.slice;
          if (!isTerminal || !passed) {
            say(
              `[${ended}/${jobs.length}] ${endInWords(attempt, passed)}${again}  ${where}  ${oneLine(attempt.job)}`,
            );
          }
          break;
        }
        case 'queued':
          say(`waiting for ${running.size === 0 ? 'a slice' : 'more slices'}: ${event.why}`);
          break;
        case 'remark':
          say(event.text);
      }
    },
    end: () => {
      clearInterval(timer);
      erase();
    },
  };
}

function endInWords({ startMs, end }: AttemptRecord, passed: boolean): string {
  if (end === null) return 'unknown';
  return `${passed ? 'passed' : resultInWords(end.result)} in ${inSeconds(end.ms - startMs)}`;
}
