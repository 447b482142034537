/** `mica node restore`: ends changes that were interrupted, then makes again what was last applied to each GPU. */
import { asArgument } from '#core/geometry/placement';
import type { ChangeAnswer } from '#engines/change/answer';
import { restoreLayouts } from '#engines/change/restore';
import type { Direction } from '#engines/change/resume';
import type { AnswerExit, Context } from '../../command.js';
import { printJson } from '../../terminal/json.js';
import { printable } from '../../terminal/screen.js';
import { describeChange, exitOf } from './describe-change.js';
import { withNode, type DriverFlags } from './open-node.js';

export interface RestoreFlags extends DriverFlags {
  readonly interrupted?: Direction;
}

export async function restoreCommand(
  { screen, host, json }: Context,
  _positional: readonly never[],
  flags: RestoreFlags,
): Promise<AnswerExit> {
  const answer = await withNode(host, flags, (ports) => restoreLayouts(ports, flags.interrupted));
  const { outcome, resumed, restored, missing, why } = answer;
  if (json) {
    const gpus = [...resumed, restored].flatMap((one) => one.gpus);
    const named = (one: ChangeAnswer): object => ({ change: one.change, outcome: one.outcome });
    printJson(screen, {
      outcome,
      gpus,
      resumed: resumed.map(named),
      restored: named(restored),
      ...(missing.length === 0 ? {} : { missing }),
      ...(why === undefined ? {} : { why }),
    });
    return exitOf(outcome);
  }
  for (const { uuid, index, placements } of missing) {
    screen.note(
      `note: ${uuid} (gpu-${index}) is not there any more; it had ${placements.map(asArgument).join(', ')}`,
    );
  }
  for (const one of resumed) {
    screen.print(`interrupted change, ended: ${describeChange(screen.style, one, false)}`);
  }
  if (why !== undefined) screen.print(`${screen.style.red(outcome)}: ${printable(why.message)}`);
  else if (restored.gpus.length > 0) {
    screen.print(`last applied: ${describeChange(screen.style, restored, false)}`);
  } else if (resumed.length === 0)
    screen.print('nothing was ever applied here, so there is nothing to restore');
  return exitOf(outcome);
}
