/** The loaded library: opened once, every call off the main thread, and put down for a moment where a reset needs that. */
import koffi, { type KoffiFunc, type LibraryHandle } from 'koffi';
import { MicaError } from '#core/errors';
import { signatures, type FunctionName } from './abi.js';
import {
  CallRefused,
  driverNotLoaded,
  functionNotFound,
  libraryDriverMismatch,
  noPermission,
  success,
  uninitialized,
  wordsOf,
} from './codes.js';

export interface NvmlLibrary {
  /** The return code; "no such function" where the loaded library is too old to have it. */
  readonly call: (name: FunctionName, ...args: readonly unknown[]) => Promise<number>;
  /** The same for a call whose refusal ends the work. */
  readonly must: (name: FunctionName, ...args: readonly unknown[]) => Promise<void>;
  /** A piece of work whose handles stay good: the library is not put down in the middle of it. */
  readonly during: <T>(work: () => Promise<T>) => Promise<T>;
  /** Runs the work while this process does not hold the GPUs, between pieces of other work; a refusal to let go ends it. */
  readonly putDown: <T>(work: () => Promise<T>) => Promise<T>;
  /** How often the library was put down: whatever is older than the last time is void. */
  readonly epoch: () => number;
  readonly close: () => Promise<void>;
}

export const defaultLibrary = 'libnvidia-ml.so.1';

export async function openLibrary(path: string): Promise<NvmlLibrary> {
  const native = load(path);
  let isOpen = false;
  let isClosed = false;
  let epoch = 0;
  let inFlight = 0;
  let whenIdle: (() => void) | undefined;
  /** Work queues behind it; what shuts the library down queues behind each other as well. */
  let gate: Promise<unknown> = Promise.resolve();

  const call = async (name: FunctionName, ...args: readonly unknown[]): Promise<number> =>
    isOpen ? native(name, args) : uninitialized;
  const during = async <T>(work: () => Promise<T>): Promise<T> => {
    for (let seen; seen !== gate;) await (seen = gate);
    inFlight++;
    try {
      if (!isOpen && !isClosed) await openAgain();
      return await work();
    } finally {
      inFlight--;
      if (inFlight === 0) whenIdle?.();
    }
  };
  const alone = <T>(work: () => Promise<T>): Promise<T> => {
    const turn = gate.then(async () => {
      while (inFlight > 0) await new Promise<void>((resolve) => (whenIdle = resolve));
      return work();
    });
    gate = turn.catch(() => undefined);
    return turn;
  };
  const open = async (): Promise<number> => {
    const code = await native('nvmlInit_v2', []);
    isOpen = code === success;
    return code;
  };
  let opening: Promise<number> | undefined;
  /** Once for all that wait for it: the library counts how often it was opened. */
  const openAgain = async (): Promise<void> => {
    opening ??= open().finally(() => (opening = undefined));
    const code = await opening;
    if (code !== success) throw new CallRefused('nvmlInit_v2', code);
  };
  const shutDown = async (): Promise<void> => {
    const code = isOpen ? await native('nvmlShutdown', []) : success;
    if (code !== success) throw new CallRefused('nvmlShutdown', code);
    isOpen = false;
    epoch++;
  };

  const code = await open();
  if (code !== success) throw cannotOpen(path, code);
  return {
    call,
    must: async (name, ...args) => {
      const code = await call(name, ...args);
      if (code !== success) throw new CallRefused(name, code);
    },
    during,
    putDown: (work) =>
      alone(async () => {
        await shutDown();
        try {
          return await work();
        } finally {
          // Where that fails, as just after a reset, the next piece of work tries again.
          await open();
        }
      }),
    epoch: () => epoch,
    close: () =>
      alone(async () => {
        isClosed = true;
        if (isOpen) await native('nvmlShutdown', []);
        isOpen = false;
      }),
  };
}

type NativeFunction = KoffiFunc<(...args: unknown[]) => number>;
type NativeCall = (name: FunctionName, args: readonly unknown[]) => Promise<number>;

function load(path: string): NativeCall {
  let library: LibraryHandle;
  try {
    library = koffi.load(path);
  } catch (cause) {
    throw new MicaError('no-nvml', `${path} could not be loaded: ${(cause as Error).message}`, { cause });
  }
  const functions = new Map<FunctionName, NativeFunction | null>();
  return (name, args) => {
    let native = functions.get(name);
    if (native === undefined) {
      native = find(library, name);
      functions.set(name, native);
    }
    if (native === null) return Promise.resolve(functionNotFound);
    const found = native;
    return new Promise((resolve, reject) => {
      found.async(...args, (error: Error | null, code: number) => {
        if (error === null) resolve(code);
        else reject(error);
      });
    });
  };
}

function find(library: LibraryHandle, name: FunctionName): NativeFunction | null {
  try {
    return library.func(name, 'int', [...signatures[name]]);
  } catch {
    return null;
  }
}

function cannotOpen(path: string, code: number): MicaError {
  const message = `${path} does not start: ${wordsOf(code)} (NVML ${code})`;
  switch (code) {
    case functionNotFound:
      return new MicaError('no-nvml', `${path} is not the NVIDIA management library: it has no nvmlInit_v2`);
    case driverNotLoaded:
      return new MicaError('nvml-no-driver', message);
    case noPermission:
      return new MicaError('nvml-no-permission', message);
    case libraryDriverMismatch:
      return new MicaError('nvml-version-mismatch', message);
    default:
      return new MicaError('nvml-failed', message);
  }
}
