import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'libsql';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { MicaError } from '#core/errors';
import { temporaryFolder } from '../../../test/tooling/clone.js';
import { groupCommit } from './group-commit.js';
import { connect, makeFile } from './open-file.js';
import { openRunStore } from './run-store.js';

async function opened() {
  const path = join(temporaryFolder(), 'run', 'mica.db');
  await makeFile(path);
  const database = connect(path);
  onTestFinished(() => void database.close());
  return { path, database };
}

/** Whole transactions in the log: the frame that ends one has the size of the database in it. */
function commitsIn(path: string): number {
  const bytes = readFileSync(`${path}-wal`);
  const frameSize = 24 + bytes.readUInt32BE(8);
  let commits = 0;
  for (let at = 32; at + frameSize <= bytes.length; at += frameSize) {
    if (bytes.readUInt32BE(at + 4) !== 0) commits += 1;
  }
  return commits;
}

describe('transactions that wait at the same time', () => {
  it('share one commit', async () => {
    const path = join(temporaryFolder(), 'run', 'mica.db');
    const store = await openRunStore({ path });
    onTestFinished(() => store.close());
    const before = commitsIn(path);
    const put = (key: string) => store.transact((tables) => tables.putDuration(key, 1));
    await Promise.all(Array.from({ length: 50 }, (_, place) => put(`at once ${place}`)));
    expect(commitsIn(path) - before).toBe(1);
    for (let place = 0; place < 5; place += 1) await put(`one by one ${place}`);
    expect(commitsIn(path) - before).toBe(6);
  });

  it('wait for the disk where one of them must, and then no more', async () => {
    const { path, database } = await opened();
    const said: string[] = [];
    const listening = new Proxy(database, {
      get: (target, key) => {
        const value: unknown = Reflect.get(target, key, target);
        if (typeof value !== 'function') return value;
        return (...args: readonly unknown[]): unknown => {
          if (typeof args[0] === 'string') said.push(args[0]);
          return Reflect.apply(value, target, args);
        };
      },
    });
    const { run } = groupCommit(listening, { path, patienceMs: 1000 });
    await run(() => 1, false);
    expect(said.splice(0)).toEqual(['BEGIN IMMEDIATE', 'COMMIT']);
    await run(() => 1, true);
    const durable = ['synchronous = FULL', 'BEGIN IMMEDIATE', 'COMMIT', 'synchronous = NORMAL'];
    expect(said.splice(0)).toEqual(durable);
    await Promise.all([run(() => 1, false), run(() => 1, true)]);
    expect(said.splice(0).filter((text) => !text.includes(' one'))).toEqual(durable);
    expect(database.pragma('synchronous', { simple: true })).toMatchObject({ synchronous: 1 });
  });

  it('each answer for themselves where the disk has no room for all of them', async () => {
    const { path, database } = await opened();
    database.pragma(`max_page_count = ${pageCount(database) + 4}`);
    const put = database.prepare('INSERT OR REPLACE INTO quarantine VALUES (?, ?)');
    const { run } = groupCommit(database, { path, patienceMs: 1000 });
    const row = (key: string, letters: number) => run(() => put.run(key, 'x'.repeat(letters)).changes, false);
    const answers = await Promise.allSettled([row('a', 10), row('b', 100_000), row('c', 10)]);
    expect(answers.map((one) => (one.status === 'fulfilled' ? one.value : one.reason.code))).toEqual([
      1,
      'unwritable-state',
      1,
    ]);
    const kept = database.prepare('SELECT slice FROM quarantine ORDER BY slice').all();
    expect(kept).toMatchObject([{ slice: 'a' }, { slice: 'c' }]);
  });

  it('wait for another process, each as long as it may', async () => {
    const { path, database } = await opened();
    const other = new Database(path);
    onTestFinished(() => void other.close());
    const { run, idle } = groupCommit(database, { path, patienceMs: 150 });
    other.exec('BEGIN IMMEDIATE');
    const early = [run(() => 1, false), run(() => 2, false)].map((one) =>
      one.catch((error: unknown) => (error as MicaError).code),
    );
    expect(await Promise.all(early)).toEqual(['state-locked', 'state-locked']);
    const late = [run(() => 3, false), run(() => 4, false)];
    other.exec('COMMIT');
    expect(await Promise.all(late)).toEqual([3, 4]);
    await idle();
  });
});

function pageCount(database: Database.Database): number {
  const [row] = database.prepare('PRAGMA page_count').raw().all() as readonly (readonly [number])[];
  return row?.[0] ?? 0;
}
