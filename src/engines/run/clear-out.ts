/** Emptying slices: what is left of the groups that worked there is ended, then the driver is asked who is in them. */
import type { LeasableSlice } from '#core/run/slice';
import type { ProcessMark } from '#ports/run-store';
import { processesIn, processesInWords } from './machine-slices.js';
import type { LeasePorts } from './ports.js';
import { graceMs, killMs, lookEveryMs } from './timing.js';

export interface Unclean {
  readonly slice: string;
  readonly why: string;
}

type ClearPorts = Pick<LeasePorts, 'driver' | 'clock' | 'runner'>;

/** The answer has the slices that something stays in. A driver that does not answer leaves all of them in doubt. */
export async function clearOut(
  ports: ClearPorts,
  groups: readonly ProcessMark[],
  slices: readonly LeasableSlice[],
): Promise<readonly Unclean[]> {
  const deaf = await endGroups(ports, groups);
  const unclean = await untilEmpty(ports, slices);
  if (deaf.length === 0 || unclean.length > 0) return unclean;
  // What no signal ends may come back to life on the GPU.
  const why = `process group ${deaf.map(({ pid }) => pid).join(', ')} cannot be ended`;
  return slices.map(({ id }) => ({ slice: id, why }));
}

/** SIGTERM, then SIGKILL; the answer has the groups that live on after that. */
export async function endGroups(
  ports: ClearPorts,
  groups: readonly ProcessMark[],
): Promise<readonly ProcessMark[]> {
  let alive: readonly ProcessMark[] = groups.filter((group) => ports.runner.isGroupAlive(group));
  for (const [signal, withinMs] of [
    ['SIGTERM', graceMs],
    ['SIGKILL', killMs],
  ] as const) {
    if (alive.length === 0) return alive;
    for (const group of alive) ports.runner.signalGroup(group, signal);
    alive = await untilGone(ports, alive, withinMs);
  }
  return alive;
}

async function untilGone(
  { clock, runner }: ClearPorts,
  groups: readonly ProcessMark[],
  withinMs: number,
): Promise<readonly ProcessMark[]> {
  const deadlineMs = clock.nowMs() + withinMs;
  for (let alive: readonly ProcessMark[] = groups; ;) {
    alive = alive.filter((group) => runner.isGroupAlive(group));
    if (alive.length === 0 || clock.nowMs() >= deadlineMs) return alive;
    await clock.sleep(lookEveryMs);
  }
}

async function untilEmpty(
  { clock, driver }: ClearPorts,
  slices: readonly LeasableSlice[],
): Promise<readonly Unclean[]> {
  const deadlineMs = clock.nowMs() + killMs;
  for (;;) {
    const unclean = await whoIsIn(driver, slices);
    if (unclean.length === 0 || clock.nowMs() >= deadlineMs) return unclean;
    await clock.sleep(lookEveryMs * 4);
  }
}

async function whoIsIn(
  driver: LeasePorts['driver'],
  slices: readonly LeasableSlice[],
): Promise<readonly Unclean[]> {
  try {
    const inside = await processesIn(driver, slices);
    return slices.flatMap(({ id }) => {
      const processes = inside.get(id) ?? [];
      return processes.length === 0
        ? []
        : [{ slice: id, why: `${processesInWords(processes)} stayed in it` }];
    });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return slices.map(({ id }) => ({ slice: id, why }));
  }
}
