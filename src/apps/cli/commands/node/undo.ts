/** `mica node undo`: the layouts before a change, by another change. */
import { MicaError } from '#core/errors';
import type { ChangeAnswer } from '#engines/change/answer';
import { undoChange } from '#engines/change/history';
import type { AnswerExit, Context } from '../../command.js';
import { printJson } from '../../terminal/json.js';
import { carryThrough } from './carry-through.js';
import { changeOptionsFrom, type ChangeFlags } from './change-flags.js';
import { withNode } from './open-node.js';

export async function undoCommand(
  context: Context,
  [change]: readonly [string | undefined],
  flags: ChangeFlags,
): Promise<AnswerExit> {
  const { screen, json } = context;
  const options = changeOptionsFrom(flags);
  return withNode(context.host, flags, async (ports) => {
    // Named once, so that what was asked about and what is undone are one change.
    const first = await undoChange(ports, change ?? null, { ...options, dryRun: true });
    if (!first.ok) {
      const { kind, message } = first.why;
      if (kind === 'unknown-change') {
        throw new MicaError('bad-usage', message, { next: 'Run `mica node history` to see their names.' });
      }
      if (json) printJson(screen, { outcome: 'refused', change: null, gpus: [], why: first.why });
      else screen.print(`${screen.style.red('no')}: ${message}`);
      return 1;
    }
    return carryThrough(context, flags, async (dryRun): Promise<ChangeAnswer> => {
      const undone = await undoChange(ports, first.undone, { ...options, dryRun });
      if (!undone.ok) throw new MicaError('bad-usage', undone.why.message);
      return undone.answer;
    });
  });
}
