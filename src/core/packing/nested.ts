/**
 * Families whose profiles nest (A30: 4, 2, 1 units; RTX PRO 6000: 12, 6, 3): each size divides the next larger one and
 * every multiple of it is a legal start. Then filling large before small wastes nothing, and units alone are the bound.
 */
import type { Profile } from '#core/catalogue/model';
import type { Layout, Placement } from '#core/geometry/placement';
import type { Space } from '#core/geometry/space';
import type { Family } from './family.js';
import type { Demand } from './demand.js';
import { run, type Run } from './runs.js';

/** The family of a plain space; undefined where the profiles do not nest. */
export function nestedFamily(space: Space): Family | undefined {
  const { gridUnits } = space.card;
  const largeToSmall = space.profiles;
  if (
    !largeToSmall.every((profile, index) =>
      nests(profile, largeToSmall[index - 1]?.sizeUnits ?? gridUnits, gridUnits),
    )
  ) {
    return undefined;
  }
  const unit = largeToSmall.at(-1)?.sizeUnits ?? 1;
  return {
    resources: [
      {
        resource: 'memory slices',
        weights: Object.fromEntries(largeToSmall.map((profile) => [profile.name, profile.sizeUnits / unit])),
        gpuWorth: gridUnits / unit,
      },
    ],
    admit: (demand, gpus) => admit(largeToSmall, demand, gpus * gridUnits),
    layoutsFor: (demand) => fill(largeToSmall, demand, gridUnits),
  };
}

function nests(profile: Profile, largerUnits: number, gridUnits: number): boolean {
  const { sizeUnits } = profile;
  const everyMultiple = Array.from({ length: gridUnits / sizeUnits }, (_, index) => index * sizeUnits);
  return (
    sizeUnits < largerUnits + 1 &&
    largerUnits % sizeUnits === 0 &&
    profile.starts.join() === everyMultiple.join()
  );
}

function admit(largeToSmall: readonly Profile[], demand: Demand, freeUnits: number): Demand {
  let left = freeUnits;
  const admitted: Record<string, number> = {};
  for (const { name, sizeUnits } of largeToSmall) {
    const count = Math.min(demand[name] ?? 0, Math.floor(left / sizeUnits));
    admitted[name] = count;
    left -= count * sizeUnits;
  }
  return admitted;
}

/** One long tape of units, cut into cards: no slice crosses an edge, since large ones come first and sizes divide. */
function fill(largeToSmall: readonly Profile[], demand: Demand, gridUnits: number): readonly Run<Layout>[] {
  const runs: Run<Layout>[] = [];
  let begun: Placement[] = [];
  let usedUnits = 0;
  for (const { name, sizeUnits } of largeToSmall) {
    let left = demand[name] ?? 0;
    const place = (): void => {
      begun.push({ profile: name, start: usedUnits, size: sizeUnits });
      usedUnits += sizeUnits;
      left -= 1;
    };
    while (left > 0 && usedUnits > 0) {
      place();
      if (usedUnits === gridUnits) {
        runs.push({ count: 1, item: begun });
        [begun, usedUnits] = [[], 0];
      }
    }
    const perCard = gridUnits / sizeUnits;
    const fullCards = Math.floor(left / perCard);
    const fullCard = Array.from({ length: perCard }, (_, index) => ({
      profile: name,
      start: index * sizeUnits,
      size: sizeUnits,
    }));
    runs.push(...run(fullCards, fullCard));
    left -= fullCards * perCard;
    while (left > 0) place();
  }
  return usedUnits > 0 ? [...runs, { count: 1, item: begun }] : runs;
}
