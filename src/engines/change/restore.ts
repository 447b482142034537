/** Instances do not survive a reboot: this puts back the last layout that was applied to each GPU. */
import { driverWhy, worstOf, type ChangeAnswer, type Outcome, type Why } from './answer.js';
import { changeGpus } from './change.js';
import type { WantedGpu } from './options.js';
import type { ChangePorts } from './ports.js';
import { readPast, type PastChange } from './records.js';
import { resumeChanges, type Direction } from './resume.js';

export interface RestoreAnswer {
  /** Of both together. An interrupted change that was rolled back counts as done: that is what was asked for. */
  readonly outcome: Outcome;
  readonly resumed: readonly ChangeAnswer[];
  readonly restored: ChangeAnswer;
  /** The driver did not even list the GPUs. */
  readonly why?: Why;
}

/** First ends what was interrupted, then goes on with the other GPUs, each for itself. */
export async function restoreLayouts(
  ports: ChangePorts,
  direction: Direction = 'back',
): Promise<RestoreAnswer> {
  const resumed = await resumeChanges(ports, direction);
  const outcomes = resumed.flatMap(({ gpus }) => gpus);
  const ended = new Set(outcomes.map(({ uuid }) => uuid));
  const { changes } = await readPast(ports.journal);
  const listed = await ports.driver.gpus();
  if (!listed.ok) {
    const restored: ChangeAnswer = { outcome: 'failed', change: null, gpus: [] };
    return { outcome: 'failed', resumed, restored, why: driverWhy(listed, 'list the GPUs') };
  }
  const wanted = listed.value.flatMap(({ uuid }): readonly WantedGpu[] => {
    const want = ended.has(uuid) ? null : lastApplied(changes, uuid);
    return want === null ? [] : [{ gpu: uuid, want }];
  });
  const restored = await changeGpus(ports, wanted, { keepGoing: true }, 'restore');
  const ends = outcomes.map(
    ({ outcome }) => ({ outcome: outcome === 'rolled-back' ? 'done' : outcome }) as const,
  );
  return { outcome: worstOf([...ends, restored]), resumed, restored };
}

/** A change that waits for a reboot counts: the reboot is over. */
function lastApplied(changes: readonly PastChange[], uuid: string): WantedGpu['want'] | null {
  const last = changes.findLast(({ settled }) => {
    const outcome = settled.get(uuid)?.outcome;
    return outcome === 'done' || outcome === 'unchanged' || outcome === 'needs-reboot';
  });
  return last?.intent.gpus.find((gpu) => gpu.uuid === uuid)?.wanted ?? null;
}
