/** Cards of a source that names none: a whole one for each replica, or as many as its slices would fill. */
import { modelByKey } from '#core/catalogue/catalogue';
import type { DrawnGpu } from './answer.js';
import type { Assessment } from './assess.js';
import { gridShareOf, sliceOf } from './device.js';
import { nameOf } from './held.js';

/** `modelOf`: the card that a workload is taken to be on. */
export function assumedCards(
  assessments: readonly Assessment[],
  modelOf: (one: Assessment) => string | null,
): readonly Omit<DrawnGpu, 'count'>[] {
  const open = new Map<string | null, { slices: DrawnGpu['slices'][number][]; left: number }[]>();
  const largestFirst = assessments.toSorted((a, b) => shareOf(b) - shareOf(a));
  for (const one of largestFirst) {
    const { current, replicas, devicesEach } = one.judged;
    const model = modelOf(one);
    const share = shareOf(one);
    const cards = open.get(model) ?? [];
    open.set(model, cards);
    for (let device = 0; device < replicas * devicesEach; device += 1) {
      let card = cards.find(({ left }) => left >= share - 1e-9);
      if (card === undefined) cards.push((card = { slices: [], left: 1 }));
      card.left -= share;
      card.slices.push({
        profile: current.profile,
        start: null,
        sizeUnits: sliceOf(current)?.profile.sizeUnits ?? null,
        workloads: [nameOf(one.judged)],
      });
    }
  }
  return [...open].flatMap(([model, cards]) => {
    const card = model === null ? undefined : modelByKey(model);
    const gridUnits = card?.kind === 'mig' ? card.gridUnits : null;
    return cards.map(({ slices }) => ({ model, gridUnits, slices }));
  });
}

/** Of a slice that is not known, the whole card. */
function shareOf({ judged }: Assessment): number {
  return gridShareOf(judged.current) ?? 1;
}
