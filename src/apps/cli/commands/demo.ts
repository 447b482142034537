/** `mica demo`: the main job on real input, from a production trace to files that a cluster can apply. */
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { modelByKey } from '#core/catalogue/catalogue';
import { defaultPrices } from '#core/cost/default-prices';
import type { Plan } from '#core/plan/plan';
import { emit, type EmitTarget } from '#engines/emit/emit';
import { writeFiles } from '#adapters/files/write-files';
import type { AnswerExit, Context } from '../command.js';
import { describeComparison, describeWhy } from '../demo/describe-demo.js';
import type { DemoResult } from '../demo/demo-result.js';
import { inferenceFile, rentedFleetFile, scenarios, type Scenario } from '../demo/scenarios.js';
import { readInputs, type Inputs } from '../documents/inputs.js';
import { drawLayouts } from '../draw/plan.js';
import { printJson } from '../terminal/json.js';
import { describePlan } from './describe-plan.js';
import { planFor } from './plan.js';

export interface DemoOptions {
  readonly out?: string;
  readonly json?: boolean;
}

export async function demoCommand(
  { screen, json }: Context,
  _positional: readonly never[],
  { out }: DemoOptions,
): Promise<AnswerExit> {
  const results: DemoResult[] = [];
  for (const [index, scenario] of scenarios.entries()) {
    screen.note(`[${index + 1}/${scenarios.length + 1}] planning ${scenario.title} on ${scenario.cards}`);
    results.push(await runScenario(scenario));
  }
  screen.note(`[${scenarios.length + 1}/${scenarios.length + 1}] planning a small inference team`);
  const team = await readInputs([inferenceFile], defaultPrices);
  const plan = await planFor(team, {});
  const folder = out ?? (await mkdtemp(join(tmpdir(), 'mica-demo-')));
  const emitted = await emitAll(team, plan, folder);
  if (json) {
    const summaries = results.map(
      ({ scenario, plan: { layouts: _, assignment: __, steps: ___, ...summary }, ms }) => {
        return { title: scenario.title, cards: scenario.cards, ms: Math.round(ms), ...summary };
      },
    );
    printJson(screen, { scenarios: summaries, team: plan, emitted });
    return 0;
  }
  const [first] = results;
  screen.print(describeComparison(screen, results));
  if (first !== undefined) {
    screen.print(`\n${describeWhy(first, results)}`);
    const cut = { ...first.plan, layouts: first.plan.layouts.filter(({ mig }) => mig) };
    const { text, gpusLeft, layoutsLeft } = drawLayouts(cut, screen.columns, 4);
    const left = gpusLeft === 0 ? '' : `\nand ${gpusLeft} GPUs in ${layoutsLeft} other layouts`;
    screen.print(
      `\nWhat the cut cards become (${first.scenario.title}, ${first.scenario.cards}):\n${text}${left}`,
    );
  }
  screen.print(
    `\n${screen.style.bold('A small inference team: nine services, two machines of its own, more to rent')}`,
  );
  screen.print(describePlan(screen, plan, team, true));
  screen.print(`\nFiles that apply this plan, in ${folder}:`);
  screen.print(emitted.map(({ target, what }) => `  ${target.padEnd(13)} ${what}`).join('\n'));
  screen.print(
    '\nNext: state your own GPUs and workloads, and run mica plan -f fleet.yaml -f needs.yaml (mica plan --help)',
  );
  return 0;
}

async function runScenario(scenario: Scenario): Promise<DemoResult> {
  const inputs = await readInputs(scenario.files, defaultPrices);
  const needs = inputs.needs.filter(scenario.takes);
  const started = performance.now();
  const plan = await planFor({ ...inputs, needs }, {});
  return { scenario, inputs: { ...inputs, needs }, plan, ms: performance.now() - started };
}

interface Emitted {
  readonly target: EmitTarget;
  readonly ok: boolean;
  readonly files: readonly string[];
  /** The files, or why there are none. */
  readonly what: string;
}

/**
 * The team's plan where it is cut by hand or by claim. Tools that clear a GPU before they cut it get the same needs on
 * rented machines, a slice for each replica (they share all slices of a node or none); GKE with one size a machine.
 */
async function emitAll(team: Inputs, plan: Plan, folder: string): Promise<readonly Emitted[]> {
  const { fleet: rentedFleet } = await readInputs([rentedFleetFile], defaultPrices);
  const alone = team.needs.map((need) => ({ ...need, isolation: 'hardware' as const }));
  const rented = { ...team, fleet: rentedFleet, needs: alone };
  const rentedPlan = await planFor(rented, {});
  const questions = [
    { target: 'vm', inputs: team, plan },
    { target: 'dra', inputs: team, plan },
    { target: 'mig-parted', inputs: rented, plan: rentedPlan },
    { target: 'gpu-operator', inputs: rented, plan: rentedPlan },
    { target: 'gke', inputs: rented, plan: await planFor(rented, { uniform: true }) },
  ] as const;
  const emitted: Emitted[] = [];
  for (const { target, inputs, plan: planned } of questions) {
    const { fleet, needs } = inputs;
    const emission = emit(target, planned, {
      modelOf: modelByKey,
      fleet,
      needs,
      gke: { attributeSpelling: '.' },
    });
    if (!emission.ok) {
      emitted.push({ target, ok: false, files: [], what: `not possible: ${emission.why.message}` });
      continue;
    }
    await writeFiles(join(folder, target), emission.files);
    const files = emission.files.map(({ path }) => path);
    const shown = files.length > 3 ? [...files.slice(0, 3), `and ${files.length - 3} more`] : files;
    emitted.push({ target, ok: true, files, what: shown.join(', ') });
  }
  return emitted;
}
