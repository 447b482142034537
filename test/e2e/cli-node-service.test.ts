/** `mica node install-service` and `uninstall-service` as they are typed; where systemd does not look, so that nothing is enabled. */
import { chmodSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root, temporaryFolder } from '../tooling/clone.js';
import { runMica } from './run-mica.js';

const reference = readFileSync(join(root, 'deploy/systemd/mica-restore.service'), 'utf8');
const usual = ['--mica', '/usr/local/bin/mica'];

describe('install-service', () => {
  it('--dry-run prints what stands in deploy/, and writes nothing', async () => {
    const { stdout, exit } = await runMica(['node', 'install-service', '--dry-run', ...usual]);
    expect({ stdout, exit }).toEqual({ stdout: reference, exit: 0 });
  });

  it('runs this very program by this very Node, unless told otherwise', async () => {
    const { stdout } = await runMica(['node', 'install-service', '--dry-run', '--state-dir', '/srv/mica']);
    expect(stdout).toContain(`ExecStart=${process.execPath} ${join(root, 'bin/mica')} node restore\n`);
    expect(stdout).toContain('ReadWritePaths=/srv/mica\n');
  });

  it('writes, writes no more, and takes away', async () => {
    const folder = temporaryFolder();
    const typed = (command: string) => runMica(['node', command, '--unit-dir', folder, '--json']);
    const first = await runMica(['node', 'install-service', '--unit-dir', folder, ...usual, '--json']);
    expect(first.exit).toBe(0);
    expect(JSON.parse(first.stdout)).toMatchObject({ outcome: 'installed', ran: [] });
    expect(readFileSync(join(folder, 'mica-restore.service'), 'utf8')).toBe(reference);
    const again = await runMica(['node', 'install-service', '--unit-dir', folder, ...usual]);
    expect(again.stdout).toMatch(/^unchanged {2}[^]*what to do: copy it to \/etc\/systemd\/system/);
    expect(JSON.parse((await typed('uninstall-service')).stdout)).toMatchObject({ outcome: 'removed' });
    expect(readdirSync(folder)).toEqual([]);
    expect(JSON.parse((await typed('uninstall-service')).stdout)).toMatchObject({ outcome: 'unchanged' });
  });

  it('leaves alone what it did not write: exit 1', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'mica-restore.service'), '[Unit]\n');
    for (const command of ['install-service', 'uninstall-service']) {
      expect(await runMica(['node', command, '--unit-dir', folder])).toMatchObject({ exit: 1 });
    }
    expect(readFileSync(join(folder, 'mica-restore.service'), 'utf8')).toBe('[Unit]\n');
  });

  it.each([
    [['--mica', 'bin/mica'], '--mica takes an absolute path'],
    [['--state-dir', '/srv/a\nExecStartPre=/bin/sh'], 'cannot stand in a unit file'],
    [['--nvml-lib', ''], 'cannot stand in a unit file'],
  ])('%j: exit 2', async (flags, said) => {
    const { stderr, exit } = await runMica(['node', 'install-service', '--dry-run', ...flags]);
    expect(exit).toBe(2);
    expect(stderr).toContain(said);
  });

  it('doubts a program that others than root may change', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'mica'), '');
    chmodSync(join(folder, 'mica'), 0o777);
    const { stderr } = await runMica([
      'node',
      'install-service',
      '--dry-run',
      '--mica',
      join(folder, 'mica'),
    ]);
    expect(stderr).toContain('others than root may change');
  });
});
