/** Where the state of a simulated machine lives: in memory, or in a file that several processes share. */
import { randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { MicaError } from '#core/errors';
import type { Clock } from '#ports/clock';
import type { Locks } from '#ports/locks';
import { checkMachine } from './check-machine.js';
import type { MachineState } from './machine-state.js';

/** A change is all or nothing, and no two happen at once. */
export interface StateStore {
  readonly read: () => Promise<MachineState>;
  readonly update: <T>(change: (state: MachineState) => T) => Promise<T>;
}

export function inMemory(initial: MachineState): StateStore {
  const state = structuredClone(initial);
  return {
    read: async () => structuredClone(state),
    update: async (change) => structuredClone(change(state)),
  };
}

export interface FileStoreOptions {
  readonly path: string;
  /** Shared by all who use the file: lock files beside it, say. */
  readonly locks: Locks;
  readonly clock: Clock;
  /** The machine, where there is no file yet; undefined: there must be one. */
  readonly initial?: MachineState;
}

/** Opens the file, or makes it. The file is replaced as a whole, so that a reader never sees half of a change. */
export async function inFile(options: FileStoreOptions): Promise<StateStore> {
  const { path, initial } = options;
  /** Calls of this process wait for each other here, so that only one of them asks for the lock. */
  let last: Promise<unknown> = Promise.resolve();
  const exclusively = <T>(work: () => Promise<T>): Promise<T> => {
    const turn = last.then(() => underLock(options, work));
    last = turn.catch(() => undefined);
    return turn;
  };
  await exclusively(async () => {
    if (initial !== undefined && !(await exists(path))) await replace(path, initial);
  });
  const readMachine = machineReader(path);
  await readMachine();
  return {
    read: readMachine,
    update: (change) =>
      exclusively(async () => {
        const state = await readMachine();
        const before = JSON.stringify(state);
        const answer = change(state);
        if (JSON.stringify(state) !== before) await replace(path, state);
        return answer;
      }),
  };
}

const retryMs = 2;
const patienceMs = 30_000;

async function underLock<T>({ path, locks, clock }: FileStoreOptions, work: () => Promise<T>): Promise<T> {
  for (let waitedMs = 0; ; waitedMs += retryMs) {
    const lock = await locks.lock(basename(path));
    if (lock.ok) {
      try {
        return await work();
      } finally {
        await lock.release();
      }
    }
    if (waitedMs >= patienceMs) {
      const who = lock.pid === null ? 'a process of another container' : `pid ${lock.pid}`;
      throw new MicaError('state-locked', `${who} holds ${path} for more than ${patienceMs / 1000} s`);
    }
    await clock.sleep(retryMs);
  }
}

/** What is read again and again is checked only where the file is another than the last time. */
function machineReader(path: string): () => Promise<MachineState> {
  let last: { readonly mark: string; readonly state: MachineState } | null = null;
  return async () => {
    let text: string;
    let mark: string;
    try {
      // Looked at before it is read: a change in between is found the next time.
      const { ino, size, mtimeNs } = await stat(path, { bigint: true });
      mark = `${ino} ${size} ${mtimeNs}`;
      if (last?.mark === mark) return structuredClone(last.state);
      text = await readFile(path, 'utf8');
    } catch (error) {
      throw new MicaError('unreadable-file', `the simulated machine in ${path} cannot be read`, {
        cause: error,
      });
    }
    const machine = checkMachine(text);
    if (!machine.ok) {
      throw new MicaError('damaged-state', `${path} is not a simulated machine: ${machine.words}`, {
        next: 'Delete the file to begin with a new machine, or name another.',
      });
    }
    last = { mark, state: structuredClone(machine.state) };
    return machine.state;
  };
}

async function replace(path: string, state: MachineState): Promise<void> {
  const draft = `${path}.${randomUUID()}`;
  try {
    await mkdir(dirname(path), { recursive: true });
    const file = await open(draft, 'wx', 0o600);
    try {
      await file.writeFile(`${JSON.stringify(state, null, 1)}\n`);
    } finally {
      await file.close();
    }
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true }).catch(() => undefined);
    throw new MicaError('unwritable-state', `the simulated machine cannot be written to ${path}`, {
      cause: error,
    });
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await readFile(path);
    return true;
  } catch (error) {
    // What is there but may not be read is not ours to replace; reading it says so.
    return (error as NodeJS.ErrnoException).code !== 'ENOENT';
  }
}
