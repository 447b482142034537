/** `mica layout check`: do these profiles fit on one GPU together, and where? */
import { MicaError } from '#core/errors';
import { checkLayout } from '#core/geometry/check';
import { asArgument } from '#core/geometry/placement';
import type { AnswerExit, Context } from '../command.js';
import { printJson } from '../terminal/json.js';
import { answerDocuments, drawCard } from './layout-draw.js';
import { layoutQuestion, type LayoutOptions } from './layout-question.js';

export async function layoutCheckCommand(
  { screen, json }: Context,
  [first, others]: readonly [string | undefined, readonly string[]],
  options: LayoutOptions,
): Promise<AnswerExit> {
  const question = await layoutQuestion(first, others, options);
  if (question.kind === 'documents') return answerDocuments(screen, json, question.gpus);
  const { model, asks, taken } = question;
  if (asks.length === 0)
    throw new MicaError('bad-usage', 'no profile is named: give PROFILE or PROFILE:START');
  const answer = checkLayout(model, asks, taken);
  const { green, red } = screen.style;
  if (json) printJson(screen, answer);
  else if (answer.ok) {
    screen.print(`${green('yes')}: ${answer.placements.map(asArgument).join(',')} on one ${model.key}`);
    screen.print(drawCard(screen, model, answer.placements, taken));
  } else screen.print(`${red('no')}: ${answer.why.message}`);
  return answer.ok ? 0 : 1;
}
