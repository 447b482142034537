/** `mica audit --plan`: the needs that were found, planned as `mica plan` plans them. */
import { needsOf, fleetOf } from '#core/audit/hand-over';
import type { AuditOptions } from '#core/audit/audit-observation';
import type { Audited } from '#engines/audit/audit';
import type { AnswerExit, Context } from '../../command.js';
import { printJson } from '../../terminal/json.js';
import { describePlan } from '../describe-plan.js';
import { deliver, emissionOf } from '../emit-plan.js';
import { planFor, wantsOneSize } from '../plan.js';
import { emitFlagsOf, type AuditFlags } from './flags.js';

/** Exit 1: something has no place, or the target of `--emit` cannot carry the plan. */
export async function planAudited(
  context: Context,
  { observation, answer }: Audited,
  options: AuditOptions,
  flags: AuditFlags,
): Promise<AnswerExit> {
  const { screen, json } = context;
  const emitFlags = emitFlagsOf(flags);
  const asked = json || flags.format === 'json';
  const { headroom, speeds, prices } = options;
  const inputs = {
    fleet: fleetOf(observation, options),
    needs: needsOf(observation, options),
    layouts: [],
    prices,
    notes: answer.notes,
  };
  const plan = await planFor(inputs, {
    sizing: {
      ...(headroom === undefined ? {} : { headroom }),
      ...(speeds === undefined ? {} : { speeds }),
    },
    uniform: wantsOneSize(emitFlags),
  });
  const emission = emissionOf(plan, inputs, emitFlags);
  const printsFiles = emission?.ok === true && flags.out === undefined;
  if (asked) printJson(screen, emission === undefined ? plan : { ...plan, emitted: emission });
  else if (!printsFiles) screen.print(describePlan(screen, plan, inputs, flags.verbose));
  if (emission !== undefined) await deliver({ ...context, json: asked }, emission, flags.out);
  return plan.unplaced.length === 0 && emission?.ok !== false ? 0 : 1;
}
