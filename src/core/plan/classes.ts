/** Needs as classes for the fleet program: replicas that the same slices could serve are one class. */
import type { Profile } from '#core/catalogue/model';
import { type NeedClass, type Pool, type Service, wholeCard } from '#core/packing/fleet/problem';
import { profilesFor } from '#core/sizing/profiles-for';
import { servingOptions, type ServingOption } from '#core/sizing/serving-options';
import type { SizingOptions } from '#core/sizing/wants';
import type { Need } from './documents.js';

/** A class and whose replicas it holds, in the order of the needs. */
export interface PlanClass extends NeedClass {
  readonly members: readonly { readonly need: string; readonly count: number }[];
}

export interface Classes {
  readonly classes: readonly PlanClass[];
  /** Needs that nothing in the fleet can serve, with the reason. */
  readonly impossible: readonly { readonly need: string; readonly count: number; readonly why: string }[];
}

export function classesOf(needs: readonly Need[], pools: readonly Pool[], sizing: SizingOptions): Classes {
  const classes = new Map<string, PlanClass>();
  const impossible: Classes['impossible'][number][] = [];
  for (const need of needs) {
    const services = servicesFor(need, pools, sizing);
    if (services.length === 0) {
      impossible.push({ need: need.name, count: need.count, why: whyImpossible(need, pools, sizing) });
      continue;
    }
    const weight = leastOfCard(services, pools, need.gpus);
    // Replicas that share a slice belong to one need (and so to one tenant): strangers never share.
    const owner = services.some(({ replicas }) => replicas > 1) ? need.name : null;
    const key = JSON.stringify([services, need.gpus, need.priority, owner]);
    const known = classes.get(key);
    classes.set(key, {
      name: known?.name ?? need.name,
      count: (known?.count ?? 0) + need.count,
      gpus: need.gpus,
      services,
      weight,
      priority: need.priority,
      members: [...(known?.members ?? []), { need: need.name, count: need.count }],
    });
  }
  return { classes: [...classes.values()], impossible };
}

/** The share of a card that the smallest service takes: leaving out a large need is worse than a small one. */
function leastOfCard(services: readonly Service[], pools: readonly Pool[], gpus: number): number {
  const shares = services.map(({ pool, slot, replicas }) => {
    const model = pools[pool]?.model;
    const profile = model?.kind === 'mig' ? model.profiles.find(({ name }) => name === slot) : undefined;
    if (model?.kind !== 'mig' || profile === undefined) return gpus;
    return profile.sizeUnits / model.gridUnits / replicas;
  });
  return Math.min(...shares);
}

function servicesFor(need: Need, pools: readonly Pool[], sizing: SizingOptions): readonly Service[] {
  const byModel = new Map<string, readonly ServingOption[]>();
  return pools.flatMap((pool, poolIndex) => {
    const { model } = pool;
    const options = byModel.get(model.key) ?? servingOptions(need, model, sizing);
    byModel.set(model.key, options);
    // Where all slices of a machine are alike, a small need may well take one of the large ones.
    return (pool.uniform || model.kind !== 'mig' ? options : withoutDominated(options))
      .filter(({ profile }) => profile !== 'whole' || (pool.taken.length === 0 && need.gpus <= pool.gpusEach))
      .map(({ profile, replicasPerSlice }): Service => {
        const slot = profile === 'whole' ? wholeCard : profile.name;
        return { pool: poolIndex, slot, replicas: replicasPerSlice };
      });
  });
}

/** Drops a profile where another serves as many replicas, fits wherever it fits, and takes no more engines. */
function withoutDominated(options: readonly ServingOption[]): readonly ServingOption[] {
  return options.filter(({ profile, replicasPerSlice }, index) => {
    if (profile === 'whole') return true;
    return !options.some((other, otherIndex) => {
      if (other.profile === 'whole' || otherIndex === index || other.replicasPerSlice < replicasPerSlice)
        return false;
      const isTwin = fitsWherever(profile, other.profile) && otherIndex > index;
      return fitsWherever(other.profile, profile) && !isTwin;
    });
  });
}

/** Whether an instance of `small` can stand in the place of any instance of `large`, whatever stands beside it. */
function fitsWherever(small: Profile, large: Profile): boolean {
  const isCapped =
    small.attribute !== null && (small.attribute !== large.attribute || small.maxCount < large.maxCount);
  const engines = ['decoders', 'encoders', 'jpeg', 'ofa'] as const;
  const takesMore = engines.some((engine) => (small.engines[engine] ?? 0) > (large.engines[engine] ?? 0));
  if (isCapped || takesMore) return false;
  return large.starts.every((start) =>
    small.starts.some((inside) => inside >= start && inside + small.sizeUnits <= start + large.sizeUnits),
  );
}

function whyImpossible(need: Need, pools: readonly Pool[], sizing: SizingOptions): string {
  if (pools.length === 0) return 'the fleet has no GPUs';
  const models = [...new Map(pools.map(({ model }) => [model.key, model])).values()];
  const reasons = models.map((model) => {
    const { verdict } = profilesFor(need, model, sizing);
    if (verdict.kind === 'none') return `${model.key}: ${verdict.why}`;
    const most = Math.max(...pools.filter((pool) => pool.model === model).map(({ gpusEach }) => gpusEach));
    if (need.gpus > most)
      return `${model.key}: needs ${need.gpus} GPUs in one machine, the largest has ${most} free`;
    return `${model.key}: needs a whole card, and every one holds busy slices`;
  });
  return reasons.join('; ');
}
