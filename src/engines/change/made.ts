/** What a change itself has made and destroyed, from its journal: whose an instance is when another tool is at work too. */
import type { Placement } from '#core/geometry/placement';
import type { GpuAction, LiveInstance } from '#core/plan/gpu-actions';
import { isSamePlace } from '#core/plan/steps';
import { isSameBoot, type InstanceMark, type PastChange } from './records.js';

/** What was made, or begun to be made, on a GPU, and not seen to go again. `id: null`: the answer never came. */
export interface MadeMark extends Placement {
  readonly id: number | null;
}

/** Whether it is what was made there. Without an id it is so only as it comes into being: a stranger's soon has more. */
export function isMade({ id, placement, computeIds }: LiveInstance, mark: MadeMark): boolean {
  return isSamePlace(placement, mark) && (mark.id === null ? computeIds.length === 0 : mark.id === id);
}

/** What the change itself has destroyed in this boot: what has that id in that place now came after it. */
export function destroyedOn(
  { records }: Pick<PastChange, 'records'>,
  uuid: string,
  boot: string | null,
): readonly InstanceMark[] {
  const through = new Set(
    records.flatMap((record) => (record.kind === 'end' && record.result.ok ? [record.step] : [])),
  );
  return records.flatMap((record): readonly InstanceMark[] => {
    if (record.kind !== 'begin' || record.uuid !== uuid || record.action.kind !== 'destroy-instance')
      return [];
    if (!through.has(record.step) || !isSameBoot(record.boot, boot)) return [];
    const { placement, instanceId } = record.action;
    return [{ ...placement, id: instanceId }];
  });
}

/** In this boot: what was made before it is gone, and what stands in its place is another's. */
export function madeOn(
  { records }: Pick<PastChange, 'records'>,
  uuid: string,
  boot: string | null,
): readonly MadeMark[] {
  let made: readonly MadeMark[] = [];
  const begun = new Map<number, GpuAction>();
  for (const record of records) {
    if (!isSameBoot(record.boot, boot)) continue;
    if (record.kind === 'begin' && record.uuid === uuid) {
      const { action } = record;
      begun.set(record.step, action);
      if (action.kind === 'create-instance') made = [...made, { ...action.placement, id: null }];
      // What the next step goes on with was seen, and with its id.
      if (action.kind === 'create-compute') {
        made = made.map((mark) =>
          mark.id === null && isSamePlace(mark, action.placement) ? { ...mark, id: action.instanceId } : mark,
        );
      }
    }
    if (record.kind !== 'end' || record.uuid !== uuid) continue;
    const action = begun.get(record.step);
    if (action?.kind !== 'create-instance' && action?.kind !== 'destroy-instance') continue;
    const others = made.filter((mark) => !isSamePlace(mark, action.placement));
    const { result } = record;
    if (action.kind === 'destroy-instance') made = result.ok ? others : made;
    else if (result.ok) made = [...others, { ...action.placement, id: result.id }];
    // The driver's way to say that the place is taken: what stands there is somebody else's, who was faster.
    else if (result.refusal === 'no-room' || result.absent === true) made = others;
  }
  return made;
}
