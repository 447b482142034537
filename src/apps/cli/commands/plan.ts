/** `mica plan`: Fleet and Needs in; slices, cost, proof and files to apply out. */
import { defaultPrices } from '#core/cost/default-prices';
import { MicaError } from '#core/errors';
import { makePlan, type PlanQuestion } from '#core/plan/make-plan';
import type { Plan } from '#core/plan/plan';
import { loadSolver } from '#adapters/highs/solver';
import type { AnswerExit, Context } from '../command.js';
import { readInputs, type Inputs } from '../documents/inputs.js';
import { pricesFileFrom, sizingFrom, type SizingFlags } from '../settings.js';
import { printJson } from '../terminal/json.js';
import { describePlan } from './describe-plan.js';
import { deliver, emissionOf, type EmitFlags } from './emit-plan.js';

export interface PlanOptions extends SizingFlags, EmitFlags {
  readonly file: readonly string[];
  readonly prices?: string;
  readonly uniform?: boolean;
  readonly all?: boolean;
  readonly json?: boolean;
}

/** Exit 1: something has no place, or the target of `--emit` cannot carry the plan. */
export async function planCommand(
  context: Context,
  _positional: readonly never[],
  options: PlanOptions,
): Promise<AnswerExit> {
  const { screen, host, json } = context;
  const pricesFile = await pricesFileFrom(options.prices, host.env);
  const inputs = await readInputs(
    [...options.file, ...(pricesFile === undefined ? [] : [pricesFile])],
    defaultPrices,
  );
  const plan = await planFor(inputs, {
    sizing: await sizingFrom(options, host.env),
    uniform: options.uniform === true || wantsOneSize(options),
  });
  const emission = emissionOf(plan, inputs, options);
  const printsFiles = emission?.ok === true && options.out === undefined;
  if (json) printJson(screen, emission === undefined ? plan : { ...plan, emitted: emission });
  else if (!printsFiles) screen.print(describePlan(screen, plan, inputs, options.all));
  if (emission !== undefined) await deliver(context, emission, options.out);
  return plan.unplaced.length === 0 && emission?.ok !== false ? 0 : 1;
}

/** Throws MicaError where the documents leave the question open. */
export async function planFor(
  { fleet, needs, prices, notes }: Inputs,
  how: Pick<PlanQuestion, 'sizing' | 'uniform'>,
): Promise<Plan> {
  if (fleet.nodes.length === 0 && fleet.rent.length === 0) {
    throw new MicaError(
      'bad-document',
      'the files state no GPUs: no node that is owned, nothing that may be rented',
      {
        next: 'Add a Fleet document with another -f; docs/reference/documents.md shows one.',
      },
    );
  }
  if (needs.length === 0) {
    throw new MicaError('bad-document', 'the files state no needs', {
      next: 'Add a Needs document with another -f; docs/reference/documents.md shows one.',
    });
  }
  const { solve } = await loadSolver();
  const answer = makePlan({ fleet, needs, prices, solve, notes, ...how });
  if (!answer.ok) throw new MicaError('bad-document', answer.why.message);
  return answer.plan;
}

/** Targets that give all GPUs of a machine slices of one size. */
export function wantsOneSize({ emit, strategy }: EmitFlags): boolean {
  return emit === 'gke' || emit === 'bottlerocket' || (emit === 'gpu-operator' && strategy === 'single');
}
