/** Instances do not survive a reboot: this puts back the last layout that was applied to each GPU. */
import type { Placement } from '#core/geometry/placement';
import { driverWhy, worstOf, type ChangeAnswer, type Outcome, type Why } from './answer.js';
import { changeGpus } from './change.js';
import type { RestoredGpu } from './options.js';
import type { ChangePorts } from './ports.js';
import { lastApplied } from './recall.js';
import { placesOf, readPast, type PastChange } from './records.js';
import { resumeChanges, type Direction } from './resume.js';

export interface RestoreAnswer {
  /** Of both together. An interrupted change that was rolled back counts as done: that is what was asked for. */
  readonly outcome: Outcome;
  readonly resumed: readonly ChangeAnswer[];
  readonly restored: ChangeAnswer;
  /** GPUs that had slices and are not there: out of the bus, or another card is in their place. */
  readonly missing: readonly MissingGpu[];
  /** The driver did not even list the GPUs. */
  readonly why?: Why;
}

export interface MissingGpu {
  readonly uuid: string;
  /** When it was last changed. */
  readonly index: number;
  readonly placements: readonly Placement[];
}

/** First ends what was interrupted, then goes on with the other GPUs, each for itself. */
export async function restoreLayouts(
  ports: ChangePorts,
  direction: Direction = 'back',
): Promise<RestoreAnswer> {
  const resumed = await resumeChanges(ports, direction);
  const outcomes = resumed.flatMap(({ gpus }) => gpus);
  const { changes } = await readPast(ports.journal);
  const ended = new Set(
    resumed.flatMap(({ change, gpus }) => {
      // What a restore began on is nothing to stay at: it may have been a GPU that had just lost everything.
      const isRestore = changes.find(({ name }) => name === change)?.intent.cause === 'restore';
      return gpus.flatMap(({ uuid, outcome }) => (isRestore && outcome === 'rolled-back' ? [] : [uuid]));
    }),
  );
  const listed = await ports.driver.gpus();
  if (!listed.ok) {
    const restored: ChangeAnswer = { outcome: 'failed', change: null, gpus: [] };
    return { outcome: 'failed', resumed, restored, missing: [], why: driverWhy(listed, 'list the GPUs') };
  }
  const wanted = listed.value.flatMap(({ uuid }): readonly RestoredGpu[] =>
    ended.has(uuid) || lastApplied(changes, uuid) === null ? [] : [{ gpu: uuid, want: 'last-applied' }],
  );
  const restored = await changeGpus(ports, wanted, { keepGoing: true }, 'restore');
  const ends = outcomes.map(
    ({ outcome }) => ({ outcome: outcome === 'rolled-back' ? 'done' : outcome }) as const,
  );
  const here = new Set(listed.value.map(({ uuid }) => uuid));
  return { outcome: worstOf([...ends, restored]), resumed, restored, missing: missingFrom(changes, here) };
}

function missingFrom(changes: readonly PastChange[], here: ReadonlySet<string>): readonly MissingGpu[] {
  const known = new Map(
    changes.flatMap(({ intent }) => intent.gpus.map(({ uuid, index }) => [uuid, index] as const)),
  );
  return [...known].flatMap(([uuid, index]) => {
    const placements = here.has(uuid) ? [] : placesOf(lastApplied(changes, uuid));
    return placements.length === 0 ? [] : [{ uuid, index, placements }];
  });
}
