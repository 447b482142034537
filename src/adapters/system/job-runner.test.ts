import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync, existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { RunningJob } from '#ports/job-runner';
import type { ProcessMark } from '#ports/run-store';
import { openNursery, type Nursery } from './job-nursery.js';
import { systemJobRunner } from './job-runner.js';

const { start, isGroupAlive, signalGroup } = systemJobRunner;
const env = { PATH: process.env['PATH'] };

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'mica-jobs-'));
  onTestFinished(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

/** Killed with the test at the latest. */
async function run(
  command: readonly [string, ...string[]],
  path: string,
  more: { env?: Record<string, string | undefined>; cwd?: string } = {},
): Promise<RunningJob> {
  const answer = await start({ command, env, output: { kind: 'file', path }, ...more }, async (group) => {
    onTestFinished(() => void signalGroup(group, 'SIGKILL'));
  });
  if (!answer.ok) throw new Error(answer.why.message);
  return answer.job;
}

describe('a job', () => {
  it('runs with its arguments as they are, in its environment and folder, into a file of its own', async () => {
    const at = folder();
    const out = join(at, 'out.log');
    const args = ['$HOME', 'a b', "it's", '`id`', '"; touch injected', '', '-c', 'ü\n'];
    const script =
      'process.stdout.write(JSON.stringify([process.argv.slice(1), process.env, process.cwd()]))';
    const odd = { ...env, 'a-b': 'odd', 'BASH_FUNC_read%%': '() { echo hijacked; }', PLAIN: 'x y' };
    const job = await run([process.execPath, '-e', script, '--', ...args], out, { env: odd, cwd: at });
    expect(await job.ended).toEqual({ kind: 'exit', code: 0 });
    const [seen, variables, cwd] = JSON.parse(readFileSync(out, 'utf8'));
    expect(seen).toEqual(args);
    expect(variables).toMatchObject(odd);
    expect(cwd).toBe(at);
    expect(existsSync(join(at, 'injected'))).toBe(false);
    expect(statSync(out).mode & 0o777).toBe(0o600);
    expect(isGroupAlive(job.group)).toBe(false);
    expect(job.signal('SIGTERM')).toBe(false);
  });

  it('ends with its code or its signal', async () => {
    const out = join(folder(), 'out.log');
    expect(await (await run(['sh', '-c', 'echo a; exit 7'], out)).ended).toEqual({ kind: 'exit', code: 7 });
    const crash = await run(['sh', '-c', 'echo b >&2; kill -SEGV $$'], out);
    expect(await crash.ended).toEqual({ kind: 'signal', signal: 'SIGSEGV' });
    expect(readFileSync(out, 'utf8')).toBe('a\nb\n');
  });

  it('does not run before what must be written down is', async () => {
    const out = join(folder(), 'out.log');
    let seen: ProcessMark | undefined;
    const answer = await start(
      { command: ['echo', 'ran'], env, output: { kind: 'file', path: out } },
      async (group) => {
        seen = group;
        await new Promise((resolve) => setTimeout(resolve, 100));
        expect(readFileSync(out, 'utf8')).toBe('');
        expect(isGroupAlive(group)).toBe(true);
      },
    );
    if (!answer.ok) throw new Error(answer.why.message);
    expect(answer.job.group).toEqual(seen);
    await answer.job.ended;
    expect(readFileSync(out, 'utf8')).toBe('ran\n');
  });

  it('never runs where that fails', async () => {
    const out = join(folder(), 'out.log');
    let seen: ProcessMark | undefined;
    const begun = start(
      { command: ['echo', 'ran'], env, output: { kind: 'file', path: out } },
      async (group) => {
        seen = group;
        throw new Error('disk full');
      },
    );
    await expect(begun).rejects.toThrow('disk full');
    expect(isGroupAlive(seen!)).toBe(false);
    expect(readFileSync(out, 'utf8')).toBe('');
  });

  it('is refused where there is no such program, or none that may be run', async () => {
    const at = folder();
    writeFileSync(join(at, 'text'), 'no program');
    chmodSync(join(at, 'text'), 0o644);
    const answerTo = async (name: string, path: string | undefined = env.PATH) => {
      const output = { kind: 'file', path: join(at, 'out.log') } as const;
      const answer = await start(
        { command: [name], env: { PATH: path }, output, cwd: at },
        async () => undefined,
      );
      return answer.ok ? 'started' : answer.why.kind;
    };
    expect(await answerTo('mica-no-such-program')).toBe('not-found');
    expect(await answerTo('')).toBe('not-found');
    expect(await answerTo('./text')).toBe('not-executable');
    expect(await answerTo('text', at)).toBe('not-executable');
    expect(await answerTo(at)).toBe('not-found');
    expect(await answerTo('true')).toBe('started');
    const output = { kind: 'file', path: join(at, 'no', 'folder') } as const;
    expect(await start({ command: ['true'], env, output }, async () => undefined)).toMatchObject({
      ok: false,
      why: { kind: 'failed' },
    });
    const gone = await start(
      { command: ['/bin/true'], env, output: { kind: 'inherit' }, cwd: join(at, 'gone') },
      async () => undefined,
    );
    expect(gone).toMatchObject({ ok: false, why: { kind: 'failed' } });
  });
});

describe.each(['of its own', 'of a nursery'])('a job prepared as a process %s', (kind) => {
  let nursery: Nursery | undefined;
  let prepare = systemJobRunner.prepare;
  beforeAll(async () => {
    if (kind === 'of its own') return;
    nursery = openNursery();
    await nursery.up;
    prepare = nursery.runner.prepare;
  });
  afterAll(() => nursery?.close());
  const parentOf = ({ pid }: ProcessMark): number =>
    Number(/^PPid:\t(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);

  it('waits for its last variables, and runs with them', async () => {
    const out = join(folder(), 'out.log');
    const output = { kind: 'file', path: out } as const;
    const command = ['sh', '-c', 'printf %s "$EARLY|$LATE|$ODD|${MICA_GATE-unset}"'] as const;
    const answer = await prepare({ command, env: { ...env, EARLY: '1', LATE: 'old' }, output });
    if (!answer.ok) throw new Error(answer.why.message);
    expect(isGroupAlive(answer.job.group)).toBe(true);
    expect(parentOf(answer.job.group)).toBe(nursery?.pid ?? process.pid);
    expect(readFileSync(out, 'utf8')).toBe('');
    const late = { LATE: 'MIG-1', ODD: ` $(id) "a" 'b' \\n= ` };
    const running = await answer.job.open(async () => undefined, late);
    expect(await running.ended).toEqual({ kind: 'exit', code: 0 });
    expect(readFileSync(out, 'utf8')).toBe(`1|MIG-1|${late.ODD}|unset`);
  });

  it('that is not wanted never runs, and leaves nothing', async () => {
    const out = join(folder(), 'out.log');
    const start = { command: ['echo', 'ran'], env, output: { kind: 'file', path: out } } as const;
    const [unwanted, broken] = await Promise.all([prepare(start), prepare(start)]);
    if (!unwanted.ok || !broken.ok) throw new Error('not prepared');
    await unwanted.job.discard();
    await expect(broken.job.open(async () => undefined, { A: 'a\nB=b' })).rejects.toThrow(TypeError);
    for (const { group } of [unwanted.job, broken.job]) expect(isGroupAlive(group)).toBe(false);
    expect(readFileSync(out, 'utf8')).toBe('');
  });

  it('ends with its code or its signal, and whole', async () => {
    const output = { kind: 'file', path: join(folder(), 'out.log') } as const;
    const endOf = async (script: string, kill?: NodeJS.Signals) => {
      const answer = await prepare({ command: ['sh', '-c', script], env, output });
      if (!answer.ok) throw new Error(answer.why.message);
      const running = await answer.job.open(async () => undefined);
      if (kill !== undefined) expect(running.signal(kill)).toBe(true);
      const end = await running.ended;
      running.signal('SIGKILL');
      await expect.poll(() => isGroupAlive(running.group), { timeout: 5000 }).toBe(false);
      return end;
    };
    expect(await endOf('exit 7')).toEqual({ kind: 'exit', code: 7 });
    expect(await endOf('sleep 60 & kill -SEGV $$')).toEqual({ kind: 'signal', signal: 'SIGSEGV' });
    expect(await endOf('sleep 60', 'SIGTERM')).toEqual({ kind: 'signal', signal: 'SIGTERM' });
  });

  it('is refused where it cannot be started', async () => {
    const output = { kind: 'file', path: join(folder(), 'out.log') } as const;
    const why = async (command: string, more: object = {}) => {
      const answer = await prepare({ command: [command], env, output, ...more });
      return answer.ok ? 'started' : answer.why.kind;
    };
    expect(await why('mica-no-such-program')).toBe('not-found');
    expect(await why('true', { output: { kind: 'file', path: '/no/folder/x' } })).toBe('failed');
    expect(await why('/bin/true', { cwd: '/no/folder' })).toBe('failed');
  });
});

describe('a nursery that is killed', () => {
  it('takes what waits with it, leaves what runs, and is done without', async () => {
    const nursery = openNursery();
    onTestFinished(() => nursery.close());
    await nursery.up;
    const path = join(folder(), 'out.log');
    const start = { env, output: { kind: 'file', path } } as const;
    const [waits, runs] = await Promise.all([
      nursery.runner.prepare({ ...start, command: ['echo', 'ran'] }),
      nursery.runner.prepare({
        ...{ env, command: ['sh', '-c', 'echo up; sleep 60'], output: { kind: 'file', path: `${path}.up` } },
      }),
    ]);
    if (!waits.ok || !runs.ok) throw new Error('not prepared');
    const running = await runs.job.open(async () => undefined);
    await expect.poll(() => readFileSync(`${path}.up`, 'utf8'), { timeout: 5000 }).toBe('up\n');
    process.kill(nursery.pid!, 'SIGKILL');
    await expect(running.ended).rejects.toThrow('was ended');
    expect(isGroupAlive(running.group)).toBe(true);
    running.signal('SIGKILL');
    await expect.poll(() => isGroupAlive(waits.job.group), { timeout: 5000 }).toBe(false);
    await expect((await waits.job.open(async () => undefined)).ended).rejects.toThrow('was ended');
    expect(readFileSync(path, 'utf8')).toBe('');
    const next = await nursery.runner.prepare({ ...start, command: ['echo', 'later'] });
    if (!next.ok) throw new Error(next.why.message);
    expect(await (await next.job.open(async () => undefined)).ended).toEqual({ kind: 'exit', code: 0 });
  });
});

describe('a group', () => {
  it('lives on in what its leader forked, and is ended whole', async () => {
    const out = join(folder(), 'out.log');
    const job = await run(['sh', '-c', 'sleep 60 & (sleep 60 & sleep 60) & exit 0'], out);
    expect(await job.ended).toEqual({ kind: 'exit', code: 0 });
    expect(isGroupAlive(job.group)).toBe(true);
    expect(job.signal('SIGKILL')).toBe(true);
    await expect.poll(() => isGroupAlive(job.group), { timeout: 5000 }).toBe(false);
  });

  it('that does not listen to SIGTERM ends by SIGKILL', async () => {
    const out = join(folder(), 'out.log');
    const job = await run(['sh', '-c', 'trap "" TERM; echo ready; while :; do sleep 0.01; done'], out);
    await expect.poll(() => readFileSync(out, 'utf8')).toBe('ready\n');
    expect(job.signal('SIGTERM')).toBe(true);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(isGroupAlive(job.group)).toBe(true);
    expect(job.signal('SIGKILL')).toBe(true);
    expect(await job.ended).toEqual({ kind: 'signal', signal: 'SIGKILL' });
    await expect.poll(() => isGroupAlive(job.group)).toBe(false);
  });

  it('is told from a later one of its number, from another boot, and from ourselves', async () => {
    const job = await run(['sleep', '60'], join(folder(), 'out.log'));
    const { group } = job;
    expect(isGroupAlive({ ...group, startedAt: `${Number(group.startedAt) - 1}` })).toBe(false);
    expect(isGroupAlive({ ...group, bootId: 'another' })).toBe(false);
    expect(isGroupAlive({ ...group, bootId: null })).toBe(true);
    for (const pid of [0, 1, -1, process.pid, 1.5, NaN]) {
      expect(signalGroup({ ...group, pid }, 'SIGKILL'), `pid ${pid}`).toBe(false);
    }
    expect(isGroupAlive(group)).toBe(true);
  });
});
