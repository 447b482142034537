/** The GPUs of this machine as one that would cut them anew must know them: what stands there, and what never may go. */
import type { RecutCard, RecutSlice } from '#core/run/recut';
import type { GpuInfo } from '#ports/gpu-driver';
import { cardFor, type KnownCard } from './card.js';
import { unfinishedWhy } from './locks.js';
import { instancesOf, liveInstance } from './look.js';
import type { ChangePorts } from './ports.js';
import { ownedOn } from './recall.js';
import { isMarked, readPast, type Past } from './records.js';

/** `isFree`: of an instance, or of the whole GPU (`null`), that nobody has and nobody is in. */
export type IsFree = (gpuUuid: string, instanceId: number | null) => boolean;

/** Those that can be cut at all. A GPU whose driver does not say what it holds is left out. */
export async function recutCards(ports: ChangePorts, isFree: IsFree): Promise<readonly RecutCard[]> {
  const [listed, past] = await Promise.all([ports.driver.gpus(), readPast(ports.journal)]);
  if (!listed.ok) return [];
  const cards = await Promise.all(listed.value.map((info) => recutCard(ports, info, past, isFree)));
  return cards.filter((card) => card !== null);
}

async function recutCard(
  ports: ChangePorts,
  info: GpuInfo,
  past: Past,
  isFree: IsFree,
): Promise<RecutCard | null> {
  const { mig, uuid, index } = info;
  const card = await cardFor(ports.driver, info);
  if (mig === null || !card.ok || card.value === null) return null;
  const found = await instancesOf(ports.driver, info);
  if (!found.ok) return null;
  const live = found.value.map(liveInstance);
  const owned = ownedOn(past.changes, uuid, live, ports.processes.bootId());
  const standing = live.map((instance): RecutSlice => {
    const isOurs = owned.some((mark) => isMarked(instance, mark));
    const state = isOurs ? (isFree(uuid, instance.id) ? 'idle' : 'busy') : 'foreign';
    return { placement: instance.placement, state };
  });
  const shut = whyShut(info, card.value, past, isFree);
  return { gpuUuid: uuid, gpuIndex: index, card: card.value, mig: mig.current, standing, shut };
}

/** What takes a reset of the GPU is for whoever looks after the machine. */
function whyShut(
  { uuid, index, mig }: GpuInfo,
  { model }: KnownCard,
  past: Past,
  isFree: IsFree,
): RecutCard['shut'] {
  const unfinished = unfinishedWhy(past, uuid);
  if (unfinished !== null) return { why: `GPU ${index}: ${unfinished.message}`, forGood: true };
  if (mig === null || mig.current !== mig.pending) {
    return { why: `GPU ${index} waits for a reset or a reboot`, forGood: true };
  }
  if (mig.current) return null;
  if (model?.migEnable.resetToToggle !== false) {
    const why = `GPU ${index} has MIG off, and switching it takes a reset: \`mica node apply\` does that`;
    return { why, forGood: true };
  }
  return isFree(uuid, null) ? null : { why: `GPU ${index} is in use as a whole`, forGood: false };
}
