/** The common way of all commands that change this machine: rehearse, ask where something would go, do, tell. */
import { MicaError } from '#core/errors';
import type { ChangeAnswer } from '#engines/change/answer';
import type { AnswerExit, Context } from '../../command.js';
import { printJson } from '../../terminal/json.js';
import type { ChangeFlags } from './change-flags.js';
import { describeChange, exitOf } from './describe-change.js';

/** `change` makes the change, or rehearses it. */
export async function carryThrough(
  context: Context,
  flags: ChangeFlags,
  change: (dryRun: boolean) => Promise<ChangeAnswer>,
): Promise<AnswerExit> {
  const dryRun = flags.dryRun === true;
  if (!dryRun && flags.yes !== true && !(await isAllowed(context, await change(true)))) {
    context.screen.note('nothing was touched');
    return 1;
  }
  return tellChange(context, await change(dryRun), dryRun);
}

function tellChange({ screen, json }: Context, answer: ChangeAnswer, dryRun = false): AnswerExit {
  if (json) printJson(screen, answer);
  else screen.print(describeChange(screen.style, answer, dryRun));
  return exitOf(answer.outcome);
}

/** Making slices takes nothing from anybody; destroying them and ending processes does. */
async function isAllowed({ screen, host }: Context, rehearsal: ChangeAnswer): Promise<boolean> {
  const losing = rehearsal.gpus.filter(
    ({ steps = [], drains = [] }) =>
      drains.length > 0 || steps.some(({ kind }) => kind === 'destroy-instance'),
  );
  if (losing.length === 0) return true;
  const description = describeChange(plain, { ...rehearsal, gpus: losing }, true);
  if (host.confirm === undefined) {
    throw new MicaError('needs-yes', `this takes slices or processes away\n${description}`);
  }
  screen.note(description);
  return host.confirm('Go on? [y/N] ');
}

/** What goes to standard error is cleared of everything that a terminal would take as a command. */
const asItIs = (text: unknown): string => String(text);
const plain = { bold: asItIs, green: asItIs, red: asItIs };
