import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryFolder, writeFiles } from '../../../test/tooling/clone.js';
import { systemd } from './systemd.js';

it('runs where it left its folder, and reads units from its own folders alone', async () => {
  const root = temporaryFolder();
  expect(await systemd(root).isRunning()).toBe(false);
  writeFiles(root, { 'run/systemd/system/.keep': '' });
  expect(await systemd(root).isRunning()).toBe(true);
  expect(systemd(root).reads(join(root, 'etc/systemd/system/'))).toBe(true);
  expect(systemd(root).reads(join(root, 'tmp'))).toBe(false);
});

it('passes arguments as they are, and gives back what was said', async () => {
  const folder = temporaryFolder();
  const program = join(folder, 'systemctl');
  writeFiles(folder, { systemctl: '#!/bin/sh\n[ "$1" = enable ] || { echo "no: $#: $2" >&2; exit 1; }\n' });
  chmodSync(program, 0o755);
  const { systemctl } = systemd('/', program);
  expect(await systemctl(['enable', 'a.service'])).toEqual({ ok: true });
  expect(await systemctl(['start', 'a b; c'])).toEqual({ ok: false, message: 'no: 2: a b; c' });
  expect(await systemd('/', join(folder, 'none')).systemctl([])).toMatchObject({
    ok: false,
    message: expect.stringContaining('ENOENT'),
  });
});
