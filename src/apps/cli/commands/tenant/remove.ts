/** `mica tenant remove NAME`: with its tokens and its place in the queue; never with what it runs. */
import type { AnswerExit, Context } from '../../command.js';
import { printJson } from '../../terminal/json.js';
import type { DeskFlags } from '../serve/find-server.js';
import { answerNo, withTenancy } from './open-tenancy.js';

export async function tenantRemoveCommand(
  context: Context,
  [name]: readonly [string],
  flags: DeskFlags,
): Promise<AnswerExit> {
  return withTenancy(context.host, flags, async ({ tenancy }) => {
    const answer = await tenancy.remove(name);
    if (!answer.ok) return answerNo(context, answer);
    if (context.json) printJson(context.screen, answer);
    else context.screen.print(`${name} is removed; what it used stays in \`mica usage\``);
    return 0;
  });
}
