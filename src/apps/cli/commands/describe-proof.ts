/** A proof in one sentence or two, with the numbers that a reader can check. */
import { unreachable } from '#core/errors';
import type { PriceProof } from '#core/packing/fleet/price-proof';
import type { CountProof, Proof } from '#core/packing/proof';
import { formatUsd } from '#core/units';

export function describeProof(proof: Proof): string {
  switch (proof.kind) {
    case 'weights':
      return describeWeights(proof);
    case 'prices':
      return describePrices(proof);
    case 'none':
      return `proof: none (${proof.why})`;
    default:
      return unreachable(proof);
  }
}

function describeWeights({
  resource,
  weights,
  demand,
  gpuWorth,
  demandWorth,
  lowerBound,
}: CountProof): string {
  const terms = Object.entries(demand).map(([profile, count]) => `${count} x ${weights[profile] ?? 0}`);
  const shown = terms.length > 6 ? [...terms.slice(0, 6), '...'] : terms;
  return (
    `proof: weighed by ${resource}, the slices are ${shown.join(' + ')} = ${demandWorth}; one GPU holds at most ` +
    `${gpuWorth}, so at least ${demandWorth} / ${gpuWorth}, rounded up: ${lowerBound}`
  );
}

function describePrices({ objective, lowerBound, classes }: PriceProof): string {
  const bound = {
    usdPerHour: `no plan costs less than ${formatUsd(lowerBound)}/h`,
    gpus: `no plan does with fewer than ${lowerBound} GPUs, rented machines counted with all of theirs`,
    unplaced: `at least ${lowerBound.toFixed(2)} cards' worth of the needs must stay out`,
  }[objective];
  return `proof: ${bound}: no machine can serve more than it costs at ${classes.length} prices per replica (--json has them)`;
}
