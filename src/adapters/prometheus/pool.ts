/** Much to do, a few at a time. */
import { setMaxListeners } from 'node:events';

/** The first failure stops what has not begun, and is thrown once the rest has come to its end. */
export async function inParallel<T>(
  items: readonly T[],
  atOnce: number,
  signal: AbortSignal,
  work: (item: T, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const stop = new AbortController();
  const all = AbortSignal.any([signal, stop.signal]);
  // Each query listens to it while it runs; that many are no leak.
  setMaxListeners(0, all);
  const queue = items.values();
  const failures: unknown[] = [];
  const worker = async (): Promise<void> => {
    for (const item of queue) {
      if (all.aborted) return;
      try {
        await work(item, all);
      } catch (error) {
        failures.push(error);
        stop.abort();
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, worker));
  signal.throwIfAborted();
  if (failures.length > 0) throw failures[0];
}

/** Neighbours together, as many as their sizes allow; at least one each time. */
export function inGroups<T>(
  items: readonly T[],
  most: { readonly size: number; readonly items: number },
  sizeOf: (item: T) => number,
): readonly (readonly T[])[] {
  const groups: T[][] = [];
  let room = 0;
  for (const item of items) {
    const last = groups.at(-1);
    const size = sizeOf(item);
    if (last === undefined || size > room || last.length >= most.items) {
      groups.push([item]);
      room = most.size - size;
    } else {
      last.push(item);
      room -= size;
    }
  }
  return groups;
}

export function halves<T>(items: readonly T[]): readonly [readonly T[], readonly T[]] {
  const middle = Math.ceil(items.length / 2);
  return [items.slice(0, middle), items.slice(middle)];
}
