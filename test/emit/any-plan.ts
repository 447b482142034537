/** Any plan at all, for properties: owned and rented nodes, known cards cut any way, names that want to do harm. */
import fc from 'fast-check';
import { modelByKey, models } from '#core/catalogue/catalogue';
import { isFractional, machineTypes, type MachineType } from '#core/catalogue/machine-types';
import type { GpuModel } from '#core/catalogue/model';
import type { Placement } from '#core/geometry/placement';
import type { Plan, PlannedGpu } from '#core/plan/plan';
import { planOf } from './plans.js';

const hostile = [
  'a; rm -rf /',
  "it's",
  '$(reboot)',
  '`reboot`',
  '"quoted"',
  'two\nlines\n---\nkind: Secret',
  '--all',
  '../../etc/passwd',
  'yes',
  '0x10',
  '*/ | # %',
  '',
  'x'.repeat(300),
];
const name = fc.oneof(
  fc.constantFrom('bert', 'gpu-1', 'Ümlaut', ...hostile),
  fc.string({ unit: 'binary', maxLength: 12 }),
);

/** Up to `count` slices of one profile, at least one. */
function slicesOf(model: GpuModel, pick: number, count: number): readonly Placement[] {
  const profile = model.kind === 'mig' ? model.profiles[pick % model.profiles.length] : undefined;
  const starts = profile?.starts.slice(0, Math.min(profile.maxCount, Math.max(1, count))) ?? [];
  return starts.map((start) => ({ profile: profile?.name ?? '', start, size: profile?.sizeUnits ?? 0 }));
}

interface Machine {
  readonly node: string;
  readonly machineType: string | null;
  readonly model: GpuModel;
  readonly gpus: number;
}

/** Placements that do not overlap, first come first served; other rules do not matter to an emitter. */
function layoutFrom(model: GpuModel, picks: readonly number[]): readonly Placement[] {
  if (model.kind !== 'mig') return [];
  const all = model.profiles.flatMap(({ name: profile, starts, sizeUnits: size }) =>
    starts.map((start) => ({ profile, start, size })),
  );
  const chosen: Placement[] = [];
  for (const pick of picks) {
    const place = all[pick % all.length];
    if (place === undefined) continue;
    const free = chosen.every(
      (one) => one.start >= place.start + place.size || place.start >= one.start + one.size,
    );
    if (free) chosen.push(place);
  }
  return chosen;
}

const owned: fc.Arbitrary<Machine> = fc.record({
  node: name,
  machineType: fc.constant(null),
  model: fc.constantFrom(...models()),
  gpus: fc.integer({ min: 1, max: 4 }),
});

function rentedFrom(types: readonly MachineType[]): fc.Arbitrary<Machine> {
  return fc.constantFrom(...types).map(({ name: machineType, model: key, gpus }) => {
    const model = modelByKey(key);
    if (model === undefined) throw new Error(`${machineType} carries an unknown ${key}`);
    return { node: `${machineType}-1`, machineType, model, gpus };
  });
}

const wholeMachines = machineTypes.filter((machine) => !isFractional(machine));
const anywhere = fc.oneof(owned, rentedFrom(wholeMachines));
const onGoogle = rentedFrom(wholeMachines.filter(({ cloud }) => cloud === 'gcp'));

const use = fc.record({
  mig: fc.boolean(),
  picks: fc.array(fc.nat(500), { maxLength: 8 }),
  needs: fc.array(name, { maxLength: 10 }),
});

/** Half of the machines are cut to one size throughout, which every target can do. */
const cutting = fc.record({
  oneSize: fc.boolean(),
  size: fc.nat(100),
  uses: fc.array(use, { minLength: 1, maxLength: 4 }),
});

export const anyPlan: fc.Arbitrary<Plan> = fc.oneof(plansOn(anywhere), plansOn(onGoogle));

function plansOn(machine: fc.Arbitrary<Machine>): fc.Arbitrary<Plan> {
  return fc
    .uniqueArray(fc.tuple(machine, cutting), {
      selector: ([{ node }]) => node,
      minLength: 1,
      maxLength: 4,
    })
    .map((machines) => {
      const layouts: PlannedGpu[] = [];
      const assignment: Plan['assignment'][number][] = [];
      for (const [{ node, model, gpus }, { oneSize, size, uses }] of machines) {
        for (const [index, { mig, picks, needs }] of uses.slice(0, gpus).entries()) {
          const cut = (mig || oneSize) && model.kind === 'mig';
          const cutAs = oneSize ? slicesOf(model, size, picks.length) : layoutFrom(model, picks);
          const placements = cut ? cutAs : [];
          layouts.push({ node, index, model: model.key, mig: cut, placements });
          const seats: readonly (Placement | null)[] = cut ? placements : [null];
          const mayShare = cut && !oneSize;
          for (const [order, need] of needs.entries()) {
            const placement = seats[order % seats.length];
            if (placement !== undefined && (mayShare || order < seats.length))
              assignment.push({ need, node, index, placement });
          }
        }
      }
      const rented = machines.flatMap(([{ machineType, gpus }]) =>
        machineType === null ? [] : [{ machineType, count: 1, gpusEach: gpus, usdPerHour: null }],
      );
      return planOf({ layouts, assignment, machines: rented });
    });
}
