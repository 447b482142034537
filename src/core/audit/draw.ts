/** Cards drawn before and after: equal ones once, with how many there are. */
import { modelByKey } from '#core/catalogue/catalogue';
import { asNvidiaSpells } from '#core/catalogue/profile-name';
import type { ObservedGpu } from '../observe/observation.js';
import type { Assessment } from './assess.js';
import { assumedCards } from './assumed-cards.js';
import type { DrawnGpu } from './answer.js';
import { sliceOf } from './device.js';
import { whoIsThere, type WhoIsThere } from './held.js';
import type { DrawnCard } from './place-demands.js';
import { cardNow } from './stock.js';

/** Grouped; the most frequent first. */
export function grouped(cards: readonly DrawnCard[]): readonly DrawnGpu[] {
  const groups = new Map<string, { count: number; card: DrawnCard }>();
  for (const card of cards) {
    const key = JSON.stringify([card.model, card.slices]);
    const known = groups.get(key);
    if (known === undefined) groups.set(key, { count: 1, card });
    else known.count += 1;
  }
  return [...groups.values()]
    .sort((a, b) => b.count - a.count)
    .map(({ count, card: { model, slices, gridUnits } }) => ({ count, model, slices, gridUnits }));
}

/** The cards as they are, with whoever was there at the moment; `null`: at no moment was anybody. */
export function cardsBefore(
  gpus: readonly ObservedGpu[],
  atMs: number | null,
  assessments: readonly Assessment[],
  usual: string | null,
): readonly DrawnCard[] {
  if (gpus.length === 0) return assumedCards(assessments, (one) => cardNow(one, usual));
  const who: WhoIsThere = atMs === null ? () => [] : whoIsThere({ gpus, atMs }, assessments);
  return gpus.toSorted(byPlace).map(({ model, holders, slices }) => {
    const onWhole = who(holders);
    const cut = slices.map(({ profile, holders: own }) => ({ profile, workloads: who(own) }));
    // Cards that were whole for a part of the window.
    const isWhole =
      cut.length === 0 || (onWhole.length > 0 && cut.every(({ workloads }) => workloads.length === 0));
    return {
      model,
      gridUnits: gridOf(model),
      slices: isWhole
        ? [{ profile: null, start: null, sizeUnits: null, workloads: onWhole }]
        : cut.map(({ profile, workloads }) => {
            const name = profile === null ? 'not known' : asNvidiaSpells(profile);
            const sizeUnits = sliceOf({ model, profile: name })?.profile.sizeUnits ?? null;
            return { profile: name, start: null, sizeUnits, workloads };
          }),
    };
  });
}

function byPlace(a: ObservedGpu, b: ObservedGpu): number {
  const [x, y] = [a, b].map(({ host, index, uuid }) =>
    [host ?? '', String(index ?? 0).padStart(4, '0'), uuid].join('/'),
  );
  return (x ?? '') < (y ?? '') ? -1 : 1;
}

function gridOf(model: string | null): number | null {
  const card = model === null ? undefined : modelByKey(model);
  return card?.kind === 'mig' ? card.gridUnits : null;
}
