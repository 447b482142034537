/** NVML's return codes: what each is called, and which refusal of the port it is. */
import type { DriverAnswer, DriverFailure, DriverRefusal } from '#ports/gpu-driver';

export const success = 0;
export const uninitialized = 1;
export const invalidArgument = 2;
export const notSupported = 3;
export const noPermission = 4;
export const notFound = 6;
export const insufficientSize = 7;
export const driverNotLoaded = 9;
export const timedOut = 10;
/** Also what a call answers that the loaded library does not have. */
export const functionNotFound = 13;
export const gpuIsLost = 15;
export const libraryDriverMismatch = 18;
export const versionMismatch = 25;
export const gpuNotFound = 28;

const table: Readonly<Record<number, readonly [words: string, kind: DriverRefusal]>> = {
  [uninitialized]: ['the library is not initialised', 'lost'],
  [invalidArgument]: ['invalid argument', 'bad-argument'],
  [notSupported]: ['not supported', 'not-supported'],
  [noPermission]: ['insufficient permissions', 'no-permission'],
  [notFound]: ['not found', 'not-found'],
  [insufficientSize]: ['a buffer is too small', 'unknown'],
  [driverNotLoaded]: ['the driver is not loaded', 'lost'],
  [timedOut]: ['timed out', 'unknown'],
  [functionNotFound]: ['this driver has no such function', 'not-supported'],
  [gpuIsLost]: ['the GPU fell off the bus', 'lost'],
  16: ['a GPU reset is required', 'reset-required'],
  17: ['the GPU is blocked by the operating system', 'lost'],
  [libraryDriverMismatch]: ['library and driver are of different versions', 'lost'],
  19: ['in use by another client', 'in-use'],
  20: ['out of memory', 'unknown'],
  23: ['insufficient resources', 'no-room'],
  [versionMismatch]: ['this driver has another version of the struct', 'not-supported'],
  27: ['the system is not ready for the request', 'unknown'],
  [gpuNotFound]: ['no GPU was found', 'lost'],
  29: ['invalid state', 'unknown'],
  999: ['an internal driver error', 'unknown'],
};

/** A call that the driver refused; it never leaves this adapter. */
export class CallRefused extends Error {
  readonly functionName: string;
  readonly code: number;

  constructor(functionName: string, code: number) {
    super(`${functionName}: ${wordsOf(code)} (NVML ${code})`);
    this.functionName = functionName;
    this.code = code;
  }
}

export function wordsOf(code: number): string {
  return table[code]?.[0] ?? 'unknown error';
}

export function refusal(code: number, message: string): DriverFailure {
  return { ok: false, why: { kind: table[code]?.[1] ?? 'unknown', message, code } };
}

/** The value of the work, or the refusal of the call that ended it. */
export async function answering<T>(work: () => Promise<T>): Promise<DriverAnswer<T>> {
  try {
    return { ok: true, value: await work() };
  } catch (error) {
    if (error instanceof CallRefused) return refusal(error.code, error.message);
    throw error;
  }
}
