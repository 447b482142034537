/** Simulated GPUs without a layout become as many slices as there is room for, of the profile that a wish takes. */
import type { Profile } from '#core/catalogue/model';
import { checkLayout } from '#core/geometry/check';
import type { Layout } from '#core/geometry/placement';
import type { SliceWish } from '#core/run/slice';
import { cardFor, type KnownCard } from '#engines/change/card';
import { changeGpus } from '#engines/change/change';
import type { WantedGpu } from '#engines/change/options';
import type { ChangePorts } from '#engines/change/ports';
import { resumeChanges } from '#engines/change/resume';
import type { GpuDriver } from '#ports/gpu-driver';

const patienceMs = 30_000;
const retryMs = 50;

/**
 * Others may be cutting the same machine for themselves: whoever is refused looks whether it is done. One who was killed
 * at it left a GPU with some of its slices, which nobody meant: that is taken back first.
 */
export async function cutForWish(ports: ChangePorts, wish: SliceWish): Promise<void> {
  const deadlineMs = ports.clock.nowMs() + patienceMs;
  while (ports.clock.nowMs() < deadlineMs) {
    if (!(await isBeingCut(ports))) {
      const wanted = await layoutsFor(ports.driver, wish);
      if (wanted.length === 0) return;
      const { outcome } = await changeGpus(ports, wanted, { keepGoing: true });
      if (outcome !== 'refused') return;
    }
    await ports.clock.sleep(retryMs);
  }
}

/** Whether somebody alive is at it; what a dead one began is ended here. */
async function isBeingCut(ports: ChangePorts): Promise<boolean> {
  const ended = await resumeChanges(ports);
  return ended.some(({ gpus }) => gpus.some(({ why }) => why?.kind === 'locked'));
}

/** Empty where any GPU has MIG on: somebody has decided what this machine is. */
async function layoutsFor(driver: GpuDriver, wish: SliceWish): Promise<readonly WantedGpu[]> {
  const gpus = await driver.gpus();
  if (!gpus.ok || gpus.value.some(({ mig }) => mig !== null && (mig.current || mig.pending))) return [];
  const wanted: WantedGpu[] = [];
  for (const info of gpus.value) {
    const card = await cardFor(driver, info);
    const placements = card.ok && card.value !== null ? layoutFor(card.value, wish) : [];
    if (placements.length > 0) wanted.push({ gpu: info.index, want: { mig: true, placements } });
  }
  return wanted;
}

function layoutFor(card: KnownCard, wish: SliceWish): Layout {
  const profile = profileFor(card, wish);
  for (let count = profile?.maxCount ?? 0; profile !== null && count > 0; count -= 1) {
    const asks = Array.from({ length: count }, () => ({ profile: profile.name }));
    const answer = checkLayout(card, asks);
    if (answer.ok) return answer.placements;
  }
  return [];
}

/** The smallest plain profile that does. */
function profileFor({ profiles }: KnownCard, wish: SliceWish): Profile | null {
  const doing = profiles.filter(({ name, attribute, memoryMiB }) => {
    if (wish.kind === 'profile') return name === wish.profile;
    return attribute === null && (wish.kind === 'any' || (memoryMiB ?? 0) >= wish.memoryMiB);
  });
  return [...doing].sort((a, b) => a.sizeUnits - b.sizeUnits || b.maxCount - a.maxCount)[0] ?? null;
}
