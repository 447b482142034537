/**
 * Emptying slices: what is left of the groups that worked there is ended, then the driver is asked who is in them. A
 * program may have left its group and its session; what it was started with goes with it, and says whose it is.
 */
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

/** What programs on slices have in their environment: the id of the lease that they run under. */
export const leaseVariable = 'MICA_LEASE';

/**
 * The answer has the slices that something stays in. A driver that does not answer leaves all of them in doubt.
 * `lease`: what else was started under it is looked for too. Between two jobs that is only where the groups did not end
 * by themselves or somebody is still in the slices: looking at every process of a machine costs more than a short job.
 * Where the lease ends, `isLast`, nothing of it may run on, whether or not it uses the GPU now.
 */
export async function clearOut(
  ports: ClearPorts,
  groups: readonly ProcessMark[],
  slices: readonly LeasableSlice[],
  lease: string | null = null,
  { isLast = false }: { readonly isLast?: boolean } = {},
): Promise<readonly Unclean[]> {
  const hadToEnd = groups.some((group) => ports.runner.isGroupAlive(group));
  const deaf = [...(await endGroups(ports, groups))];
  let unclean = await whoIsIn(ports.driver, slices);
  const looks = lease !== null && (isLast || hadToEnd || unclean.length > 0);
  if (looks) deaf.push(...(await endMarked(ports, lease)));
  if (looks || unclean.length > 0) unclean = await untilEmpty(ports, slices);
  if (deaf.length === 0 || unclean.length > 0) return unclean;
  // What no signal ends may come back to life on the GPU.
  const why = `process ${deaf.map(({ pid }) => pid).join(', ')} cannot be ended`;
  return slices.map(({ id }) => ({ slice: id, why }));
}

/** SIGTERM, then SIGKILL; the answer has the groups that live on after that. */
export async function endGroups(
  ports: Pick<ClearPorts, 'clock' | 'runner'>,
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

/**
 * All that was started under a lease, in whatever group or session it is now; the answer has what lives on. Not found is
 * a program that left its group and cleaned its environment, both: the driver still shows it where it uses the GPU.
 */
export async function endMarked(
  { clock, runner }: Pick<ClearPorts, 'clock' | 'runner'>,
  lease: string,
): Promise<readonly ProcessMark[]> {
  let alive = runner.marked(`${leaseVariable}=${lease}`);
  for (const [signal, withinMs] of [
    ['SIGTERM', graceMs],
    ['SIGKILL', killMs],
  ] as const) {
    const asked = new Set<string>();
    const isOver = patience(clock, withinMs, lookEveryMs * 4);
    while (alive.length > 0 && !isOver()) {
      // What they fork meanwhile is asked as well.
      for (const one of alive) {
        const name = `${one.pid}/${one.startedAt}`;
        if (!asked.has(name)) runner.signalProcess(one, signal);
        asked.add(name);
      }
      await clock.sleep(lookEveryMs * 4);
      alive = runner.marked(`${leaseVariable}=${lease}`);
    }
  }
  return alive;
}

/** To be asked before each sleep. Counts the sleeps too: a clock that is turned back makes nobody wait for longer. */
function patience(
  { nowMs }: Pick<ClearPorts['clock'], 'nowMs'>,
  withinMs: number,
  eachMs: number,
): () => boolean {
  const deadlineMs = nowMs() + withinMs;
  let sleptMs = -eachMs;
  return () => (sleptMs += eachMs) >= withinMs || nowMs() >= deadlineMs;
}

async function untilGone(
  { clock, runner }: Pick<ClearPorts, 'clock' | 'runner'>,
  groups: readonly ProcessMark[],
  withinMs: number,
): Promise<readonly ProcessMark[]> {
  const isOver = patience(clock, withinMs, lookEveryMs);
  for (let alive: readonly ProcessMark[] = groups; ;) {
    alive = alive.filter((group) => runner.isGroupAlive(group));
    if (alive.length === 0 || isOver()) return alive;
    await clock.sleep(lookEveryMs);
  }
}

async function untilEmpty(
  { clock, driver }: ClearPorts,
  slices: readonly LeasableSlice[],
): Promise<readonly Unclean[]> {
  const isOver = patience(clock, killMs, lookEveryMs * 4);
  for (;;) {
    const unclean = await whoIsIn(driver, slices);
    if (unclean.length === 0 || isOver()) return unclean;
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
