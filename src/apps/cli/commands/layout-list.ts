/** `mica layout list`: the layouts of a GPU model to which nothing can be added. */
import type { MigModel } from '#core/catalogue/model';
import type { Layout } from '#core/geometry/placement';
import { layoutOf, spaceOf } from '#core/geometry/space';
import { maximalStates, statesOf } from '#core/geometry/states';
import { migModelNamed, modelAndRest } from '../arguments.js';
import type { AnswerExit, Context } from '../command.js';
import { drawGpus, type DrawnGpu } from '../draw/gpu.js';
import { printJson } from '../terminal/json.js';

export interface LayoutListOptions {
  readonly gpu?: string;
  readonly all?: boolean;
  readonly json?: boolean;
}

export function layoutListCommand(
  { screen, json }: Context,
  [first]: readonly [string | undefined],
  { gpu, all = false }: LayoutListOptions,
): Promise<AnswerExit> {
  const model = migModelNamed(modelAndRest(gpu, first).model);
  const space = spaceOf(model, all ? 'all' : 'plain');
  const states = statesOf(space).length;
  const maximal = maximalStates(space).map((state) => layoutOf(space, state.slots));
  if (json) printJson(screen, { model: model.key, states, maximal });
  else {
    const which = all ? 'with attribute profiles' : 'of plain profiles';
    screen.print(
      `${model.key}: ${states} layouts ${which}, the empty one included; to ${maximal.length} nothing can be added:`,
    );
    screen.print(
      drawGpus(
        maximal.map((layout, index) => drawnAs(index + 1, model, layout)),
        screen.columns,
      ),
    );
  }
  return Promise.resolve(0);
}

function drawnAs(number: number, model: MigModel, layout: Layout): DrawnGpu {
  const slices = layout.map((placement) => ({ placement }));
  return { label: String(number), title: '', card: { kind: 'sliced', model, slices } };
}
