/** The service manager of this machine, asked by its own program. */
import { execFile } from 'node:child_process';
import { access } from 'node:fs/promises';
import { join, resolve } from 'node:path';

export type SystemctlAnswer = { readonly ok: true } | { readonly ok: false; readonly message: string };

export interface Systemd {
  /** Whether this machine was started by systemd; its programs may be installed where it was not. */
  readonly isRunning: () => Promise<boolean>;
  /** Whether it reads units from this folder. */
  readonly reads: (folder: string) => boolean;
  readonly systemctl: (args: readonly string[]) => Promise<SystemctlAnswer>;
}

const unitFolders = [
  '/etc/systemd/system',
  '/run/systemd/system',
  '/usr/local/lib/systemd/system',
  '/usr/lib/systemd/system',
  '/lib/systemd/system',
];

/** `root`: where the file system of the machine begins. */
export function systemd(root = '/', program = 'systemctl'): Systemd {
  return {
    // What systemd's own sd_booted looks at.
    isRunning: () =>
      access(join(root, 'run/systemd/system')).then(
        () => true,
        () => false,
      ),
    reads: (folder) => unitFolders.some((known) => resolve(join(root, known)) === resolve(folder)),
    systemctl: (args) =>
      new Promise((resolve) => {
        execFile(program, args, { timeout: patienceMs }, (error, stdout, stderr) => {
          const said = `${stderr}${stdout}`.trim();
          if (error === null) resolve({ ok: true });
          else resolve({ ok: false, message: said === '' ? error.message : said });
        });
      }),
  };
}

/** Reloading takes a moment; a manager that hangs must not hang us. */
const patienceMs = 60_000;
