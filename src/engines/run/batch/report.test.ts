import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { validateXML } from 'xmllint-wasm';
import type { AttemptRecord, JobResult } from '#ports/run-store';
import { fakeSlices } from '../../../../test/support/fake-leases.js';
import { escaped, junitXml } from './junit.js';
import { jobsOf } from './job-list.js';
import type { BatchRequest } from './job.js';
import { reportOf } from './report.js';

const slices = fakeSlices(4);
const attempt = (
  job: number,
  number: number,
  at: readonly [number, number],
  result: JobResult,
): AttemptRecord => ({
  ...{ batch: 'b', job, attempt: number, slice: slices[job % 4]!.id, group: null, startMs: at[0] },
  end: { ms: at[1], result, peakMemoryMiB: job * 10 },
});
const exit = (code: number): JobResult => ({ kind: 'exit', code });

function batchOf(names: readonly string[], retries = 1) {
  const request: BatchRequest = {
    jobs: names.map((name) => ({ name, command: ['true'], passCodes: [0] })),
    ...{ slice: { kind: 'any' }, timeoutMs: null, retries, most: null, cwd: '/' },
  };
  return { id: 'b', request, startedMs: 0, attempts: [] };
}

const hour = 3_600_000;
const attempts = [
  attempt(0, 1, [0, hour], exit(1)),
  attempt(0, 2, [hour, 2 * hour], exit(0)),
  attempt(1, 1, [0, hour / 2], { kind: 'lost', why: 'its slice broke' }),
  attempt(1, 2, [hour, 2 * hour], exit(0)),
  attempt(2, 1, [0, hour], { kind: 'timeout' }),
  attempt(2, 2, [9 * hour, 10 * hour], { kind: 'timeout' }),
];
const inputs = { attempts, slices, usdPerGpuHour: () => 4, whyLeft: 'the batch was stopped' };

describe('a report', () => {
  it('counts jobs, time and money', () => {
    const { summary, results } = reportOf(batchOf(['a', 'b', 'c', 'd']), inputs);
    expect(results.map(({ verdict }) => verdict)).toEqual([
      { kind: 'passed', flaky: true },
      { kind: 'passed', flaky: false },
      { kind: 'timed-out' },
      { kind: 'not-run', why: 'the batch was stopped' },
    ]);
    expect(summary).toEqual({
      ...{ jobs: 4, passed: 2, failed: 0, flaky: 1, timedOut: 1, notRun: 1, slices: 3 },
      ...{ makespanMs: 3 * hour, busyMs: 5.5 * hour, speedUp: 5.5 / 3 },
      // A quarter of the card each.
      cost: { slicesUsd: 5.5, wholeGpuUsd: 22 },
    });
    expect(reportOf(batchOf(['a']), { ...inputs, usdPerGpuHour: () => null }).summary.cost).toBeNull();
    expect(reportOf(batchOf(['a']), { ...inputs, slices: [] }).summary.cost).toBeNull();
    expect(reportOf(batchOf([]), { ...inputs, attempts: [] }).summary).toMatchObject({
      jobs: 0,
      speedUp: null,
    });
  });
});

describe('JUnit XML', () => {
  const schema = readFileSync('fixtures/junit/junit.xsd', 'utf8');
  const problemsOf = async (xml: string) =>
    (await validateXML({ xml: [{ fileName: 'junit.xml', contents: xml }], schema: [schema] })).errors;
  const xmlOf = (names: readonly string[], output: string) =>
    junitXml(reportOf(batchOf(names), inputs), {
      ...{ hostname: 'ci-1', timestamp: '2026-11-23T11:05:09', outputOf: () => output },
    });

  it('has a case per job in the order of the list, and is valid', async () => {
    const xml = xmlOf(['pytest -k "a<b"', 'b', 'c\tx', 'd'], 'E   assert 1 == 2 ]]> \u001b[31mred\u0000');
    expect(await problemsOf(xml)).toEqual([]);
    expect([...xml.matchAll(/<testcase.* name="([^"]*)"/g)].map(([, name]) => name)).toEqual([
      'pytest -k &quot;a&lt;b&quot;',
      'b',
      'c&#9;x',
      'd',
    ]);
    expect(xml).toContain(
      '<error type="timeout" message="timed out">attempt 1 on GPU-0/1g.24gb:6#5: timed out\n',
    );
    expect(xml).toContain('E   assert 1 == 2 ]]&gt; [31mred<');
    expect(xml).toContain('tests="4" failures="0" errors="2"');
    expect(xml).toContain('flaky: pytest');
  });

  it('is valid with any names and outputs', async () => {
    const texts = fc.sample(fc.string({ unit: 'binary', maxLength: 40 }), { numRuns: 60, seed: 1 });
    const odd = ['\ud800', '\udc00x', '\ufffe\uffff', '\u0085\u2028', ']]>', '<![CDATA[', '&amp;', '\r\n'];
    expect(await problemsOf(xmlOf([...texts, ...odd], [...texts, ...odd].join('\n')))).toEqual([]);
    expect(escaped('\ud800a\u0007\u{1f600}')).toBe('a\u{1f600}');
  });

  it('that breaks the format is found', async () => {
    expect(await problemsOf(xmlOf(['a'], '').replace(' hostname="ci-1"', ''))).not.toEqual([]);
    expect(await problemsOf(xmlOf(['a'], '').replace('</testsuites>', ''))).not.toEqual([]);
  });
});

describe('a job list', () => {
  it('is a command a line', () => {
    const list = jobsOf(`\ufeff# nightly\n\npytest -k 'a b'\r\n  SEED=7 ./run --fast # quick\n`, {
      shell: false,
    });
    expect(list).toEqual({
      ok: true,
      jobs: [
        { name: "pytest -k 'a b'", command: ['pytest', '-k', 'a b'], passCodes: [0] },
        {
          name: 'SEED=7 ./run --fast # quick',
          command: ['env', 'SEED=7', './run', '--fast'],
          passCodes: [0],
        },
      ],
    });
    expect(jobsOf('a | b', { shell: true })).toMatchObject({
      ok: true,
      jobs: [{ command: ['sh', '-c', 'a | b'] }],
    });
  });

  it('names all lines that make no sense', () => {
    expect(jobsOf(`ok\na | b\nit's\na\0b`, { shell: false })).toMatchObject({
      ok: false,
      problems: [{ line: 2 }, { line: 3 }, { line: 4 }],
    });
  });
});
