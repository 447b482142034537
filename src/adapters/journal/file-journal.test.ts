import { spawn } from 'node:child_process';
import {
  appendFileSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { lockFiles } from '#adapters/system/lock-files';
import { journalContract } from '#ports/journal.contract';
import { root, temporaryFolder, writeFiles } from '../../../test/tooling/clone.js';

import { fileJournal } from './file-journal.js';

const long = process.env['MICA_LONG'] === '1';

function journalIn(folder: string) {
  return fileJournal({ folder, locks: lockFiles(join(folder, 'locks')) });
}

journalContract('in files', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'mica-journal-'));
  return {
    store: journalIn(folder),
    reopen: async () => journalIn(folder),
    close: async () => rmSync(folder, { recursive: true }),
  };
});

describe('a journal in files', () => {
  it('is for its owner alone', async () => {
    const folder = join(temporaryFolder(), 'state', 'journal');
    const journal = journalIn(folder);
    await journal.append('change', 1);
    await journal.append('done', 1);
    await journal.close('done');
    for (const inside of ['', 'open', 'closed']) {
      expect(statSync(join(folder, inside)).mode & 0o777, inside).toBe(0o700);
    }
    expect(statSync(join(folder, 'open/change.jsonl')).mode & 0o777).toBe(0o600);
    expect(readdirSync(join(folder, 'closed'))).toEqual(['000000001-done.jsonl']);
  });

  it('drops a last record that is torn at any byte, and goes on after it', async () => {
    const folder = temporaryFolder();
    const file = join(folder, 'open/change.jsonl');
    const journal = journalIn(folder);
    await journal.append('change', { step: 'one' });
    const one = readFileSync(file);
    await journal.append('change', { step: 'two' });
    const both = readFileSync(file);
    for (let length = one.length; length < both.length; length += 1) {
      writeFileSync(file, both.subarray(0, length));
      expect(await journal.read('change')).toEqual([{ step: 'one' }]);
      await journal.append('change', 3);
      expect(await journal.read('change')).toEqual([{ step: 'one' }, 3]);
      expect(readFileSync(file, 'utf8')).toMatch(/^.*"one".*\n.*:3\}\n$/);
    }
    for (let length = 0; length < one.length; length += 1) {
      writeFileSync(file, one.subarray(0, length));
      expect(await journal.names()).toEqual([]);
    }
  });

  it('drops a last record that the disk filled with something else', async () => {
    const folder = temporaryFolder();
    const journal = journalIn(folder);
    await journal.append('change', 1);
    appendFileSync(join(folder, 'open/change.jsonl'), `${'\0'.repeat(40)}\n\0\0\n`);
    expect(await journal.read('change')).toEqual([1]);
  });

  it.each([
    ['is changed', (lines: string[]) => lines.with(1, lines[1]!.replace('"two"', '"2"'))],
    ['is missing', (lines: string[]) => lines.toSpliced(1, 1)],
    ['comes twice', (lines: string[]) => lines.toSpliced(1, 0, lines[1]!)],
  ])('is not believed where a record in the middle %s', async (_, damage) => {
    const folder = temporaryFolder();
    const file = join(folder, 'open/change.jsonl');
    const journal = journalIn(folder);
    for (const record of ['one', 'two', 'three']) await journal.append('change', record);
    const damaged = damage(readFileSync(file, 'utf8').split('\n')).join('\n');
    writeFileSync(file, damaged);
    await expect(journal.read('change')).rejects.toMatchObject({ code: 'damaged-state' });
    await expect(journal.append('change', 'four')).rejects.toMatchObject({ code: 'damaged-state' });
    expect(await journal.names()).toEqual(['change']);
    expect(readFileSync(file, 'utf8')).toBe(damaged);
  });

  it('says which file it cannot write', async () => {
    const folder = temporaryFolder();
    writeFiles(folder, { open: 'a file where a folder should be' });
    await expect(journalIn(folder).append('change', 1)).rejects.toMatchObject({
      code: 'unwritable-state',
      message: expect.stringContaining(join(folder, 'open')),
    });
  });

  it('takes only names that a file can have', async () => {
    const folder = temporaryFolder();
    for (const name of ['', 'x'.repeat(300)]) {
      await expect(async () => journalIn(folder).append(name, 1)).rejects.toThrow(RangeError);
    }
    await journalIn(folder).append('../../up', 1);
    expect(readdirSync(join(folder, 'open'))).toEqual(['..%2F..%2Fup.jsonl']);
  });
});

/** Appends numbers for ever, in records of very different lengths, and prints each once it is told that it is safe. */
const writer = `
  import { writeSync } from 'node:fs';
  import { fileJournal } from ${JSON.stringify(join(root, 'src/adapters/journal/file-journal.ts'))};
  const journal = fileJournal({ folder: process.argv[2], locks: { lock: async () => ({ ok: false, pid: null }) } });
  let next = (await journal.read('change')).length;
  writeSync(1, 'ready\\n');
  for (;; next += 1) {
    await journal.append('change', { next, padding: 'x'.repeat((next * 7919) % 20000) });
    writeSync(1, next + '\\n');
  }
`;

describe('a process that is killed while it writes', () => {
  it('loses no record that it was told is safe', async () => {
    const folder = temporaryFolder();
    writeFiles(folder, { 'writer.mts': writer });
    let acknowledged = -1;
    for (let round = 0; round < (long ? 200 : 6); round += 1) {
      acknowledged = Math.max(acknowledged, await writeAndKill(folder, (round * 37) % 120));
      const records = (await journalIn(folder).read('change')) as { next: number }[];
      expect(records.map(({ next }) => next)).toEqual(records.map((_, index) => index));
      // One more may be on disk whose acknowledgement never came.
      expect([acknowledged + 1, acknowledged + 2]).toContain(records.length);
    }
    expect(acknowledged).toBeGreaterThan(0);
  });
});

/** Kills the writer this long after it began to write; the answer is the last number that it printed. */
async function writeAndKill(folder: string, afterMs: number): Promise<number> {
  const args = ['--import', 'tsx', '--conditions=source', join(folder, 'writer.mts'), folder];
  const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] });
  let printed = '';
  child.stdout.on('data', (chunk) => {
    if (printed === '') setTimeout(() => child.kill('SIGKILL'), afterMs);
    printed += String(chunk);
  });
  await new Promise((resolve) => child.on('close', resolve));
  const numbers = printed
    .split('\n')
    .slice(0, -1)
    .filter((line) => line !== 'ready');
  return Number(numbers.at(-1) ?? -1);
}
