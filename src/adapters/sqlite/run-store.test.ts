import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'libsql';
import { describe, expect, it, onTestFinished } from 'vitest';
import { runStoreContract } from '#ports/run-store.contract';
import type { RunStore } from '#ports/run-store';
import { root, temporaryFolder } from '../../../test/tooling/clone.js';
import { openRunStore } from './run-store.js';

async function opened(path: string, patienceMs?: number): Promise<RunStore> {
  const store = await openRunStore({ path, ...(patienceMs === undefined ? {} : { patienceMs }) });
  onTestFinished(() => store.close());
  return store;
}

const fileIn = (folder = temporaryFolder()): string => join(folder, 'state', 'run', 'mica.db');
const put = (store: RunStore, key: string, ms: number): Promise<void> =>
  store.transact((tables) => tables.putDuration(key, ms));

runStoreContract(async () => {
  const path = fileIn();
  return { store: await opened(path), reopen: () => opened(path) };
});

describe('the file', () => {
  it("is its owner's alone, with what lies beside it", async () => {
    const path = fileIn();
    const folder = join(path, '..');
    mkdirSync(folder, { recursive: true });
    chmodSync(folder, 0o755);
    await put(await opened(path), 'a', 1);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    const files = readdirSync(folder);
    expect(files).toContain('mica.db-wal');
    for (const file of files) expect(statSync(join(folder, file)).mode & 0o777, file).toBe(0o600);
  });

  it('of a newer Mica is left alone', async () => {
    const path = fileIn();
    await (await openRunStore({ path })).close();
    const database = new Database(path);
    database.pragma('user_version = 99');
    database.close();
    await expect(openRunStore({ path })).rejects.toMatchObject({ code: 'newer-state' });
  });

  it('of somebody else is left alone, and garbage is said to be damaged', async () => {
    const path = fileIn();
    mkdirSync(join(path, '..'), { recursive: true });
    const database = new Database(path);
    database.exec('CREATE TABLE theirs (a)');
    database.close();
    await expect(openRunStore({ path })).rejects.toMatchObject({ code: 'damaged-state' });
    writeFileSync(path, 'x'.repeat(8192));
    await expect(openRunStore({ path })).rejects.toMatchObject({ code: 'damaged-state' });
  });

  it('with a damaged page or record is said to be damaged', async () => {
    const path = fileIn();
    const store = await opened(path);
    const database = new Database(path);
    onTestFinished(() => void database.close());
    database.exec("INSERT INTO lease VALUES ('l', '{')");
    await expect(store.read((tables) => tables.leases())).rejects.toMatchObject({ code: 'damaged-state' });
  });

  it('that cannot be made is said to be unwritable', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'state'), '');
    await expect(openRunStore({ path: fileIn(folder) })).rejects.toMatchObject({ code: 'unwritable-state' });
  });

  it('that may only be read is said to be unwritable', async () => {
    const path = fileIn();
    await (await openRunStore({ path })).close();
    chmodSync(path, 0o400);
    // Nothing is read-only to root; anybody else may not even look into the folder.
    if (process.geteuid?.() === 0) {
      process.seteuid?.(65_534);
      onTestFinished(() => process.seteuid?.(0));
    }
    await expect(openRunStore({ path })).rejects.toMatchObject({ code: 'unwritable-state' });
  });

  it('that another process has locked is waited for, and not for ever', async () => {
    const path = fileIn();
    const store = await opened(path, 80);
    const other = new Database(path);
    onTestFinished(() => void other.close());
    other.exec('BEGIN IMMEDIATE');
    await expect(put(store, 'a', 1)).rejects.toMatchObject({ code: 'state-locked' });
    expect(await store.read((tables) => tables.durationMs('a'))).toBeNull();
    const patient = put(await opened(path), 'a', 2);
    setTimeout(() => void other.exec('COMMIT'), 60);
    await patient;
    expect(await store.read((tables) => tables.durationMs('a'))).toBe(2);
  });
});

/** Puts numbers 1, 2, ... under two keys at once until it is stopped, and prints each that is on disk. */
const counting = `
import { openRunStore } from '#adapters/sqlite/run-store';
const [path = '', letters = '0'] = process.argv.slice(-2);
const store = await openRunStore({ path });
const before = await store.read((tables) => tables.durationMs('one') ?? 0);
for (let next = before + 1; ; next += 1) {
  try {
    await store.transact((tables) => {
      tables.putDuration('one', next);
      if (letters !== '0') tables.putQuarantine({ slice: 's' + next, why: 'x'.repeat(Number(letters)), sinceMs: 1 });
      tables.putDuration('two', next);
    });
  } catch (error) {
    console.log(error.code);
    console.log(await store.read((tables) => tables.durationMs('one')), await store.read((tables) => tables.durationMs('two')));
    process.exit(7);
  }
  console.log(next);
}
`;

/** Another process that opens the store, puts a number where there is one to put, reads both, and closes it. */
const passing = `
import { openRunStore } from '${join(root, 'src/adapters/sqlite/run-store.ts')}';
const [path = ''] = process.argv.slice(-1);
const store = await openRunStore({ path });
console.log(JSON.stringify(await store.read((tables) => [tables.durationMs('a'), tables.durationMs('b')])));
await store.close();
`;

it('opened twice in one process loses nothing when another closes it', { timeout: 60_000 }, async () => {
  const folder = temporaryFolder();
  const path = fileIn(folder);
  writeFileSync(join(folder, 'pass.mts'), passing);
  const pass = (): unknown => {
    const args = ['--import', 'tsx', '--conditions=source', join(folder, 'pass.mts'), path];
    const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' });
    expect(stderr).toBe('');
    return JSON.parse(stdout);
  };
  const first = await opened(path);
  await put(first, 'a', 1);
  // A lock of this process on the file, were it dropped, would have the other think that it is the last.
  await opened(path);
  expect(pass()).toEqual([1, null]);
  await put(first, 'b', 2);
  expect(pass()).toEqual([1, 2]);
});

describe('a process that', () => {
  const child = (folder: string): string => {
    const file = join(folder, 'count.mts');
    writeFileSync(file, counting);
    return file;
  };
  // The child stands outside of the package, so that its imports are resolved as the package's own.
  const node = ['--import', 'tsx', '--conditions=source'];

  it('is killed has lost nothing that it was told is done', { timeout: 60_000 }, async () => {
    const folder = temporaryFolder();
    const path = fileIn(folder);
    const script = counting.replace(
      '#adapters/sqlite/run-store',
      join(root, 'src/adapters/sqlite/run-store.ts'),
    );
    writeFileSync(child(folder), script);
    let last = 0;
    for (let round = 0; round < 4; round += 1) {
      const running = spawn(process.execPath, [...node, join(folder, 'count.mts'), path, '0'], { cwd: root });
      const closed = new Promise((resolve) => running.on('close', resolve));
      let printed = '';
      running.stdout.on('data', (chunk) => {
        if (printed === '') setTimeout(() => running.kill('SIGKILL'), 40 + round * 35);
        printed += String(chunk);
      });
      await closed;
      const acknowledged = Number(printed.trimEnd().split('\n').at(-1));
      const store = await openRunStore({ path });
      const [one, two] = await store.read((tables) => [tables.durationMs('one'), tables.durationMs('two')]);
      await store.close();
      expect(one).toBe(two);
      expect(acknowledged).toBeGreaterThan(last);
      expect(one).toBeGreaterThanOrEqual(acknowledged);
      last = one ?? 0;
    }
  });

  it('has a full disk has changed nothing, and says so', { timeout: 60_000 }, async () => {
    const folder = temporaryFolder();
    const path = fileIn(folder);
    const script = counting.replace(
      '#adapters/sqlite/run-store',
      join(root, 'src/adapters/sqlite/run-store.ts'),
    );
    writeFileSync(child(folder), script);
    await (await openRunStore({ path })).close();
    // The largest file that may be written is half a MiB; the signal for it is ignored, so that writing fails.
    const command = `trap '' XFSZ; ulimit -f 1024; exec "$@"`;
    const args = ['-c', command, 'sh', process.execPath, ...node, join(folder, 'count.mts'), path, '60000'];
    const { status, stdout, stderr } = spawnSync('sh', args, { cwd: root, encoding: 'utf8' });
    expect(status, stderr).toBe(7);
    const lines = stdout.trimEnd().split('\n');
    const acknowledged = Number(lines.at(-3));
    expect(acknowledged).toBeGreaterThan(1);
    expect(lines.slice(-2)).toEqual(['unwritable-state', `${acknowledged} ${acknowledged}`]);
    const store = await opened(path);
    expect(await store.read((tables) => tables.durationMs('one'))).toBe(acknowledged);
    await put(store, 'one', 0);
  });
});
