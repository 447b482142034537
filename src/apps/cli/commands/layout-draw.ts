/** `mica layout draw`: one card, or every GPU of Layout documents, as boxes. */
import type { MigModel } from '#core/catalogue/model';
import { checkLayout } from '#core/geometry/check';
import type { Layout } from '#core/geometry/placement';
import type { AnswerExit, Context } from '../command.js';
import { drawGpus, drawGpuWithUnits, type DrawnGpu } from '../draw/gpu.js';
import { shortName } from '#core/catalogue/short-name';
import { printJson } from '../terminal/json.js';
import type { Screen } from '../terminal/screen.js';
import { layoutQuestion, type AskedGpu, type LayoutOptions } from './layout-question.js';

export async function layoutDrawCommand(
  { screen, json }: Context,
  [first, others]: readonly [string | undefined, readonly string[]],
  options: LayoutOptions,
): Promise<AnswerExit> {
  const question = await layoutQuestion(first, others, options);
  if (question.kind === 'documents') return answerDocuments(screen, json, question.gpus);
  const { model, asks, taken } = question;
  const answer = checkLayout(model, asks, taken);
  if (json) printJson(screen, answer);
  else if (answer.ok) screen.print(drawCard(screen, model, answer.placements, taken));
  else screen.print(`${screen.style.red('no')}: ${answer.why.message}`);
  return answer.ok ? 0 : 1;
}

/** One card with its unit numbers; slices that were there before are marked. */
export function drawCard(screen: Screen, model: MigModel, placements: Layout, taken: Layout): string {
  const slices = [
    ...placements.map((placement) => ({ placement })),
    ...taken.map((placement) => ({ placement, user: 'taken' })),
  ];
  const gpu: DrawnGpu = { label: '', title: shortName(model), card: { kind: 'sliced', model, slices } };
  return drawGpuWithUnits(gpu, model, screen.columns);
}

/** All GPUs that can be, drawn under one another; each that cannot with its reason. Exit 1: some cannot. */
export function answerDocuments(screen: Screen, json: boolean, gpus: readonly AskedGpu[]): AnswerExit {
  const ok = gpus.every(({ answer }) => answer.ok);
  if (json) {
    const answers = gpus.map(({ node, index, model, answer }) => ({
      node,
      index,
      model: model.key,
      ...answer,
    }));
    printJson(screen, { ok, gpus: answers });
    return ok ? 0 : 1;
  }
  const drawn = gpus.flatMap(({ node, index, model, answer }): readonly DrawnGpu[] => {
    if (!answer.ok) return [];
    const slices = answer.placements.map((placement) => ({ placement }));
    return [{ label: `${node}/${index}`, title: shortName(model), card: { kind: 'sliced', model, slices } }];
  });
  if (drawn.length > 0) screen.print(drawGpus(drawn, screen.columns));
  for (const { node, index, answer } of gpus) {
    if (!answer.ok) screen.print(`${screen.style.red('no')}: ${node}/${index}: ${answer.why.message}`);
  }
  return ok ? 0 : 1;
}
