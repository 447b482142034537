/** Before anything is touched: waiting for slices in use, draining them, and looking whether all is as it was judged. */
import { brokenWhy, type Why } from './answer.js';
import type { ChangeLog } from './change-log.js';
import { drain, reasons, untilFree } from './clients.js';
import type { JudgedGpu } from './judge.js';
import { isSameGpu, lookAt, type Looked } from './look.js';
import type { ChangeOptions } from './options.js';
import type { ChangePorts } from './ports.js';

interface FreedUp {
  /** The GPUs that cannot be changed after all. */
  readonly whys: ReadonlyMap<JudgedGpu, Why>;
  /** The journal, where it was begun because processes were to be signalled. */
  readonly log: ChangeLog | null;
}

/** `begin` writes down what is about to be done: a signal is the first thing that cannot be taken back. */
export async function freeUp(
  ports: ChangePorts,
  gpus: readonly JudgedGpu[],
  options: ChangeOptions,
  begin: (gpus: readonly JudgedGpu[]) => Promise<Looked<ChangeLog>>,
): Promise<FreedUp> {
  const atFirst = await untilFree(ports, gpus, 0);
  if (atFirst.size === 0) return { whys: new Map(), log: null };
  const busy = await untilFree(ports, gpus, options.waitMs ?? 0);
  if (busy.size === 0) return { whys: await disturbed(ports, gpus), log: null };
  if (options.drain === undefined) return { whys: reasons(busy), log: null };
  const begun = await begin(gpus);
  if (!begun.ok) return { whys: new Map(gpus.map((gpu) => [gpu, begun.why])), log: null };
  const log = begun.value;
  try {
    const left = await drain(ports, log, [...busy.keys()], options.drain);
    return { whys: new Map([...(await disturbed(ports, gpus)), ...left]), log };
  } catch (error) {
    const why = brokenWhy('write to the journal', error);
    return { whys: new Map(gpus.map((gpu) => [gpu, why])), log };
  }
}

/** What was decided holds for the GPU as it was then, and a wait may have been long. */
export async function disturbed(
  { driver }: ChangePorts,
  gpus: readonly JudgedGpu[],
): Promise<ReadonlyMap<JudgedGpu, Why>> {
  const whys = new Map<JudgedGpu, Why>();
  for (const gpu of gpus) {
    const now = await lookAt(driver, gpu.intent.uuid);
    if (!now.ok) whys.set(gpu, now.why);
    else if (!isSameGpu(now.value, gpu.live)) whys.set(gpu, changedMeanwhile);
  }
  return whys;
}

const changedMeanwhile: Why = {
  kind: 'unverified',
  message: 'somebody else changed the GPU while its processes were waited for; look at it and try again',
};
