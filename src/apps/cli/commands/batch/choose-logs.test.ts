import { describe, expect, it } from 'vitest';
import type { BatchRequest } from '#engines/run/batch/job';
import type { AttemptRecord } from '#ports/run-store';
import { chooseLogs, type LogChoice } from './choose-logs.js';

const request: BatchRequest = {
  jobs: ['build', 'test a', '1', 'test a'].map((name) => ({ name, command: [name], passCodes: [0] })),
  ...{ slice: { kind: 'any' }, timeoutMs: null, retries: 1, most: null, cwd: '/' },
};
const attempt = (job: number, number: number, code: number | null, started = true): AttemptRecord => ({
  ...{ batch: 'b', job, attempt: number, slice: 's', startMs: 1 },
  group: started ? { pid: 5, startedAt: '5', bootId: null } : null,
  end: code === null ? null : { ms: 2, result: { kind: 'exit', code }, peakMemoryMiB: null },
});
const attempts = [
  ...[attempt(0, 1, 0), attempt(1, 1, 1), attempt(1, 2, 1), attempt(2, 1, 1), attempt(2, 2, 0)],
  ...[attempt(3, 1, null), attempt(3, 2, 1, false)],
];

function chosen(choice: Partial<LogChoice>): readonly string[] {
  return chooseLogs(request, attempts, { jobs: [], attempt: null, onlyFailed: false, ...choice }).map(
    ({ job, attempt: one }) => `${job + 1}.${one.attempt}`,
  );
}

describe('the logs that are meant', () => {
  it('are the last attempt of each job that was started, or the one that is named', () => {
    expect(chosen({})).toEqual(['1.1', '2.2', '3.2', '4.1']);
    expect(chosen({ attempt: 2 })).toEqual(['2.2', '3.2']);
    expect(chosen({ onlyFailed: true })).toEqual(['2.2']);
  });

  it('are named by number or by name, which may stand for several, and goes before a number', () => {
    expect(chosen({ jobs: ['2', 'build'] })).toEqual(['1.1', '2.2']);
    expect(chosen({ jobs: ['test a'] })).toEqual(['2.2', '4.1']);
    expect(chosen({ jobs: ['1'] })).toEqual(['3.2']);
    expect(() => chosen({ jobs: ['biuld'] })).toThrow('no job biuld; did you mean build?');
    expect(() => chosen({ jobs: ['5'] })).toThrow('no job 5');
    expect(() => chosen({ jobs: ['0'] })).toThrow('no job 0');
  });
});
