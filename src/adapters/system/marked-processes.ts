/** Processes found by what they were started with: a line of the environment goes with a program wherever it goes. */
import { readFileSync, readdirSync } from 'node:fs';
import type { ProcessMark } from '#ports/run-store';
import { isOfHere, isRunning, startTicksOf, surroundings } from './process-identity.js';

/**
 * The kernel shows the environment that a program was started with, not what it made of it since. Other users' is hidden
 * from all but root. A program that started the next one without its environment is not found.
 */
export function marked(line: `${string}=${string}`, procFolder = '/proc'): readonly ProcessMark[] {
  const here = surroundings();
  return pidsIn(procFolder).flatMap((pid): readonly ProcessMark[] => {
    const environment = `${procFolder}/${pid}/environ`;
    if (pid === process.pid || pid === 1 || !isStartedWith(environment, line)) return [];
    const startedAt = startTicksOf(pid);
    // Between two looks the pid may have gone to another process: what has both, and began once, is one.
    if (startedAt === null || !isStartedWith(environment, line) || startTicksOf(pid) !== startedAt) return [];
    return isRunning(pid) ? [{ pid, startedAt, ...here }] : [];
  });
}

export function signalProcess(mark: ProcessMark, signal: NodeJS.Signals): boolean {
  const { pid } = mark;
  if (pid === 1 || pid === process.pid || !isRunning(pid) || !isOfHere(mark)) return false;
  if (startTicksOf(pid) !== mark.startedAt) return false;
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}

function pidsIn(folder: string): readonly number[] {
  try {
    return readdirSync(folder).flatMap((name) => (/^\d+$/.test(name) ? [Number(name)] : []));
  } catch {
    return [];
  }
}

/** Lines end with a zero byte, and the whole line must be the one: a lease's id may be the beginning of another's. */
function isStartedWith(path: string, line: string): boolean {
  let lines: Buffer;
  try {
    lines = readFileSync(path);
  } catch {
    return false;
  }
  const wanted = Buffer.from(line);
  for (let at = lines.indexOf(wanted); at !== -1; at = lines.indexOf(wanted, at + 1)) {
    const end = at + wanted.length;
    if ((at === 0 || lines[at - 1] === 0) && (end === lines.length || lines[end] === 0)) return true;
  }
  return false;
}
