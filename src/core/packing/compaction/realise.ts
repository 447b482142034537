/** From numbers of GPUs to GPUs: who gives away which instance, and which slots take them in. */
import type { GpuSlot } from '../online/place.js';
import type { StateTable } from '../online/state-table.js';
import type { Keeping } from './kept.js';
import type { KindOfClasses } from './kinds.js';
import type { Decision } from './program.js';

/** The parts of a plan, not yet matched: any leaving instance may take any destination of its profile. */
export interface Rearrangement {
  readonly leaving: readonly GpuSlot[];
  /** At least as many per profile as there are leaving. */
  readonly destinations: readonly GpuSlot[];
}

export function realise(
  table: StateTable,
  keeping: Keeping,
  kinds: readonly KindOfClasses[],
  decision: Decision,
): Rearrangement {
  const leaving: GpuSlot[] = [];
  const roomy = keeping.rooms.map((): { gpu: number; kept: number }[] => []);
  for (const [index, kind] of kinds.entries()) {
    const taken = decision.taken[index]!;
    let option = 0;
    let left = taken[0] ?? 0;
    for (const { gpus, state, options } of kind.classes) {
      for (const gpu of gpus) {
        while (left === 0) left = taken[++option]!;
        left -= 1;
        const { kept, room } = options[option]!;
        roomy[room.index]!.push({ gpu, kept });
        for (const slot of table.states[state]!.slots) {
          if (!table.states[kept]!.slots.includes(slot)) leaving.push({ gpu, slot: slot.index });
        }
      }
    }
  }
  const givers = new Set(leaving.map(({ gpu }) => gpu));
  // Taken from the end: first GPUs that give nothing away, since their room is free at once.
  for (const gpus of roomy) gpus.sort((a, b) => Number(givers.has(b.gpu)) - Number(givers.has(a.gpu)));
  const destinations: GpuSlot[] = [];
  for (const { room, fill, count } of decision.fills) {
    for (const { gpu, kept } of roomy[room.index]!.splice(-count)) {
      for (const slot of keeping.slotsFor(kept, fill)) destinations.push({ gpu, slot: slot.index });
    }
  }
  return { leaving, destinations };
}
