/**
 * Seeded instances of the mixed-fleet question: six card types with made-up prices and speeds, workloads in classes of
 * (least memory, least compute), each of which any profile with at least both may serve.
 */
import { modelByKey } from '#core/catalogue/catalogue';
import type { MigModel, Profile } from '#core/catalogue/model';
import type { FleetProblem, NeedClass, Pool, Service } from '#core/packing/fleet/problem';
import { randomFrom } from './random.js';

/** Synthetic: dollars an hour, GB per placement unit, speed of the whole card against an H100. */
const cardTypes = [
  { key: 'a100-40gb', usdPerHour: 1.3, gbPerUnit: 5, speed: 0.45 },
  { key: 'a100-80gb', usdPerHour: 1.8, gbPerUnit: 10, speed: 0.45 },
  { key: 'h100-80gb-sxm', usdPerHour: 2.9, gbPerUnit: 10, speed: 1 },
  { key: 'h200-141gb', usdPerHour: 3.8, gbPerUnit: 17.6, speed: 1 },
  { key: 'rtx-pro-6000-blackwell-server', usdPerHour: 1.9, gbPerUnit: 8, speed: 0.5 },
  { key: 'a30-24gb', usdPerHour: 0.6, gbPerUnit: 6, speed: 0.2 },
] as const;

export interface MixedInstance {
  readonly problem: FleetProblem;
  /** Workloads that no profile serves; they are left out of the problem. */
  readonly unservable: number;
}

export function mixedInstance(classes: number, workloads: number, seed: number): MixedInstance {
  const { uniform } = randomFrom(seed);
  const pools = cardTypes.map(({ key, usdPerHour }): Pool => {
    return {
      name: key,
      model: cardOf(key),
      gpusEach: 1,
      machines: null,
      owned: false,
      usdPerHour,
      uniform: false,
      taken: [],
    };
  });
  const wanted = Array.from({ length: classes }, () => ({
    gb: Math.round(2 ** (1 + 5.6 * uniform())),
    computePercent: Math.min(100, Math.round(2 + 70 * uniform() ** 2.5)),
    count: 0,
  }));
  for (let drawn = 0; drawn < workloads; drawn += 1) {
    const drawnClass = wanted[Math.floor(classes * uniform() ** 1.5)];
    if (drawnClass !== undefined) drawnClass.count += 1;
  }
  const merged = new Map<string, NeedClass>();
  let unservable = 0;
  for (const { gb, computePercent, count } of wanted) {
    const services = servicesFor(pools, gb, computePercent);
    if (services.length === 0) unservable += count;
    if (services.length === 0 || count === 0) continue;
    const key = JSON.stringify(services);
    merged.set(key, {
      name: key,
      count: count + (merged.get(key)?.count ?? 0),
      gpus: 1,
      services,
      weight: 1,
    });
  }
  return { problem: { pools, classes: [...merged.values()] }, unservable };
}

/** The smallest profile of each type that is enough: the profiles of a type are a chain, each fits where a larger one does. */
function servicesFor(pools: readonly Pool[], gb: number, computePercent: number): readonly Service[] {
  return cardTypes.flatMap(({ gbPerUnit, speed }, pool): readonly Service[] => {
    const model = pools[pool]?.model as MigModel;
    const isEnough = ({ attribute, sizeUnits, computeSlices }: Profile): boolean =>
      attribute === null &&
      sizeUnits * gbPerUnit >= gb &&
      (100 * speed * computeSlices) / model.computeSlices >= computePercent - 1e-9;
    const [smallest] = model.profiles
      .filter(isEnough)
      .sort((a, b) => a.sizeUnits - b.sizeUnits || a.computeSlices - b.computeSlices);
    return smallest === undefined ? [] : [{ pool, slot: smallest.name, replicas: 1 }];
  });
}

function cardOf(key: string): MigModel {
  const model = modelByKey(key);
  if (model?.kind !== 'mig') throw new RangeError(`${key} is not in the catalogue`);
  return model;
}
