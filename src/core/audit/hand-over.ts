/** An audit as documents that `mica plan` takes: the needs that were found, and the GPUs that were seen. */
import { migModels } from '#core/catalogue/catalogue';
import type { PriceTable } from '#core/cost/price-table';
import type { Fleet, Need } from '#core/plan/documents';
import type { Observation } from '../observe/observation.js';
import { DocumentNames } from './document-names.js';
import type { AuditOptions } from './options.js';
import { ownedNodes, someNodes } from './owned.js';
import { surveyOf } from './survey.js';

/**
 * One need a workload that needs a GPU, as the totals of the audit count them: those of the busiest moment, and of
 * time-sliced pods the cards that they share. What keeps a card of a model that is not known, or with a target one of
 * another model, is not part of the plan.
 */
export function needsOf(observation: Observation, options: AuditOptions): readonly Need[] {
  const { demands, setting, stock } = surveyOf(observation, options);
  const { target } = setting;
  const kept = demands.own.filter(({ from: { judged } }) => {
    const { model } = judged.current;
    return target === null || model === target.key || (model === null && stock.assumed);
  });
  const names = new DocumentNames();
  return [...kept, ...demands.target].map(({ need, from, isTurns }) => {
    const { namespace, workload } = from.judged;
    const name = isTurns ? 'time-sliced' : namespace === undefined ? workload : `${namespace}.${workload}`;
    return { ...need, name: names.take(name) };
  });
}

/** The GPUs that were seen. With a target, those of its model, and more of them to rent; where none were seen, any. */
export function fleetOf(
  { gpus, workloads }: Observation,
  { gpu, measuredOn, prices }: Pick<AuditOptions, 'gpu' | 'measuredOn' | 'prices'>,
): Fleet {
  const seen = ownedNodes(gpus);
  if (gpu === undefined && seen.length > 0) return { nodes: seen, rent: [] };
  const only = gpu?.key ?? (gpus.length === 0 ? measuredOn?.model : undefined);
  const nodes = seen.filter(({ model }) => model === only);
  const rent = machinesWith(only === undefined ? migModels().map(({ key }) => key) : [only], prices);
  if (rent.length > 0 || only === undefined) return { nodes, rent };
  // Nobody sells it: as many as there could be use for, and a machine for each that wants several.
  const most = workloads.reduce((sum, { replicas, devicesAtOnce }) => {
    const each =
      devicesAtOnce.gpus > 1 ? Math.ceil(devicesAtOnce.gpus / 8) * 8 : Math.max(1, devicesAtOnce.slices);
    return sum + Math.max(1, replicas.atOnce) * each;
  }, 0);
  return { nodes: [...nodes, ...someNodes(only, Math.max(1, most))], rent };
}

/** Machine types with a known price; of a model without one, those that there are. */
function machinesWith(models: readonly string[], prices: PriceTable): Fleet['rent'] {
  const whole = prices.filter(({ model, gpus }) => gpus >= 1 && models.includes(model));
  const priced = whole.filter(({ usdPerHour }) => usdPerHour !== null);
  return (priced.length > 0 ? priced : models.length === 1 ? whole : []).map(({ machineType }) => ({
    machineType,
  }));
}
