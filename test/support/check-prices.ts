/** An independent judge of a plan's bound: it recomputes it from the proof's prices and the models' geometry alone. */
import type { PriceProof } from '#core/packing/fleet/price-proof';
import { bits, heaviest, type Legal, type Profile } from './check-bound.js';

/** Whatever the plan, it costs at least this under the proof's objective; NaN where the prices prove nothing. */
export function provenCost(
  profilesOf: (model: string) => readonly Profile[],
  proof: PriceProof,
  isLegalOn: (model: string) => Legal = () => () => true,
): number {
  const cap = proof.objective === 'unplaced' ? 1e-9 : Infinity;
  const isCapped = proof.classes.every(({ price, weight }) => price <= weight + cap);
  let bound = isCapped ? proof.classes.reduce((sum, { count, price }) => sum + count * price, 0) : Number.NaN;
  for (const [index, pool] of proof.pools.entries()) {
    const worth = (slot: string, gpus: number): number => {
      const classes = proof.classes.filter((one) => one.gpus === gpus);
      const served = classes.flatMap(({ price, services }) => services.map((one) => ({ ...one, price })));
      const here = served.filter((one) => one.pool === index && one.slot === slot);
      return Math.max(0, ...here.map(({ replicas, price }) => replicas * price));
    };
    const profiles = profilesOf(pool.model).filter(({ name }) => worth(name, 1) > 0);
    const weights = Object.fromEntries(profiles.map(({ name }) => [name, worth(name, 1)]));
    const used = pool.taken.reduce((units, { start, size }) => units | bits(start, size), 0n);
    const isLegal: Legal = (counts) =>
      isLegalOn(pool.model)(
        pool.taken.reduce((all, { profile }) => ({ ...all, [profile]: (all[profile] ?? 0) + 1 }), counts),
      );
    const cut = (kept: readonly Profile[]): number => heaviest(kept, weights, used, isLegal);
    const whole = pool.taken.length === 0 ? worth('whole', 1) : 0;
    const cards = pool.uniform ? profiles.map((one) => cut([one])) : [Math.max(cut(profiles), whole)];
    const machineOf = (cardWorth: number, mayGroup: boolean): number => {
      const card = Math.max(0, cardWorth - pool.costPerGpu);
      const machine = [0];
      for (let gpus = 1; gpus <= pool.gpusEach; gpus += 1) {
        const sizes = Array.from({ length: mayGroup ? gpus - 1 : 0 }, (_, smaller) => smaller + 2);
        const groups = sizes.map(
          (size) => machine[gpus - size]! + worth('whole', size) - size * pool.costPerGpu,
        );
        machine.push(Math.max(machine[gpus - 1]! + card, ...groups));
      }
      return machine[pool.gpusEach]!;
    };
    const machine = Math.max(...cards.map((card) => machineOf(card, !pool.uniform)), machineOf(whole, true));
    const surplus = Math.max(0, machine - pool.costPerMachine);
    bound -= pool.machines === null ? (surplus > 1e-6 ? Number.NaN : 0) : pool.machines * surplus;
  }
  return proof.costUnit === 0 ? bound : Math.ceil(bound / proof.costUnit - 1e-6) * proof.costUnit;
}
