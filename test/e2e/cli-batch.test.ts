/** `mica batch` with real processes on simulated slices: all kinds of jobs, and a runner that is stopped. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, it, type TestContext } from 'vitest';
import { validateXML } from 'xmllint-wasm';
import { shardNames } from '#apps/cli/batch-program';
import { frameworks } from '#engines/run/batch/shards';
import { runMica } from './run-mica.js';

const job = resolve('test/e2e/batch-job.sh');
const mica = resolve('bin/mica');
const simulated = ['--driver', 'simulated', '--gpus', 'rtx-pro-6000:1'];

function place({ onTestFinished }: Pick<TestContext, 'onTestFinished'>) {
  const folder = mkdtempSync(join(tmpdir(), 'mica-batch-e2e-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  const env = { PATH: process.env['PATH'] ?? '', MICA_STATE_DIR: join(folder, 'state') };
  const list = (kinds: readonly string[]): string => {
    const path = join(folder, 'list');
    writeFileSync(path, kinds.map((kind, index) => `${job} ${folder} ${index} ${kind}\n`).join(''));
    return path;
  };
  const log = () => readFileSync(join(folder, 'log'), 'utf8').trimEnd().split('\n');
  return { folder, env, list, log };
}

/** `run JOB ATTEMPT DEVICE`, by job. */
function runsOf(lines: readonly string[], jobs: number): readonly number[] {
  const counts = Array.from({ length: jobs }, () => 0);
  for (const line of lines) counts[Number(line.split(' ')[1])]! += 1;
  return counts;
}

// Most of the time they wait for what they started.
describe.concurrent('mica batch', () => {
  it('runs 500 jobs of all kinds on 4 slices, each as often as it should and alone', async (test) => {
    const { folder, env, list, log } = place(test);
    const kinds = Array.from({ length: 500 }, (_, index) => {
      if (index === 100 || index === 300) return 'hang';
      const special = new Map([
        [3, 'fail'],
        [7, 'crash'],
        [11, 'flaky'],
        [13, 'fork'],
      ]).get(index % 50);
      return special ?? (index % 5 === 0 ? 'compute' : 'sleep');
    });
    const junit = join(folder, 'results.xml');
    const { exit, stdout, stderr } = await runMica(
      [
        'batch',
        list(kinds),
        ...simulated,
        '--profile',
        '1g.24gb',
        '--timeout',
        '3s',
        '--retries',
        '1',
        '--json',
        '--junit',
        junit,
      ],
      { env },
    );
    expect(exit, stderr).toBe(1);
    const answer = JSON.parse(stdout);
    const outcome: Partial<Record<string, string>> = {
      fail: 'failed',
      crash: 'failed',
      flaky: 'flaky',
      hang: 'timed-out',
    };
    expect(answer.jobs.map((one: { outcome: string }) => one.outcome)).toEqual(
      kinds.map((kind) => outcome[kind] ?? 'passed'),
    );
    expect(answer.summary).toMatchObject({
      jobs: 500,
      passed: 478,
      flaky: 10,
      failed: 20,
      timedOut: 2,
      slices: 4,
    });
    const lines = log();
    expect(lines.filter((line) => line.startsWith('clash'))).toEqual([]);
    expect(runsOf(lines, 500)).toEqual(kinds.map((kind) => (kind in outcome ? 2 : 1)));
    expect(new Set(lines.map((line) => line.split(' ')[3])).size).toBe(4);
    const xml = readFileSync(junit, 'utf8');
    const schema = readFileSync('fixtures/junit/junit.xsd', 'utf8');
    expect(
      (await validateXML({ xml: [{ fileName: 'results.xml', contents: xml }], schema: [schema] })).errors,
    ).toEqual([]);
    expect([...xml.matchAll(/<testcase.* name="\S+ \S+ (\d+) /g)].map(([, index]) => Number(index))).toEqual([
      ...kinds.keys(),
    ]);
  }, 120_000);

  it('stops on Ctrl-C with nothing left behind, to be resumed by its name', async (test) => {
    const { env, list, log } = place(test);
    const child = spawn(
      process.execPath,
      [mica, 'batch', list(['hang', 'sleep', 'sleep']), ...simulated, '--json'],
      {
        ...{ env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] },
      },
    );
    let [out, said] = ['', ''];
    child.stdout.on('data', (text: Buffer) => (out += text.toString()));
    child.stderr.on('data', (text: Buffer) => (said += text.toString()));
    await expect.poll(() => said, { timeout: 20_000 }).toContain('[2/3]');
    child.kill('SIGINT');
    const [code] = await once(child, 'close');
    expect(code).toBe(3);
    const answer = JSON.parse(out);
    expect(said).toContain(`mica batch --resume ${answer.batch}`);
    expect(answer.jobs.map((one: { outcome: string }) => one.outcome)).toEqual([
      'not-run',
      'passed',
      'passed',
    ]);
    const { stdout } = await runMica(['ps', '--driver', 'simulated', '--json'], { env });
    expect(JSON.parse(stdout).leases).toEqual([]);
    expect(log()).toHaveLength(3);
  }, 60_000);

  it('says what is wrong before it runs anything', async (test) => {
    const { env, folder } = place(test);
    const run = async (text: string, ...flags: readonly string[]) => {
      writeFileSync(join(folder, 'l'), text);
      const { exit, stderr } = await runMica(['batch', ...flags, ...simulated], { env });
      expect(exit).toBe(2);
      return stderr;
    };
    const file = join(folder, 'l');
    expect(await run(`touch ${folder}/ran\na | b\n"`, file)).toMatch(/:2: \|.*\n.*:3: a " has no partner/);
    expect(await run('', file)).toContain('no command');
    expect(await run('')).toContain('no list');
    expect(await run('', '--shard', 'vitest', '--', 'npx', 'vitest')).toContain('--shards N');
    expect(await run('', '--resume', 'b-none')).toContain('no batch b-none');
    expect(await run('', '--resume', 'b-none', '--retries', '2')).toContain('takes no --retries');
    expect(await run('a', file, '--timeout', '0s')).toContain('--timeout');
    expect(() => readFileSync(join(folder, 'ran'))).toThrow();
  });

  it('has the shard modes that the engine knows', () => {
    expect([...shardNames]).toEqual([...frameworks]);
  });
});
