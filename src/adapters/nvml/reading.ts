/** Small readings that the rest of the adapter is made of: a word, a text, a handle, or what is not there. */
import type { FunctionName, Handle } from './abi.js';
import { CallRefused, functionNotFound, invalidArgument, notFound, notSupported } from './codes.js';
import type { NvmlLibrary } from './library.js';

/** NVML's "there is none" in a field of 32 and of 64 bits. */
export const noWord = 0xffffffff;
export const noLong = 2n ** 64n - 1n;

const textLength = 96;
const bytesPerMiB = 1024 * 1024;

export async function readWord(nvml: NvmlLibrary, name: FunctionName, handle: Handle): Promise<number> {
  const out = [0];
  await nvml.must(name, handle, out);
  return out[0]!;
}

export async function readHandle(
  nvml: NvmlLibrary,
  name: FunctionName,
  ...args: readonly unknown[]
): Promise<Handle> {
  const out: (Handle | null)[] = [null];
  await nvml.must(name, ...args, out);
  return out[0] ?? 0n;
}

export async function readText(
  nvml: NvmlLibrary,
  name: FunctionName,
  ...args: readonly unknown[]
): Promise<string> {
  const buffer = Buffer.alloc(textLength);
  await nvml.must(name, ...args, buffer, textLength);
  return cString(buffer);
}

function cString(buffer: Buffer): string {
  const end = buffer.indexOf(0);
  return buffer.toString('utf8', 0, end === -1 ? buffer.length : end);
}

/** NVML's handles in a buffer of them. */
export function handlesIn(buffer: Buffer, count: number): readonly Handle[] {
  return Array.from({ length: count }, (_, index) => buffer.readBigUInt64LE(index * 8));
}

export function asMiB(bytes: number | bigint): number {
  return Math.floor(Number(bytes) / bytesPerMiB);
}

/** `null` where the driver has nothing to say about this card. */
export async function orNull<T>(work: Promise<T>): Promise<T | null> {
  try {
    return await work;
  } catch (error) {
    if (refusedWith(error, notSupported, functionNotFound, notFound)) return null;
    throw error;
  }
}

export function refusedWith(error: unknown, ...codes: readonly number[]): boolean {
  return error instanceof CallRefused && codes.includes(error.code);
}

/** Indices from 0 to the driver's "no such number"; what it does not support in between is skipped. */
export async function enumerate<T>(read: (index: number) => Promise<T>): Promise<readonly T[]> {
  const found: T[] = [];
  for (let index = 0; index < enumerationLimit; index++) {
    try {
      found.push(await read(index));
    } catch (error) {
      if (refusedWith(error, invalidArgument)) break;
      if (!refusedWith(error, notSupported)) throw error;
    }
  }
  return found;
}

/** No driver has so many; one that never says "no such number" must not hang us. */
const enumerationLimit = 64;
