/** The engine over the real journal and the real locks: what was read back is what was written. */
import { appendFileSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { fileJournal } from '../../adapters/journal/file-journal.js';
import { lockFiles } from '../../adapters/system/lock-files.js';
import { changeMachine, wanted } from '../../../test/support/change-machine.js';
import { mortal } from '../../../test/support/crash.js';
import { changeGpus } from './change.js';
import { historyOf, undoChange } from './history.js';
import { readPast } from './records.js';
import { resumeChanges } from './resume.js';

it('comes back from a crash that tore the last record, and undoes from closed journals', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'mica-change-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const machine = await changeMachine('h100:2');
  const open = () => ({
    ...machine.ports,
    journal: fileJournal({ folder: join(folder, 'journal'), locks: lockFiles(join(folder, 'locks')) }),
  });
  expect(
    await changeGpus(open(), [wanted(0, '1g.10gb:0', '3g.40gb:4'), wanted(1, '7g.80gb:0')]),
  ).toMatchObject({
    outcome: 'done',
  });
  const life = mortal(open(), 14);
  await changeGpus(life.ports, [wanted(0, '2g.20gb:0', '3g.40gb:4')]);
  expect(life.isDead()).toBe(true);
  const openFiles = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) =>
    /open.+json/.test(file),
  );
  expect(openFiles).toHaveLength(1);
  for (const file of openFiles) appendFileSync(join(folder, file), '{"torn":');
  expect(await resumeChanges(open())).toMatchObject([{ outcome: 'rolled-back' }]);
  expect(await machine.holds(0)).toBe('1g.10gb:0 3g.40gb:4');
  expect((await historyOf(open())).map(({ outcome }) => outcome)).toEqual(['done', 'rolled-back']);
  expect(await undoChange(open(), null)).toMatchObject({ ok: true, answer: { outcome: 'done' } });
  expect([await machine.holds(0), await machine.holds(1)]).toEqual(['mig off', 'mig off']);
});

it('believes no closed journal that has lost its end, and touches nothing then', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'mica-change-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const machine = await changeMachine('h100');
  const journal = fileJournal({ folder, locks: lockFiles(join(folder, 'locks')) });
  const ports = { ...machine.ports, journal };
  await changeGpus(ports, [wanted(0, '1g.10gb:0')]);
  await changeGpus(ports, [wanted(0, '7g.80gb:0')]);
  const [, last = ''] = readdirSync(join(folder, 'closed')).sort();
  const file = join(folder, 'closed', last);
  const whole = readFileSync(file);
  for (let length = 0; length < whole.length; length += 97) {
    writeFileSync(file, whole.subarray(0, length));
    await expect(changeGpus(ports, [wanted(0, '4g.40gb:0')])).rejects.toMatchObject({
      code: 'damaged-state',
      message: expect.stringContaining(last.replace('.jsonl', '')),
    });
  }
  expect(await machine.holds(0)).toBe('7g.80gb:0');
  writeFileSync(file, whole);
  expect((await readPast(journal)).changes).toHaveLength(2);
});

it('touches nothing where the state folder cannot be written', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'mica-change-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const machine = await changeMachine('h100');
  writeFileSync(join(folder, 'open'), 'a file where a folder should be');
  const journal = fileJournal({ folder, locks: lockFiles(join(folder, 'locks')) });
  await expect(changeGpus({ ...machine.ports, journal }, [wanted(0, '7g.80gb:0')])).rejects.toMatchObject({
    code: expect.stringMatching(/^un(writable|readable)/),
  });
  expect(await machine.holds(0)).toBe('mig off');
  expect(machine.faults.calls.filter(({ name }) => /create|destroy|set|reset/.test(name))).toEqual([]);
});
