/** `mica pack`: many slices on the fewest GPUs of one model, with the proof that fewer cannot do. */
import { findProfile, type ProfileRefusal } from '#core/catalogue/find-profile';
import type { MigModel } from '#core/catalogue/model';
import { MicaError } from '#core/errors';
import type { Demand } from '#core/packing/demand';
import { pack } from '#core/packing/pack';
import type { PackOptions, Packing } from '#core/packing/packing';
import { migModelNamed, modelAndRest, wholeNumber } from '../arguments.js';
import type { AnswerExit, Context } from '../command.js';
import { drawGpus, type DrawnGpu } from '../draw/gpu.js';
import { shortName } from '#core/catalogue/short-name';
import { printJson } from '../terminal/json.js';
import type { Screen } from '../terminal/screen.js';
import { describeProof } from './describe-proof.js';

export interface PackCommandOptions {
  readonly gpu?: string;
  readonly gpus?: string;
  readonly json?: boolean;
}

/** Exit 1: something has no place. */
export async function packCommand(
  { screen, json }: Context,
  [first, others]: readonly [string | undefined, readonly string[]],
  { gpu, gpus }: PackCommandOptions,
): Promise<AnswerExit> {
  const { model: name, rest } = modelAndRest(gpu, first, others);
  const model = migModelNamed(name);
  const wanted = demandOf(model, rest);
  if (!wanted.ok) {
    if (json) printJson(screen, wanted);
    else screen.print(`${screen.style.red('no')}: ${wanted.why.message}`);
    return 1;
  }
  const options = gpus === undefined ? {} : { gpus: wholeNumber('--gpus', gpus, 0, 10_000_000) };
  const packing = await packWith(model, wanted.demand, options);
  if (json) printJson(screen, packing);
  else screen.print(describe(screen, model, packing));
  return Object.keys(packing.unplaced).length === 0 ? 0 : 1;
}

type DemandAnswer =
  { readonly ok: true; readonly demand: Demand } | { readonly ok: false; readonly why: ProfileRefusal };

function demandOf(model: MigModel, texts: readonly string[]): DemandAnswer {
  if (texts.length === 0)
    throw new MicaError('bad-usage', 'nothing to pack: give PROFILE=COUNT, e.g. 1g.10gb=7');
  const demand: Record<string, number> = {};
  for (const text of texts.flatMap((one) => one.split(','))) {
    const [, name, count] = /^([^=:\s]+)=(.*)$/.exec(text.trim()) ?? [];
    if (name === undefined || count === undefined) {
      throw new MicaError('bad-usage', `'${text}' is not PROFILE=COUNT, e.g. 1g.10gb=7`);
    }
    const found = findProfile(model, name);
    if (!found.ok) return found;
    const profile = found.profile.name;
    demand[profile] = (demand[profile] ?? 0) + wholeNumber(`the count of ${name}`, count, 0, 10_000_000);
  }
  return { ok: true, demand };
}

/** The solver takes a third of a second to load, and most questions have a closed form. */
async function packWith(model: MigModel, demand: Demand, options: PackOptions): Promise<Packing> {
  try {
    return pack(model, demand, options);
  } catch (error) {
    if (!(error instanceof MicaError && error.code === 'needs-solver')) throw error;
    const { loadSolver } = await import('#adapters/highs/solver');
    const { solve } = await loadSolver();
    return pack(model, demand, { ...options, solve });
  }
}

function describe(screen: Screen, model: MigModel, packing: Packing): string {
  const { gpus, layouts, unplaced, proof } = packing;
  const rows = layouts.map(({ count, placements }): DrawnGpu => {
    const slices = placements.map((placement) => ({ placement }));
    return { label: `${count} x`, title: shortName(model), card: { kind: 'sliced', model, slices } };
  });
  const left = Object.entries(unplaced).map(([profile, count]) => `${count} x ${profile}`);
  return [
    `${screen.style.bold(`${gpus} x ${model.key}`)}${claimOf(packing, left.length === 0)}`,
    ...(rows.length === 0 ? [] : [drawGpus(rows, screen.columns)]),
    ...(left.length === 0 ? [] : [`${screen.style.red('no place')} for ${left.join(', ')}`]),
    describeProof(proof),
  ].join('\n');
}

function claimOf({ lowerBound, optimal }: Packing, isWhole: boolean): string {
  if (!isWhole) return `; all of it needs at least ${lowerBound}`;
  return optimal ? ', and fewer cannot do' : `; at least ${lowerBound} are needed`;
}
