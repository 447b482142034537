/** The part of a whole card that a replica takes where cards are not cut but shared by taking turns. */
import type { GpuModel } from '#core/catalogue/model';
import type { Need } from '#core/plan/documents';
import { wholeComputeRoom } from './compute.js';
import { wholeMemory } from './memory.js';
import { wantsOn, type SizingOptions } from './wants.js';
import { wholeRefusal } from './whole-gpu.js';

/** Both from 0 (not stated) to 1; headroom is in the memory. On each of its cards, where a replica spans several. */
export interface CardShare {
  readonly compute: number;
  readonly memory: number;
}

/** `null`: the card cannot serve the need, or nobody knows. A need that states neither share takes the card. */
export function cardShareOf(need: Need, card: GpuModel, options: SizingOptions = {}): CardShare | null {
  const wants = wantsOn(need, card, options);
  if (wholeRefusal(wants, card) !== null) return null;
  const { memoryMiB } = wholeMemory(card, options.assumeFromName);
  const compute = 1 / (wholeComputeRoom(wants.compute, card) ?? 1);
  const memory = wants.memoryMiB === null || memoryMiB === null ? 0 : wants.memoryMiB / memoryMiB;
  return compute === 0 && memory === 0 ? { compute: 1, memory: 1 } : { compute, memory };
}
