/** `mica batch` through NVML: real processes on the slices of the C double, which lists them as the driver does. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { validateXML } from 'xmllint-wasm';
import { makeMachine } from '../native/machine.js';
import { requires } from '../tooling/requires.js';
import { runMica } from './run-mica.js';

const cc = requires('cc');
const fourSlices = `version: v1
mig-configs:
  four:
    - devices: all
      mig-enabled: true
      mig-devices: { 1g.24gb: 4 }
`;
const job = resolve('test/e2e/double-job.sh');

/** One card, cut into four slices through the change engine. */
async function bed() {
  const machine = makeMachine([{ key: 'rtx-pro-6000-blackwell-server' }]);
  const folder = mkdtempSync(join(tmpdir(), 'mica-double-batch-'));
  const path = (name: string): string => join(folder, name);
  const linesOf = (name: string): readonly string[] =>
    existsSync(path(name)) ? readFileSync(path(name), 'utf8').trimEnd().split('\n') : [];
  const escaped = (): readonly number[] => linesOf('escaped').map(Number).filter(isAlive);
  onTestFinished(() => {
    for (const pid of escaped()) process.kill(pid, 'SIGKILL');
    machine.remove();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  });
  const env = { PATH: process.env['PATH'] ?? '', MICA_STATE_DIR: path('state'), DOUBLE: machine.folder };
  const mica = (...args: readonly string[]) => runMica([...args, '--nvml-lib', machine.libraryPath], { env });
  const migParted = path('layout.yaml');
  writeFileSync(migParted, fourSlices);
  const cut = await mica('node', 'apply', '-f', migParted, '-c', 'four', '--yes');
  expect(cut.exit, cut.stdout + cut.stderr).toBe(0);
  return {
    machine,
    linesOf,
    escaped,
    mica,
    batch: (kinds: readonly string[], ...flags: readonly string[]) => {
      writeFileSync(path('list'), kinds.map((kind, index) => `${job} ${folder} ${index} ${kind}\n`).join(''));
      const junit = path('results.xml');
      return mica('batch', path('list'), '--profile', '1g.24gb', '--json', '--junit', junit, ...flags);
    },
    ps: async () => JSON.parse((await mica('ps', '--json')).stdout),
    junit: () => readFileSync(path('results.xml'), 'utf8'),
  };
}

function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

interface Line {
  readonly what: string;
  readonly job: number;
  readonly device: string;
  readonly pid: number;
}

const parsed = (lines: readonly string[]): readonly Line[] =>
  lines.map((line) => {
    const [what = '', index, , device = '', pid] = line.split(' ');
    return { what, job: Number(index), device, pid: Number(pid) };
  });

/** Who began on a slice before the one there had ended; whoever was killed has not said that it ended. */
function meetings(lines: readonly Line[], wasKilled: (job: number) => boolean): readonly string[] {
  const inside = new Map<string, Line>();
  const met: string[] = [];
  for (const line of lines) {
    const there = inside.get(line.device);
    if (line.what === 'end') {
      if (there?.pid === line.pid) inside.delete(line.device);
    } else {
      if (there !== undefined && !wasKilled(there.job))
        met.push(`${line.device}: ${there.job} and ${line.job}`);
      inside.set(line.device, line);
    }
  }
  return met;
}

describe.skipIf(cc.missing)(cc.title('mica batch on the double of NVML'), () => {
  it('runs 500 processes of all kinds on 4 slices, each as often as it should and alone', async () => {
    const { batch, linesOf, escaped, junit, ps } = await bed();
    const kinds = Array.from({ length: 500 }, (_, index) => {
      if (index === 200 || index === 400) return 'hang';
      if (index === 150 || index === 350) return 'escape';
      const special = new Map([
        [3, 'fail'],
        [7, 'crash'],
        [11, 'flaky'],
        [13, 'fork'],
        [17, 'gpu'],
      ]).get(index % 50);
      return special ?? (index % 5 === 0 ? 'compute' : 'sleep');
    });
    const { exit, stdout, stderr } = await batch(kinds, '--timeout', '3s', '--retries', '1');
    expect(exit, stderr).toBe(1);
    const answer = JSON.parse(stdout);
    const outcome: Partial<Record<string, string>> = {
      ...{ fail: 'failed', crash: 'failed', flaky: 'flaky', hang: 'timed-out' },
    };
    expect(answer.jobs.map((one: { outcome: string }) => one.outcome)).toEqual(
      kinds.map((kind) => outcome[kind] ?? 'passed'),
    );
    const lines = parsed(linesOf('log'));
    const begun = kinds.map(
      (_, index) => lines.filter((one) => one.what === 'begin' && one.job === index).length,
    );
    expect(begun).toEqual(kinds.map((kind) => (kind in outcome ? 2 : 1)));
    expect(meetings(lines, (index) => kinds[index] === 'hang')).toEqual([]);
    expect(new Set(lines.map(({ device }) => device)).size).toBe(4);
    expect(linesOf('escaped')).toHaveLength(2);
    expect(escaped()).toEqual([]);
    expect(await ps()).toMatchObject({ leases: [], queue: [], quarantine: [] });
    const schema = readFileSync('fixtures/junit/junit.xsd', 'utf8');
    const xml = [{ fileName: 'results.xml', contents: junit() }];
    expect((await validateXML({ xml, schema: [schema] })).errors).toEqual([]);
    expect(junit().match(/<testcase /g)).toHaveLength(500);
  }, 120_000);

  it('goes on elsewhere when the hardware of a slice fails, and keeps that slice from everybody', async () => {
    const { batch, linesOf, ps, mica, machine } = await bed();
    const kinds = Array.from({ length: 40 }, (_, index) => (index === 5 ? 'xid' : 'gpu'));
    const { exit, stdout, stderr } = await batch(kinds);
    expect(exit, stderr).toBe(0);
    const { jobs } = JSON.parse(stdout);
    const results = jobs[5].attempts.map((one: { result: { kind: string } }) => one.result.kind);
    expect(results).toEqual(['lost', 'exit']);
    const [broken] = linesOf('broken');
    const lines = parsed(linesOf('log'));
    const broke = lines.findIndex(({ job: index }) => index === 5);
    const after = lines.slice(broke + 1).filter(({ device, what }) => device === broken && what === 'begin');
    expect(after).toEqual([]);
    expect(meetings(lines, (index) => index === 5)).toEqual([]);
    const { quarantine, leases } = await ps();
    expect(leases).toEqual([]);
    expect(quarantine).toMatchObject([{ why: expect.stringContaining('Xid 79') }]);
    // The slice is quiet again, and somebody says so.
    expect(machine.clients().filter(({ pid, live }) => live === true && isAlive(pid))).toEqual([]);
    const released = await mica('release-slice', quarantine[0].slice);
    expect(released, released.stderr).toMatchObject({ exit: 0 });
  }, 60_000);
});
