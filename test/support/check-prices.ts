/** An independent judge of a plan's bound: it recomputes it from the proof's prices and the models' geometry alone. */
import type { PriceProof } from '#core/packing/fleet/price-proof';
import { bits, heaviest, type Profile } from './check-bound.js';

/** Whatever the plan, it costs at least this under the proof's objective; NaN where the prices prove nothing. */
export function provenCost(profilesOf: (model: string) => readonly Profile[], proof: PriceProof): number {
  const isCapped =
    proof.objective !== 'unplaced' || proof.classes.every(({ price, weight }) => price <= weight + 1e-9);
  let bound = isCapped ? proof.classes.reduce((sum, { count, price }) => sum + count * price, 0) : Number.NaN;
  for (const [index, pool] of proof.pools.entries()) {
    const worth = (slot: string, gpus: number): number => {
      const classes = proof.classes.filter((one) => one.gpus === gpus);
      const served = classes.flatMap(({ price, services }) =>
        services.map((service) => ({ ...service, price })),
      );
      const here = served.filter((service) => service.pool === index && service.slot === slot);
      return Math.max(0, ...here.map(({ replicas, price }) => replicas * price));
    };
    const profiles = profilesOf(pool.model).map((profile) => ({ ...profile, worth: worth(profile.name, 1) }));
    const used = pool.taken.reduce((units, { start, size }) => units | bits(start, size), 0n);
    const cut = (names: readonly string[]): number => {
      const kept = profiles.filter(({ name }) => names.includes(name));
      return heaviest(kept, Object.fromEntries(kept.map(({ name, worth }) => [name, worth])), used);
    };
    const whole = pool.taken.length === 0 ? worth('whole', 1) : 0;
    const names = profiles.map(({ name }) => name);
    const sizes = pool.uniform ? names.map((name) => cut([name])) : [Math.max(cut(names), whole)];
    const machineOf = (cardWorth: number, mayGroup: boolean): number => {
      const card = Math.max(0, cardWorth - pool.costPerGpu);
      const machine = [0];
      for (let gpus = 1; gpus <= pool.gpusEach; gpus += 1) {
        const group = (size: number): number =>
          mayGroup ? (machine[gpus - size] ?? 0) + worth('whole', size) - size * pool.costPerGpu : 0;
        const groups = Array.from({ length: gpus - 1 }, (_, smaller) => group(smaller + 2));
        machine.push(Math.max((machine[gpus - 1] ?? 0) + card, ...groups));
      }
      return machine[pool.gpusEach] ?? 0;
    };
    const machine = Math.max(...sizes.map((size) => machineOf(size, !pool.uniform)), machineOf(whole, true));
    const surplus = Math.max(0, machine - pool.costPerMachine);
    bound -= pool.machines === null ? (surplus > 1e-6 ? Number.NaN : 0) : pool.machines * surplus;
  }
  return proof.costUnit === 0 ? bound : Math.ceil(bound / proof.costUnit - 1e-6) * proof.costUnit;
}
