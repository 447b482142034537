import { mkdirSync, readFileSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Systemd } from '#adapters/system/systemd';
import { temporaryFolder } from '../../../../../test/tooling/clone.js';
import { installUnit, removeUnit } from './service-change.js';
import { unitMark, unitName } from './service-unit.js';

const text = `${unitMark}\n[Unit]\n`;

/** A systemd that notes what it was told, and fails at what it is told to fail at. */
function fake({ isRunning = true, reads = true, fails = '' } = {}) {
  const told: string[] = [];
  const systemd: Systemd = {
    isRunning: async () => isRunning,
    reads: () => reads,
    systemctl: async ([verb = '', ...rest]) => {
      told.push([verb, ...rest].join(' '));
      return verb === fails ? { ok: false, message: 'Failed to connect to bus' } : { ok: true };
    },
  };
  return { told, systemd };
}

describe('installing', () => {
  it('writes the file for all to read, leaves nothing else behind, reloads and enables', async () => {
    const folder = join(temporaryFolder(), 'etc/systemd/system');
    const { told, systemd } = fake();
    expect(await installUnit(folder, text, systemd)).toEqual({
      outcome: 'installed',
      unit: join(folder, unitName),
      ran: ['systemctl daemon-reload', `systemctl enable ${unitName}`],
    });
    expect(told).toEqual(['daemon-reload', `enable ${unitName}`]);
    expect(readdirSync(folder)).toEqual([unitName]);
    expect(readFileSync(join(folder, unitName), 'utf8')).toBe(text);
    expect(statSync(join(folder, unitName)).mode & 0o777).toBe(0o644);
  });

  it('does no more than needed the second time, and takes over changes', async () => {
    const folder = temporaryFolder();
    await installUnit(folder, text, fake().systemd);
    const again = fake();
    expect(await installUnit(folder, text, again.systemd)).toMatchObject({ outcome: 'unchanged' });
    expect(again.told).toEqual([`enable ${unitName}`]);
    const changed = fake();
    expect(await installUnit(folder, `${text}#\n`, changed.systemd)).toMatchObject({ outcome: 'installed' });
    expect(changed.told).toEqual(['daemon-reload', `enable ${unitName}`]);
  });

  it.each([
    ['is of somebody else', '[Unit]\nDescription=mine\n'],
    ['is empty', ''],
  ])('touches no file that %s', async (_, foreign) => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, unitName), foreign);
    const { told, systemd } = fake();
    for (const answer of [await installUnit(folder, text, systemd), await removeUnit(folder, systemd)]) {
      expect(answer).toMatchObject({ outcome: 'refused', ran: [], why: { kind: 'foreign-file' } });
    }
    expect(told).toEqual([]);
    expect(readFileSync(join(folder, unitName), 'utf8')).toBe(foreign);
  });

  it('touches no unit that was masked', async () => {
    const folder = temporaryFolder();
    symlinkSync('/dev/null', join(folder, unitName));
    expect(await installUnit(folder, text, fake().systemd)).toMatchObject({
      outcome: 'refused',
      next: expect.stringContaining('unmask'),
    });
  });

  it('says what to type where systemd does not run, or does not look there', async () => {
    const notRunning = fake({ isRunning: false });
    expect(await installUnit(temporaryFolder(), text, notRunning.systemd)).toMatchObject({
      outcome: 'installed',
      ran: [],
      next: `systemctl daemon-reload && systemctl enable ${unitName}`,
    });
    const elsewhere = fake({ reads: false });
    const answer = await installUnit(temporaryFolder(), text, elsewhere.systemd);
    expect(answer.next).toMatch(/^copy it to \/etc\/systemd\/system .*: systemctl daemon-reload/);
    expect([...notRunning.told, ...elsewhere.told]).toEqual([]);
  });

  it('writes nothing to the folder of a systemd that is not there', async () => {
    const answer = await installUnit('/etc/systemd/system', text, fake({ isRunning: false }).systemd);
    expect(answer).toMatchObject({ outcome: 'refused', why: { kind: 'no-systemd' } });
  });

  it('says what is left to do where systemd fails', async () => {
    const folder = temporaryFolder();
    const { systemd } = fake({ fails: 'enable' });
    expect(await installUnit(folder, text, systemd)).toMatchObject({
      outcome: 'failed',
      ran: ['systemctl daemon-reload'],
      why: { kind: 'systemctl', message: expect.stringContaining('Failed to connect to bus') },
      next: `systemctl enable ${unitName}`,
    });
    expect(readdirSync(folder)).toEqual([unitName]);
  });

  it('names the file that it cannot write', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'file'), '');
    await expect(installUnit(join(folder, 'file'), text, fake().systemd)).rejects.toMatchObject({
      code: 'unwritable-folder',
      message: expect.stringContaining(unitName),
    });
  });
});

describe('taking away', () => {
  it('disables, removes, reloads, and is content where there is nothing', async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'multi-user.target.wants'));
    await installUnit(folder, text, fake().systemd);
    const { told, systemd } = fake();
    expect(await removeUnit(folder, systemd)).toMatchObject({ outcome: 'removed' });
    expect(told).toEqual([`disable ${unitName}`, 'daemon-reload']);
    expect(readdirSync(folder)).toEqual(['multi-user.target.wants']);
    expect(await removeUnit(folder, systemd)).toMatchObject({ outcome: 'unchanged', ran: [] });
  });

  it('keeps the file of a unit that could not be disabled', async () => {
    const folder = temporaryFolder();
    await installUnit(folder, text, fake().systemd);
    const { systemd } = fake({ fails: 'disable' });
    expect(await removeUnit(folder, systemd)).toMatchObject({ outcome: 'failed', ran: [] });
    expect(readdirSync(folder)).toEqual([unitName]);
  });
});
