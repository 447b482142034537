/** What each workload asks of the plan: to move to the slice that it needs, to keep what it has, or nothing. */
import type { Need } from '#core/plan/documents';
import type { AuditedWorkload } from './answer.js';
import { converts, withoutCompute } from './choose.js';
import { cardOf } from './device.js';
import type { AuditSetting } from './options.js';
import { keptNeed, measuredNeed, needOn, sharedNeed, type Measured } from './workload-need.js';

export type Ask =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'keeps'; readonly need: Need }
  | { readonly kind: 'moves'; readonly need: Need };

/** `name`: what the need is called. */
export function askOf(
  name: string,
  workload: Measured & Pick<AuditedWorkload, 'verdict'>,
  setting: Pick<AuditSetting, 'strategy' | 'sizing' | 'target'>,
): Ask {
  const { verdict, devicesEach } = workload;
  switch (verdict) {
    case 'no-gpu':
      return { kind: 'nothing' };
    case 'unknown':
      return { kind: 'keeps', need: keptNeed(name, workload, setting) };
    case 'whole-gpu':
      if (devicesEach > 1) return { kind: 'keeps', need: keptNeed(name, workload, setting) };
      return { kind: 'moves', need: onItsCard(measuredNeed(name, workload, setting), workload, setting) };
    case 'share':
      return { kind: 'moves', need: onItsCard(sharedNeed(name, workload, setting), workload, setting) };
    case 'slice':
      return { kind: 'moves', need: onItsCard(measuredNeed(name, workload, setting), workload, setting) };
  }
}

function onItsCard(
  need: Need,
  workload: Measured,
  setting: Pick<AuditSetting, 'strategy' | 'sizing' | 'target'>,
): Need {
  const { target, sizing } = setting;
  const card = target ?? cardOf(workload.current);
  if (card === undefined) return need;
  const convertible = converts(need, card, sizing) ? need : withoutCompute(need);
  return needOn(card, convertible, workload, setting);
}
