import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root, temporaryFolder, writeFiles } from '../../../test/tooling/clone.js';
import { run } from '../../../test/tooling/run.js';
import { lockFiles } from './lock-files.js';
import { ownIdentity, presenceOf } from './process-identity.js';

const long = process.env['MICA_LONG'] === '1';

async function died(): Promise<number> {
  return Number((await run(process.execPath, ['-p', 'process.pid'])).stdout);
}

describe('a lock file', () => {
  it('has one holder, and the next after that', async () => {
    const locks = lockFiles(join(temporaryFolder(), 'state', 'locks'));
    const first = await locks.lock('GPU-1/a');
    expect(first.ok).toBe(true);
    expect(await locks.lock('GPU-1/a')).toEqual({ ok: false, pid: process.pid });
    const other = await locks.lock('GPU-2');
    expect(other.ok).toBe(true);
    for (let round = 0, held = first; round < 5; round += 1) {
      if (held.ok) await held.release();
      if (held.ok) await held.release();
      held = await locks.lock('GPU-1/a');
      expect(held.ok).toBe(true);
    }
  });

  it('is for its owner alone, and leaves nothing that grows', async () => {
    const folder = join(temporaryFolder(), 'locks');
    const locks = lockFiles(folder);
    for (let round = 0; round < 20; round += 1) {
      const held = await locks.lock('key');
      if (held.ok) await held.release();
    }
    expect(readdirSync(folder)).toEqual(['key.lock']);
    expect(readdirSync(join(folder, 'key.lock'))).toEqual(['20']);
    expect(statSync(join(folder, 'key.lock')).mode & 0o777).toBe(0o700);
    expect(statSync(join(folder, 'key.lock', '20')).mode & 0o777).toBe(0o600);
  });

  it('passes from a process that died, whatever it left half done', async () => {
    const folder = temporaryFolder();
    const gone = JSON.stringify({ pid: await died(), startTicks: '1', bootId: null, pidNamespace: null });
    writeFiles(folder, { 'key.lock/7': gone, 'key.lock/7.draft': '{', 'key.lock/8.draft': gone });
    expect((await lockFiles(folder).lock('key')).ok).toBe(true);
    expect(readdirSync(join(folder, 'key.lock'))).toEqual(['8']);
  });

  it.each([
    ['was started later under the same pid', { startTicks: '1' }],
    ['ran before the machine was restarted', { bootId: 'another' }],
  ])('passes from a process that %s', async (_, change) => {
    const folder = temporaryFolder();
    writeFiles(folder, { 'key.lock/0': JSON.stringify({ ...ownIdentity(), ...change }) });
    expect((await lockFiles(folder).lock('key')).ok).toBe(true);
  });

  it('passes from a power loss that left no words in it', async () => {
    const folder = temporaryFolder();
    writeFiles(folder, { 'key.lock/3': '' });
    expect((await lockFiles(folder).lock('key')).ok).toBe(true);
  });

  it('stays with a process of another container, which cannot be seen', async () => {
    const folder = temporaryFolder();
    const elsewhere = { ...ownIdentity(), pidNamespace: 'pid:[1]' };
    expect(presenceOf(elsewhere)).toBe('unseen');
    writeFiles(folder, { 'key.lock/0': JSON.stringify(elsewhere) });
    expect(await lockFiles(folder).lock('key')).toEqual({ ok: false, pid: null });
  });

  it('names the folder that it cannot write to', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'file'), '');
    await expect(lockFiles(join(folder, 'file')).lock('key')).rejects.toMatchObject({
      code: 'unwritable-state',
      message: expect.stringContaining(join(folder, 'file')),
    });
  });
});

/** Adds one to a number in a file `rounds` times, each time under the lock, and ends without releasing its last. */
const contender = `
  import { readFileSync, writeFileSync } from 'node:fs';
  import { lockFiles } from ${JSON.stringify(join(root, 'src/adapters/system/lock-files.ts'))};
  const [folder, rounds] = [process.argv[2], Number(process.argv[3])];
  const locks = lockFiles(folder + '/locks');
  for (let done = 0; done < rounds; ) {
    const held = await locks.lock('counter');
    if (!held.ok) continue;
    const count = Number(readFileSync(folder + '/counter', 'utf8'));
    await new Promise((resolve) => setImmediate(resolve));
    writeFileSync(folder + '/counter', String(count + 1));
    done += 1;
    if (done < rounds) await held.release();
  }
  process.kill(process.pid, 'SIGKILL');
`;

describe('processes that race for a lock', () => {
  it('never hold it together, though each dies with it in hand', async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'locks'));
    writeFiles(folder, { counter: '0', 'contender.mts': contender });
    const [processes, rounds] = [4, long ? 1000 : 60];
    const ends = Array.from(
      { length: processes },
      () =>
        new Promise((resolve) => {
          const args = ['--import', 'tsx', '--conditions=source', join(folder, 'contender.mts'), folder];
          spawn(process.execPath, [...args, `${rounds}`], { cwd: root, stdio: 'inherit' }).on(
            'exit',
            (_, signal) => resolve(signal),
          );
        }),
    );
    expect(await Promise.all(ends)).toEqual(Array(processes).fill('SIGKILL'));
    expect(readFileSync(join(folder, 'counter'), 'utf8')).toBe(String(processes * rounds));
  });
});
