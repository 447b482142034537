/** What `layout check` and `layout draw` are asked: one GPU in words, or every GPU of Layout documents. */
import type { MigModel } from '#core/catalogue/model';
import { MicaError } from '#core/errors';
import { checkLayout, type Ask, type LayoutAnswer } from '#core/geometry/check';
import type { Layout } from '#core/geometry/placement';
import { asksOf, migModelNamed, modelAndRest } from '../arguments.js';

export interface LayoutOptions {
  readonly gpu?: string;
  readonly taken?: string;
  readonly file?: readonly string[];
  readonly json?: boolean;
}

export type LayoutQuestion =
  | {
      readonly kind: 'one-gpu';
      readonly model: MigModel;
      readonly asks: readonly Ask[];
      readonly taken: Layout;
    }
  | { readonly kind: 'documents'; readonly gpus: readonly AskedGpu[] };

export interface AskedGpu {
  readonly node: string;
  readonly index: number;
  readonly model: MigModel;
  readonly answer: LayoutAnswer;
}

export async function layoutQuestion(
  first: string | undefined,
  others: readonly string[],
  { gpu, taken, file = [] }: LayoutOptions,
): Promise<LayoutQuestion> {
  if (file.length > 0) {
    if (first !== undefined || taken !== undefined) {
      throw new MicaError('bad-usage', 'profiles stand either on the command line or in files, not both');
    }
    return { kind: 'documents', gpus: await askedGpus(file, gpu) };
  }
  const { model: name, rest } = modelAndRest(gpu, first, others);
  const model = migModelNamed(name);
  return { kind: 'one-gpu', model, asks: asksOf(rest), taken: takenOn(model, taken) };
}

/** What stands on the card already is a statement, not a question: where it cannot be, the command ends. */
function takenOn(model: MigModel, text: string | undefined): Layout {
  if (text === undefined) return [];
  const asks = asksOf([text]);
  const loose = asks.find(({ start }) => start === undefined);
  if (loose !== undefined) {
    throw new MicaError(
      'bad-usage',
      `--taken ${loose.profile}: say where it starts, as in ${loose.profile}:0`,
    );
  }
  const answer = checkLayout(model, asks);
  if (!answer.ok) throw new MicaError('bad-usage', `--taken cannot be: ${answer.why.message}`);
  return answer.placements;
}

/** Each GPU's model is that of its node in a Fleet document, or `--gpu` for all. */
async function askedGpus(files: readonly string[], gpu: string | undefined): Promise<readonly AskedGpu[]> {
  const [{ readInputs }, { defaultPrices }] = await Promise.all([
    import('../documents/inputs.js'),
    import('#core/cost/default-prices'),
  ]);
  const { fleet, layouts } = await readInputs(files, defaultPrices);
  if (layouts.length === 0) throw new MicaError('bad-document', 'the files hold no Layout document');
  const models = new Map(fleet.nodes.map(({ name, model }) => [name, model]));
  return layouts.map(({ node, index, asks }) => {
    const name = gpu ?? models.get(node);
    if (name === undefined) {
      throw new MicaError('bad-document', `the model of node '${node}' is not stated`, {
        next: 'Give the Fleet document that names the node with another -f, or --gpu for all of them.',
      });
    }
    const model = migModelNamed(name);
    return { node, index, model, answer: checkLayout(model, asks) };
  });
}
