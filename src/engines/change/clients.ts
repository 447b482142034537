/** Processes in slices that must go: who they are, waiting for them, and asking them to leave. */
import { asArgument } from '#core/geometry/placement';
import { formatMiB } from '#core/units';
import { driverWhy, type Holder, type Why } from './answer.js';
import type { ChangeLog } from './change-log.js';
import type { JudgedGpu } from './judge.js';
import type { Looked } from './look.js';
import type { ChangeOptions } from './options.js';
import type { ChangePorts } from './ports.js';
import type { SignalledProcess } from './records.js';

const pollMs = 500;
/** How long a killed process may take to go: the kernel frees its GPU memory first. */
const killMs = 10_000;

/** Who is in the way of a change of this GPU now. */
export async function holdersOf({ driver }: ChangePorts, gpu: JudgedGpu): Promise<Looked<readonly Holder[]>> {
  if (gpu.going.length === 0 && !gpu.needsIdleGpu) return { ok: true, value: [] };
  const processes = await driver.processes(gpu.intent.uuid);
  if (!processes.ok) return { ok: false, why: driverWhy(processes, 'list the processes') };
  const holders = processes.value.flatMap(({ pid, name, usedMiB, instanceId }): readonly Holder[] => {
    const instance = gpu.going.find(({ id }) => id === instanceId);
    const inTheWay = instance !== undefined || (instanceId === null && gpu.needsIdleGpu);
    return inTheWay ? [{ pid, name, usedMiB, placement: instance?.placement ?? null }] : [];
  });
  return { ok: true, value: holders };
}

/** GPUs that are not free, with who is in the way. */
type Busy = ReadonlyMap<JudgedGpu, Looked<readonly Holder[]>>;

/** Time is counted as it is slept: a wall clock that is set meanwhile neither cuts a grace short nor makes it endless. */
export async function untilFree(
  ports: ChangePorts,
  gpus: readonly JudgedGpu[],
  withinMs: number,
): Promise<Busy> {
  for (let leftMs = withinMs; ; leftMs -= pollMs) {
    const busy = new Map<JudgedGpu, Looked<readonly Holder[]>>();
    for (const gpu of gpus) {
      const holders = await holdersOf(ports, gpu);
      if (!holders.ok || holders.value.length > 0) busy.set(gpu, holders);
    }
    if (busy.size === 0 || leftMs <= 0) return busy;
    await ports.clock.sleep(Math.min(pollMs, leftMs));
  }
}

/**
 * Asks who is in the way to leave, and waits; then, as told, ends those that were asked. Who came after that was never
 * asked, and stays. The answer has the GPUs that are not free after that.
 */
export async function drain(
  ports: ChangePorts,
  log: ChangeLog,
  gpus: readonly JudgedGpu[],
  { graceMs, then }: NonNullable<ChangeOptions['drain']>,
): Promise<ReadonlyMap<JudgedGpu, Why>> {
  const asking = await signalAll(ports, log, gpus, 'SIGTERM');
  if (!asking.ok) return new Map(gpus.map((gpu) => [gpu, asking.why]));
  const asked = asking.value;
  let busy = await untilFree(ports, gpus, graceMs);
  if (busy.size > 0 && then === 'kill') {
    const killing = await signalAll(ports, log, [...busy.keys()], 'SIGKILL', asked);
    if (!killing.ok) return new Map([...busy.keys()].map((gpu) => [gpu, killing.why]));
    busy = await untilFree(ports, [...busy.keys()], killMs);
  }
  return reasons(busy, new Set([...asked.values()].flatMap(({ pid, reached }) => (reached ? [] : [pid]))));
}

/** `python (pid 4211, 11.8 GiB) in 1g.24gb:3`. */
function holderInWords({ pid, name, usedMiB, placement }: Holder): string {
  const memory = usedMiB === null ? '' : `, ${formatMiB(usedMiB)}`;
  return `${name ?? 'a process'} (pid ${pid}${memory}) ${placement === null ? 'on the whole GPU' : `in ${asArgument(placement)}`}`;
}

interface Asked extends SignalledProcess {
  readonly reached: boolean;
}

/**
 * Each process once, also where it sits on several GPUs, and each written down before it is signalled. A pid is taken
 * for the process that holds the GPU only where it held it, was looked up, and still held it after that. Nobody is
 * signalled where a list does not come.
 */
async function signalAll(
  ports: ChangePorts,
  log: ChangeLog,
  gpus: readonly JudgedGpu[],
  signal: 'SIGTERM' | 'SIGKILL',
  among: ReadonlyMap<number, SignalledProcess> | null = null,
): Promise<Looked<ReadonlyMap<number, Asked>>> {
  const { processes } = ports;
  const before = await holdersByPid(ports, gpus);
  if (!before.ok) return before;
  const starts = new Map([...before.value.keys()].map((pid) => [pid, processes.startOf(pid)]));
  const after = await holdersByPid(ports, gpus);
  if (!after.ok) return after;
  const meant = [...after.value.values()].filter(
    ({ pid }) => starts.has(pid) && (among === null || among.get(pid)?.startedAt === starts.get(pid)),
  );
  const seen = meant.map(({ pid, name, uuids }) => ({ pid, name, uuids, startedAt: starts.get(pid) ?? '' }));
  // Who cannot be seen from here cannot be told from another either, and so is not signalled.
  const visible = seen.filter(({ startedAt }) => startedAt !== '');
  const reached = new Set<number>();
  if (visible.length > 0) {
    await log.add({ kind: 'signal', signal, processes: visible });
    for (const { pid, startedAt } of visible) {
      if (processes.signal(pid, startedAt, signal)) reached.add(pid);
    }
    await log.add({ kind: 'signalled', reached: [...reached] });
  }
  return {
    ok: true,
    value: new Map(seen.map((one) => [one.pid, { ...one, reached: reached.has(one.pid) }])),
  };
}

async function holdersByPid(
  ports: ChangePorts,
  gpus: readonly JudgedGpu[],
): Promise<Looked<ReadonlyMap<number, Pick<SignalledProcess, 'pid' | 'name' | 'uuids'>>>> {
  const found = new Map<number, Pick<SignalledProcess, 'pid' | 'name' | 'uuids'>>();
  for (const gpu of gpus) {
    const holders = await holdersOf(ports, gpu);
    if (!holders.ok) return holders;
    for (const { pid, name } of holders.value) {
      const uuids = new Set([...(found.get(pid)?.uuids ?? []), gpu.intent.uuid]);
      found.set(pid, { pid, name, uuids: [...uuids] });
    }
  }
  return { ok: true, value: found };
}

export function reasons(
  busy: Busy,
  notSignalled: ReadonlySet<number> = new Set(),
): ReadonlyMap<JudgedGpu, Why> {
  return new Map(
    [...busy].map(([gpu, held]): [JudgedGpu, Why] => [
      gpu,
      held.ok ? busyWhy(held.value, notSignalled) : held.why,
    ]),
  );
}

export function busyWhy(holders: readonly Holder[], notSignalled: ReadonlySet<number> = new Set()): Why {
  const deaf = holders.filter(({ pid }) => notSignalled.has(pid)).map(({ pid }) => pid);
  const note =
    deaf.length === 0 ? '' : `; no signal could be sent to ${deaf.map((pid) => `pid ${pid}`).join(', ')}`;
  return { kind: 'busy', message: `in use by ${holders.map(holderInWords).join(', ')}${note}`, holders };
}
