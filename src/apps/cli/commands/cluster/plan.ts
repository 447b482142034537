/** `mica cluster plan`: a cluster in; nodes to cut anew, pods that move, pools to add or drop, and files to apply out. */
import { loadSolver } from '#adapters/highs/solver';
import { untilInterrupted } from '#adapters/system/interruption';
import { findMachineType } from '#core/catalogue/machine-types';
import type { ClusterPlan } from '#core/cluster/planning/answer';
import { planCluster } from '#core/cluster/planning/plan-cluster';
import type { ClusterState } from '#core/cluster/objects';
import { defaultPrices } from '#core/cost/default-prices';
import { MicaError } from '#core/errors';
import type { Fleet, RentOption } from '#core/plan/documents';
import type { Plan } from '#core/plan/plan';
import type { Emission } from '#engines/emit/emission';
import { wholeNumber } from '../../arguments.js';
import type { AnswerExit, Context } from '../../command.js';
import { readInputs } from '../../documents/inputs.js';
import { pricesFileFrom } from '../../settings.js';
import { printJson } from '../../terminal/json.js';
import { printable } from '../../terminal/screen.js';
import { deliver, emissionOf, type EmitFlags } from '../emit-plan.js';
import { clusterFromFile } from './from-file.js';
import { withCluster, type ClusterFlags } from './open-cluster.js';
import { describeClusterPlan } from './plan-describe.js';
import { rightSizesIn } from './plan-right-sizes.js';

export interface PlanClusterFlags extends Omit<ClusterFlags, 'json'>, EmitFlags {
  readonly from?: string;
  readonly audit?: string;
  readonly pool?: readonly string[];
  readonly target?: 'gke' | 'gpu-operator';
  readonly rent?: readonly string[];
  readonly consolidate?: boolean;
  readonly prices?: string;
  readonly all?: boolean;
  readonly json?: boolean;
}

/** Exit 1: some pod has no place, or the target of `--emit` cannot carry the plan. */
export async function planClusterCommand(
  context: Context,
  _positional: readonly never[],
  flags: PlanClusterFlags,
): Promise<AnswerExit> {
  const { screen, host, json } = context;
  const rent = (flags.rent ?? []).map(rentOption);
  const pricesFile = await pricesFileFrom(flags.prices, host.env);
  const { prices } = await readInputs(pricesFile === undefined ? [] : [pricesFile], defaultPrices);
  const audited = flags.audit === undefined ? { sizes: [], unsure: 0 } : await rightSizesIn(flags.audit);
  const unseen: string[] = [];
  const state = await stateFor(context, flags, (note) => unseen.push(note));
  const { solve } = await loadSolver();
  const { pool, target, consolidate = false } = flags;
  const how = { prices, solve, rent, consolidate, pools: pool, target, rightSizes: audited.sizes };
  const answer = planCluster(state, how);
  if (!answer.ok) {
    const next =
      answer.why.kind === 'no-pool' ? 'Name one of the pools, or leave --pool out.' : 'Name another --rent.';
    throw new MicaError('bad-usage', answer.why.message, { next });
  }
  const plan = withNote(answer.plan, audited.unsure);
  const emission = emissionFor(plan, flags);
  for (const note of unseen) screen.note(`note: ${printable(note)}`);
  const said = { ...plan, notes: [...unseen, ...plan.notes] };
  if (json) printJson(screen, emission === undefined ? said : { ...said, emitted: emission });
  else if (emission?.ok !== true || flags.out !== undefined)
    screen.print(describeClusterPlan(screen, plan, flags.all === true));
  if (emission !== undefined) await deliver(context, emission, flags.out);
  return plan.unplaced.length === 0 && emission?.ok !== false ? 0 : 1;
}

function withNote(plan: ClusterPlan, unsure: number): ClusterPlan {
  if (unsure === 0) return plan;
  const note = `of ${unsure} ${unsure === 1 ? 'workload' : 'workloads'} the audit knows too little to be heeded`;
  return { ...plan, notes: [...plan.notes, note] };
}

async function stateFor(
  { host }: Context,
  flags: PlanClusterFlags,
  onNote: (note: string) => void,
): Promise<ClusterState> {
  if (flags.from !== undefined) return clusterFromFile(flags.from);
  const { signal, release } = untilInterrupted();
  try {
    return await withCluster(host, flags, (api) => api.read(signal), onNote);
  } finally {
    release();
  }
}

function rentOption(text: string): RentOption {
  const [machineType = '', most, ...rest] = text.split('=');
  if (rest.length > 0 || findMachineType(machineType) === undefined)
    throw new MicaError('bad-usage', `--rent ${text}: Mica knows no such machine type`, {
      next: 'Name a machine type as the cloud does: g4-standard-48, g7e.2xlarge, g4-standard-48=2.',
    });
  return most === undefined ? { machineType } : { machineType, max: wholeNumber('--rent', most, 1, 100_000) };
}

/** The pods are there: files say how GPUs are cut, not who runs on them. */
function emissionFor(plan: ClusterPlan, flags: PlanClusterFlags): Emission | undefined {
  if (flags.emit === undefined) return undefined;
  const chosen = flags.emit === 'gke' ? plan.machines : (plan.plan ?? plan.machines);
  if (chosen === null) {
    const message =
      flags.emit === 'gke' ? 'the plan makes no node' : 'the plan cuts no node anew, and makes none';
    return {
      ok: false,
      why: { kind: 'nothing-planned', message, instead: 'Look at the plan without --emit.' },
    };
  }
  const bare: Plan = { ...chosen, assignment: [] };
  const inputs = { fleet: fleetOf(chosen), needs: [], layouts: [], prices: [], notes: [] };
  return emissionOf(bare, inputs, flags);
}

/** The nodes that are there already: the others are machines of the plan. */
function fleetOf({ layouts, machines }: Plan): Fleet {
  const gpus = new Map<string, { model: string; gpus: number }>();
  for (const { node, model } of layouts) {
    const known = gpus.get(node);
    if (known === undefined) gpus.set(node, { model, gpus: 1 });
    else known.gpus += 1;
  }
  const nodes = machines.length > 0 ? [] : [...gpus].map(([name, rest]) => ({ name, ...rest }));
  return { nodes, rent: [] };
}
