/**
 * A report as JUnit XML, in the part of the format that all who read it agree on: a suite, and per job a case with at most
 * one failure (the program said no) or error (it was ended, or never ran).
 */
import { resultInWords } from './job.js';
import type { BatchReport, JobReport } from './report.js';

export interface JunitInputs {
  readonly hostname: string;
  /** When it began, `2026-11-23T11:05:09`: the format has no time zone. */
  readonly timestamp: string;
  /** The end of what the last attempt of a job said; empty: nothing, or not kept. */
  readonly outputOf: (place: number, report: JobReport) => string;
}

export function junitXml(report: BatchReport, inputs: JunitInputs): string {
  const { summary, results, batch } = report;
  const { hostname, timestamp } = inputs;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<testsuites>',
    `  <testsuite${attributes({
      id: '0',
      package: 'mica',
      name: 'mica batch',
      hostname,
      timestamp,
      tests: `${summary.jobs}`,
      failures: `${summary.failed}`,
      errors: `${summary.timedOut + summary.notRun}`,
      time: seconds(summary.makespanMs),
    })}>`,
    '    <properties>',
    ...Object.entries({
      batch,
      flaky: summary.flaky,
      slices: summary.slices,
      'speed-up': summary.speedUp === null ? 'unknown' : summary.speedUp.toFixed(2),
    }).map(([name, value]) => `      <property${attributes({ name, value: `${value}` })}/>`),
    '    </properties>',
    ...results.map((result, place) => caseText(result, inputs.outputOf(place, result))),
    `    <system-out>${escaped(flakyText(results))}</system-out>`,
    '    <system-err></system-err>',
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n');
}

function caseText(report: JobReport, output: string): string {
  const { job, verdict, busyMs } = report;
  const head = `    <testcase${attributes({ classname: 'mica.batch', name: job.name, time: seconds(busyMs) })}`;
  switch (verdict.kind) {
    case 'passed':
      return `${head}/>`;
    case 'failed':
      return withChild(head, 'failure', 'failed', verdict.why, bodyOf(report, output));
    case 'timed-out':
      return withChild(head, 'error', 'timeout', 'timed out', bodyOf(report, output));
    case 'not-run':
      return withChild(head, 'error', 'not-run', verdict.why, bodyOf(report, output));
  }
}

function withChild(head: string, child: string, type: string, message: string, body: string): string {
  return `${head}>\n      <${child}${attributes({ type, message })}>${escaped(body)}</${child}>\n    </testcase>`;
}

function bodyOf({ attempts }: JobReport, output: string): string {
  const tries = attempts.map(({ attempt, slice, end }) => {
    return `attempt ${attempt} on ${slice}: ${end === null ? 'never ended' : resultInWords(end.result)}`;
  });
  return [...tries, ...(output === '' ? [] : ['', output])].join('\n');
}

function flakyText(results: readonly JobReport[]): string {
  const flaky = results.filter(({ verdict }) => verdict.kind === 'passed' && verdict.flaky);
  return flaky
    .map(({ job, attempts }) => `flaky: ${job.name}: passed in attempt ${attempts.length}`)
    .join('\n');
}

/** Without what XML 1.0 cannot say at all: most control characters, and halves of characters. */
export function escaped(text: string): string {
  return text
    .replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '')
    .replace(/[&<>"]/g, (character) => entities[character as keyof typeof entities]);
}

const entities = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' } as const;

/** A line feed in an attribute would be read as a blank. */
function attributes(values: Readonly<Record<string, string>>): string {
  return Object.entries(values)
    .map(
      ([name, value]) =>
        ` ${name}="${escaped(value).replace(/[\t\n\r]/g, (one) => `&#${one.charCodeAt(0)};`)}"`,
    )
    .join('');
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(3);
}
