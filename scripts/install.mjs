/** Installs the dependencies where they are not what package-lock.json asks for. Imports nothing but Node. */
import '../bin/node-version.js';
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { withLock } from './lock.mjs';

export const root = fileURLToPath(new URL('..', import.meta.url));

/** Returns once node_modules is whole; throws with what to do where it cannot be made so. */
export async function ensureInstalled() {
  if (isInstalled()) return;
  const say = (text) => process.stderr.write(`mica: ${text}\n`);
  await withLock(
    join(root, '.mica/install.lock'),
    async () => {
      if (isInstalled()) return; // somebody else did it while we waited
      say('installing dependencies (npm ci) ...');
      const { code, output } = await npm([
        'ci',
        '--include=dev',
        '--no-audit',
        '--no-fund',
        '--loglevel=error',
      ]);
      if (code === 0 && isInstalled()) return say('dependencies are installed');
      throw new Error(
        `npm ci ${code === 0 ? 'left packages out' : `failed (${code})`} in ${root}\n${indentStart(output)}\n` +
          'What to do: check that the npm registry can be reached (npm ping) and that this folder is writable, ' +
          'then run the command again.',
      );
    },
    () => say('another process is installing dependencies; waiting for it ...'),
  );
}

/**
 * npm writes node_modules/.package-lock.json last, so an install that was cut off has none. What it lists must be
 * what package-lock.json lists; optional packages are those of another platform and may be left out.
 */
function isInstalled() {
  const wanted = readPackages('package-lock.json');
  const present = readPackages('node_modules/.package-lock.json');
  if (wanted === undefined || present === undefined) return false;
  return Object.entries(wanted).every(([path, { version, integrity, optional, devOptional }]) => {
    if (path === '') return true;
    const found = present[path];
    if (found === undefined) return optional === true || devOptional === true;
    return (
      found.version === version &&
      found.integrity === integrity &&
      existsSync(join(root, path, 'package.json'))
    );
  });
}

function readPackages(file) {
  try {
    return JSON.parse(readFileSync(join(root, file), 'utf8')).packages;
  } catch {
    return undefined;
  }
}

/** The npm that started us, else the one on PATH. */
function npm(args) {
  const script = process.env.npm_execpath?.endsWith('npm-cli.js') ? process.env.npm_execpath : undefined;
  const [command, commandArgs] = script === undefined ? ['npm', args] : [process.execPath, [script, ...args]];
  return new Promise((resolve) => {
    const child = spawn(command, commandArgs, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    child.stdout.on('data', (chunk) => (output += chunk));
    child.stderr.on('data', (chunk) => (output += chunk));
    child.on('error', (error) => resolve({ code: error.code, output: `${error.message}\n` }));
    child.on('close', (code, signal) => resolve({ code: code ?? signal, output }));
  });
}

/** npm says what is wrong first, and its own manual after it. */
function indentStart(text, lines = 15) {
  return text.trim().split('\n').slice(0, lines).join('\n').replaceAll(/^/gm, '  ');
}
