/** Small cards that no maker sells, and brute force on them: what geometry and packing are held against. */
import fc from 'fast-check';
import type { MigModel, Profile } from '#core/catalogue/model';
import type { Placement } from '#core/geometry/placement';

/** Cards of 2 to 6 units with 1 to 3 plain profiles and, sometimes, one capped attribute profile with engines. */
export const anyCard: fc.Arbitrary<MigModel> = fc
  .record({
    gridUnits: fc.integer({ min: 2, max: 6 }),
    shapes: fc.uniqueArray(
      fc.record({ sizeUnits: fc.integer({ min: 1, max: 4 }), startBits: fc.integer({ min: 1, max: 63 }) }),
      { minLength: 1, maxLength: 3, selector: (shape) => shape.sizeUnits },
    ),
    attribute: fc.boolean(),
  })
  .map(({ gridUnits, shapes, attribute }) => cardOf(gridUnits, shapes, attribute))
  .filter((card) => card.profiles.length > 0);

function cardOf(
  gridUnits: number,
  shapes: readonly { sizeUnits: number; startBits: number }[],
  attribute: boolean,
): MigModel {
  const profiles = shapes.flatMap(({ sizeUnits, startBits }, index): Profile[] => {
    const starts = Array.from({ length: gridUnits }, (_, unit) => unit).filter(
      (unit) => ((startBits >> unit) & 1) === 1 && unit + sizeUnits <= gridUnits,
    );
    return starts.length === 0 ? [] : [profileOf(`${sizeUnits}g.${sizeUnits}gb`, index, sizeUnits, starts)];
  });
  const [first] = profiles;
  const capped =
    attribute && first !== undefined
      ? [
          {
            ...first,
            name: `${first.name}+me`,
            id: 99,
            attribute: '+me' as const,
            maxCount: 1,
            engines: { ...first.engines, ofa: 1 },
          },
        ]
      : [];
  return {
    kind: 'mig',
    key: 'random-card',
    name: 'Random Card',
    aliases: [],
    productNames: [],
    gkeAccelerators: [],
    architecture: 'None',
    pciDeviceIds: [],
    memoryMiB: gridUnits * 1024,
    memoryGB: gridUnits,
    sms: null,
    sources: [],
    notes: [],
    computeSlices: gridUnits,
    gridUnits,
    maxInstances: gridUnits,
    migEnable: {
      minDriver: null,
      minVbios: null,
      resetToToggle: null,
      modePersistsReboot: null,
      needsComputeDisplayMode: null,
    },
    profiles: [...profiles, ...capped],
  };
}

function profileOf(name: string, id: number, sizeUnits: number, starts: readonly number[]): Profile {
  const engines = { copy: null, decoders: null, encoders: null, jpeg: null, ofa: null };
  return {
    name,
    id,
    nvmlEnum: id,
    computeSlices: sizeUnits,
    sizeUnits,
    starts,
    maxCount: starts.length,
    attribute: null,
    memoryMiB: sizeUnits * 1000,
    sms: null,
    engines,
    confidence: 'claimed',
    derivedFields: [],
    sources: [],
  };
}

/** Every legal layout, by trying every subset of the placements: no overlap, no profile above its maximum count. */
export function allLayouts(
  card: Pick<MigModel, 'profiles' | 'gridUnits'>,
): readonly (readonly Placement[])[] {
  const places = card.profiles.flatMap(({ name, starts, sizeUnits }) =>
    starts.map((start): Placement => ({ profile: name, start, size: sizeUnits })),
  );
  let layouts: (readonly Placement[])[] = [[]];
  for (const place of places) {
    const fits = layouts.filter((layout) =>
      layout.every(
        (other) => other.start + other.size <= place.start || place.start + place.size <= other.start,
      ),
    );
    layouts = [...layouts, ...fits.map((layout) => [...layout, place])];
  }
  return layouts.filter((layout) =>
    card.profiles.every(
      ({ name, maxCount }) => layout.filter((place) => place.profile === name).length <= maxCount,
    ),
  );
}

/** The fewest cards for a demand by exhaustive search over layouts; the demand is small. */
export function fewestCards(card: MigModel, demand: Readonly<Record<string, number>>): number {
  const layouts = allLayouts(card);
  const known = new Map<string, number>();
  const names = Object.keys(demand);
  const search = (left: readonly number[]): number => {
    if (left.every((count) => count === 0)) return 0;
    const key = left.join();
    const answer = known.get(key);
    if (answer !== undefined) return answer;
    known.set(key, Infinity);
    let best = Infinity;
    for (const layout of layouts) {
      const next = left.map((count, index) =>
        Math.max(0, count - layout.filter((place) => place.profile === names[index]).length),
      );
      if (next.join() !== key) best = Math.min(best, 1 + search(next));
    }
    known.set(key, best);
    return best;
  };
  return search(Object.values(demand));
}
