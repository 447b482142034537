/** Putting the unit where systemd reads it, and taking it away: again and again without harm, and nobody else's file. */
import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Systemd } from '#adapters/system/systemd';
import { MicaError } from '#core/errors';
import { defaultUnitFolder, unitMark, unitName } from './service-unit.js';

export interface ServiceAnswer {
  /** `failed`: systemd did not do its part; what is left is for `next`. */
  readonly outcome: 'installed' | 'removed' | 'unchanged' | 'refused' | 'failed';
  readonly unit: string;
  /** The commands that were run, and went well. */
  readonly ran: readonly string[];
  readonly why?: { readonly kind: 'foreign-file' | 'no-systemd' | 'systemctl'; readonly message: string };
  /** What is left to do. */
  readonly next?: string;
}

const enabling = [['daemon-reload'], ['enable', unitName]] as const;

export async function installUnit(folder: string, text: string, systemd: Systemd): Promise<ServiceAnswer> {
  const unit = join(folder, unitName);
  const there = await textOf(unit);
  if (there !== null && !isOurs(there)) return foreign(unit);
  if (folder === defaultUnitFolder && !(await systemd.isRunning())) {
    const why = { kind: 'no-systemd', message: 'this machine was not started by systemd' } as const;
    const next = 'run `mica node restore` where services start here, or name a folder with --unit-dir';
    return { outcome: 'refused', unit, ran: [], why, next };
  }
  const isNew = there !== text;
  if (isNew) await replace(folder, unit, text);
  const outcome = isNew ? 'installed' : 'unchanged';
  if (!systemd.reads(folder) || !(await systemd.isRunning())) {
    return { outcome, unit, ran: [], next: `${placing(folder, systemd)}${wordsOf(enabling)}` };
  }
  // Enabling once more costs nothing, and mends what was disabled by hand.
  return told(unit, outcome, await inTurn(isNew ? enabling : [['enable', unitName]], systemd));
}

export async function removeUnit(folder: string, systemd: Systemd): Promise<ServiceAnswer> {
  const unit = join(folder, unitName);
  const there = await textOf(unit);
  if (there === null) return { outcome: 'unchanged', unit, ran: [] };
  if (!isOurs(there)) return foreign(unit);
  const isManaged = systemd.reads(folder) && (await systemd.isRunning());
  const disabled = isManaged ? await inTurn([['disable', unitName]], systemd) : nothingRun;
  if (disabled.why !== undefined) return told(unit, 'removed', disabled);
  await rm(unit, { force: true }).catch((error: unknown) => refuseFolder(unit, error));
  const reloaded = isManaged ? await inTurn([['daemon-reload']], systemd) : nothingRun;
  return told(unit, 'removed', { ...reloaded, ran: [...disabled.ran, ...reloaded.ran] });
}

interface Turn {
  readonly ran: readonly string[];
  readonly why?: NonNullable<ServiceAnswer['why']>;
  readonly next?: string;
}

const nothingRun: Turn = { ran: [] };

/** Stops at the first that fails. */
async function inTurn(commands: readonly (readonly string[])[], { systemctl }: Systemd): Promise<Turn> {
  const ran: string[] = [];
  for (const [index, args] of commands.entries()) {
    const answer = await systemctl(args);
    if (!answer.ok) {
      const why = { kind: 'systemctl', message: `${wordsOf([args])}: ${answer.message}` } as const;
      return { ran, why, next: wordsOf(commands.slice(index)) };
    }
    ran.push(wordsOf([args]));
  }
  return { ran };
}

function told(unit: string, outcome: ServiceAnswer['outcome'], turn: Turn): ServiceAnswer {
  return { outcome: turn.why === undefined ? outcome : 'failed', unit, ...turn };
}

function wordsOf(commands: readonly (readonly string[])[]): string {
  return commands.map((args) => `systemctl ${args.join(' ')}`).join(' && ');
}

function placing(folder: string, systemd: Systemd): string {
  return systemd.reads(folder) ? '' : `copy it to ${defaultUnitFolder} on the machine, and there: `;
}

function isOurs(text: string): boolean {
  return text.startsWith(unitMark);
}

function foreign(unit: string): ServiceAnswer {
  const message = `${unit} is there, and Mica did not write it`;
  const next = 'look at it, and move it away if nobody needs it; `systemctl unmask` where it was masked';
  return { outcome: 'refused', unit, ran: [], why: { kind: 'foreign-file', message }, next };
}

/** `null`: there is none. */
async function textOf(unit: string): Promise<string | null> {
  try {
    return await readFile(unit, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    return refuseFolder(unit, error);
  }
}

/** In one move: systemd never reads half of it. */
async function replace(folder: string, unit: string, text: string): Promise<void> {
  const draft = join(folder, `.${unitName}.${randomUUID()}`);
  try {
    await mkdir(folder, { recursive: true });
    await writeFile(draft, text, { mode: 0o644, flush: true });
    await rename(draft, unit);
  } catch (error) {
    await rm(draft, { force: true }).catch(() => undefined);
    refuseFolder(unit, error);
  }
}

function refuseFolder(unit: string, cause: unknown): never {
  const { code = '', message } = cause as NodeJS.ErrnoException;
  const reason = code === 'EACCES' || code === 'EPERM' ? 'you may not' : message;
  throw new MicaError('unwritable-folder', `${unit} cannot be read or written: ${reason}`, {
    cause,
    next: 'Run it as root, or name a folder with --unit-dir that you may write to.',
  });
}
