/** `mica node install-service`, `uninstall-service`: whether this machine makes its slices again when it boots. */
import { stat } from 'node:fs/promises';
import { isAbsolute, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stateFolder } from '#adapters/system/state-folder';
import { systemd } from '#adapters/system/systemd';
import { MicaError } from '#core/errors';
import type { AnswerExit, Context } from '../../command.js';
import { printJson } from '../../terminal/json.js';
import { printable } from '../../terminal/screen.js';
import { installUnit, removeUnit, type ServiceAnswer } from './service-change.js';
import { defaultUnitFolder, unitName, unitText } from './service-unit.js';

export interface UninstallFlags {
  readonly unitDir?: string;
  readonly json?: boolean;
}

export interface InstallFlags extends UninstallFlags {
  readonly dryRun?: boolean;
  readonly stateDir?: string;
  readonly nvmlLib?: string;
  readonly mica?: string;
}

export async function installServiceCommand(
  { screen, host, json }: Context,
  _positional: readonly never[],
  flags: InstallFlags,
): Promise<AnswerExit> {
  const mica = flags.mica === undefined ? thisMica() : [absolute('--mica', flags.mica)];
  const text = unitText({
    mica,
    stateFolder: flags.stateDir === undefined ? stateFolder(host.env, true) : pathOf(flags.stateDir),
    ...(flags.nvmlLib === undefined ? {} : { nvmlLibrary: libraryOf(flags.nvmlLib) }),
  });
  for (const path of mica) for (const doubt of await doubtsAbout(path)) screen.note(`note: ${doubt}`);
  const folder = folderOf(flags);
  if (flags.dryRun === true) {
    if (json) printJson(screen, { outcome: 'dry-run', unit: `${folder}/${unitName}`, text });
    else screen.write(text);
    return 0;
  }
  return tell({ screen, json }, await installUnit(folder, text, systemd()));
}

export async function uninstallServiceCommand(
  { screen, json }: Context,
  _positional: readonly never[],
  flags: UninstallFlags,
): Promise<AnswerExit> {
  return tell({ screen, json }, await removeUnit(folderOf(flags), systemd()));
}

function tell({ screen, json }: Pick<Context, 'screen' | 'json'>, answer: ServiceAnswer): AnswerExit {
  const { outcome, unit, ran, why, next } = answer;
  if (json) printJson(screen, answer);
  else {
    const { green, red, bold } = screen.style;
    const isGood = why === undefined;
    screen.print(`${bold((isGood ? green : red)(outcome))}  ${printable(unit)}`);
    for (const command of ran) screen.print(`  ran ${command}`);
    if (why !== undefined) screen.print(`  why: ${printable(why.message)}`);
    if (next !== undefined) screen.print(`  what to do: ${next}`);
  }
  if (outcome === 'refused') return 1;
  return outcome === 'failed' ? 3 : 0;
}

/** By full paths: the service manager's PATH need not hold the Node that runs this. */
function thisMica(): readonly string[] {
  return [process.execPath, fileURLToPath(new URL('../../../../../bin/mica', import.meta.url))];
}

/** What runs as root at boot should be root's own. */
async function doubtsAbout(path: string): Promise<readonly string[]> {
  const found = await stat(path).catch(() => null);
  if (found === null) return [`there is no ${path} here; the service needs it`];
  const isRoots = found.uid === 0 && (found.mode & 0o022) === 0;
  return isRoots ? [] : [`others than root may change ${path}, which the service runs as root`];
}

function folderOf({ unitDir }: UninstallFlags): string {
  return unitDir === undefined ? defaultUnitFolder : pathOf(unitDir);
}

/** A library may be named for the loader to find, as in libnvidia-ml.so.1. */
function libraryOf(text: string): string {
  return text.includes('/') ? pathOf(text) : printableOnly(text);
}

function absolute(option: string, path: string): string {
  if (isAbsolute(path)) return printableOnly(path);
  throw new MicaError('bad-usage', `${option} takes an absolute path, got '${path}'`);
}

function pathOf(path: string): string {
  return resolve(printableOnly(path));
}

/** A line feed would end the setting that it stands in. */
function printableOnly(text: string): string {
  if (text !== '' && printable(text) === text && !text.includes('\n')) return text;
  throw new MicaError('bad-usage', `'${text}' cannot stand in a unit file`);
}
