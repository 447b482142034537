/** Processes in slices that must go: who they are, waiting for them, and asking them to leave. */
import { asArgument } from '#core/geometry/placement';
import { formatMiB } from '#core/units';
import { driverWhy, type Holder, type Why } from './answer.js';
import type { JudgedGpu } from './judge.js';
import type { Looked } from './look.js';
import type { ChangeOptions } from './options.js';
import type { ChangePorts } from './ports.js';

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

/** Waits, then drains, as far as the options go. The answer has the GPUs that are not free after that. */
export async function freeUp(
  ports: ChangePorts,
  gpus: readonly JudgedGpu[],
  { waitMs = 0, drain }: ChangeOptions,
): Promise<ReadonlyMap<JudgedGpu, Why>> {
  let busy = await untilFree(ports, gpus, waitMs);
  if (drain === undefined || busy.size === 0) return reasons(busy);
  const refused = signalAll(ports, busy, 'SIGTERM');
  busy = await untilFree(ports, [...busy.keys()], drain.graceMs);
  if (busy.size > 0 && drain.then === 'kill') {
    signalAll(ports, busy, 'SIGKILL');
    busy = await untilFree(ports, [...busy.keys()], killMs);
  }
  return reasons(busy, refused);
}

/** `python (pid 4211, 11.8 GiB) in 1g.24gb:3`. */
function holderInWords({ pid, name, usedMiB, placement }: Holder): string {
  const memory = usedMiB === null ? '' : `, ${formatMiB(usedMiB)}`;
  return `${name ?? 'a process'} (pid ${pid}${memory}) ${placement === null ? 'on the whole GPU' : `in ${asArgument(placement)}`}`;
}

type Busy = ReadonlyMap<JudgedGpu, Looked<readonly Holder[]>>;

async function untilFree(ports: ChangePorts, gpus: readonly JudgedGpu[], withinMs: number): Promise<Busy> {
  const { clock } = ports;
  const deadlineMs = clock.nowMs() + withinMs;
  for (;;) {
    const busy = new Map<JudgedGpu, Looked<readonly Holder[]>>();
    for (const gpu of gpus) {
      const holders = await holdersOf(ports, gpu);
      if (!holders.ok || holders.value.length > 0) busy.set(gpu, holders);
    }
    const leftMs = deadlineMs - clock.nowMs();
    if (busy.size === 0 || leftMs <= 0) return busy;
    await clock.sleep(Math.min(pollMs, leftMs));
  }
}

/** Each process once, also where it sits on several GPUs. The answer has those that could not be signalled. */
function signalAll(
  { processes }: ChangePorts,
  busy: Busy,
  signal: 'SIGTERM' | 'SIGKILL',
): ReadonlySet<number> {
  const pids = new Set(
    [...busy.values()].flatMap((held) => (held.ok ? held.value.map(({ pid }) => pid) : [])),
  );
  return new Set([...pids].filter((pid) => !processes.signal(pid, signal)));
}

function reasons(busy: Busy, notSignalled: ReadonlySet<number> = new Set()): ReadonlyMap<JudgedGpu, Why> {
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
