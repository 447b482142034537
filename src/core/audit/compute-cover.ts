/** How sure it is that a slice has the compute that a workload uses. */
import { modelByKey } from '#core/catalogue/catalogue';
import { computeDemand, computeRoom, isEstimate, wholeReplicas } from '#core/sizing/compute';
import { computeUse } from './activity.js';
import type { Choice } from './choose.js';
import { computeShareOf } from './device.js';
import type { AuditSetting } from './options.js';
import { strategies } from './strategies.js';
import type { Measured } from './workload-need.js';

/**
 * `measured`: sized for the SMs that were at work. `estimate`: the same, converted from another card. `enough`: no less
 * than it can have used, or than it has now. `not-known`: time in which something ran, not SMs, and more than the slice
 * covers. `at-least`: a lower bound. `no-figures`. `no-ratio`: SMs of another chip design, that do not convert.
 */
export type Cover = 'measured' | 'estimate' | 'enough' | 'not-known' | 'at-least' | 'no-figures' | 'no-ratio';

export function coverOf({ card, profile }: Choice, measured: Measured, setting: AuditSetting): Cover {
  const { current, compute } = measured;
  const { strategy, sizing } = setting;
  const share = profile.computeSlices / card.computeSlices;
  const has = computeShareOf(current);
  const isNoLess = current.model === card.key && has !== null && share >= has - 1e-9;
  const use = computeUse(compute, strategies[strategy]);
  if (use.kind === 'at-least') return isNoLess ? 'enough' : 'at-least';
  if (use.kind === 'unknown') return isNoLess ? 'enough' : 'no-figures';
  const from = use.wish.of === undefined ? undefined : modelByKey(use.wish.of);
  const demand = computeDemand(use.wish, card, from, sizing.speeds);
  if (use.kind === 'demand') {
    if (demand.kind === 'unknown') return 'no-ratio';
    return isEstimate(demand) ? 'estimate' : 'measured';
  }
  const room = computeRoom(demand, profile, card);
  return isNoLess || (room !== null && wholeReplicas(room) >= 1) ? 'enough' : 'not-known';
}
