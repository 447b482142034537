/** The count that CI reads: a failure of any kind counts, and what was skipped is named. */
import { describe, expect, it } from 'vitest';
import { requires } from './requires.js';

interface Summary {
  passed: number;
  failed: number;
  skipped: number;
  notes: string[];
}
const { summarize } = (await import(new URL('../../scripts/test-results.mjs', import.meta.url).href)) as {
  summarize: (report: unknown, exitedWell: boolean) => Summary;
};

function file(status: 'passed' | 'failed', ...tests: { status: string; suite?: string }[]) {
  return {
    status,
    assertionResults: tests.map(({ status, suite }) => ({
      status,
      title: 'a test',
      ancestorTitles: suite === undefined ? [] : [suite],
    })),
  };
}
const pass = { status: 'passed' };
const fail = { status: 'failed' };

describe('summarize', () => {
  it('counts tests', () => {
    const report = { testResults: [file('passed', pass, pass), file('failed', pass, fail, fail)] };
    expect(summarize(report, false)).toEqual({ passed: 3, failed: 2, skipped: 0, notes: [] });
  });

  it('names skipped suites', () => {
    const skip = { status: 'skipped', suite: 'scripts [no shellcheck]' };
    expect(summarize({ testResults: [file('passed', pass, skip, skip)] }, true)).toEqual({
      passed: 1,
      failed: 0,
      skipped: 2,
      notes: ['       skipped: scripts [no shellcheck] (2)\n'],
    });
  });

  it('counts a file that did not load as one failure', () => {
    expect(summarize({ testResults: [file('passed', pass), file('failed')] }, false)).toMatchObject({
      failed: 1,
    });
  });

  it('counts an error outside every test', () => {
    expect(summarize({ testResults: [file('passed', pass)] }, false)).toMatchObject({ passed: 1, failed: 1 });
  });

  it('counts a run without tests or without a report as a failure', () => {
    expect(summarize({ testResults: [] }, true)).toMatchObject({ passed: 0, failed: 1 });
    expect(summarize(undefined, false)).toMatchObject({ passed: 0, failed: 1 });
  });
});

describe('requires', () => {
  it('leaves the title alone when the tool is there', () => {
    const tool = requires('shellcheck', true);
    expect([tool.missing, tool.title('scripts')]).toEqual([false, 'scripts']);
  });

  it('says in the title which tool is missing and how to get it', () => {
    const tool = withPromise('kubectl', () => requires('shellcheck', false));
    expect([tool.missing, tool.title('scripts')]).toEqual([
      true,
      'scripts [no shellcheck; to run it: apt-get install shellcheck]',
    ]);
  });

  it('fails when the run promised the tool', () => {
    expect(() => withPromise('kubectl shellcheck', () => requires('shellcheck', false))).toThrow(
      /shellcheck is missing/,
    );
  });
});

function withPromise<T>(tools: string, body: () => T): T {
  const before = process.env['MICA_CI_STRICT'];
  process.env['MICA_CI_STRICT'] = tools;
  try {
    return body();
  } finally {
    if (before === undefined) delete process.env['MICA_CI_STRICT'];
    else process.env['MICA_CI_STRICT'] = before;
  }
}
