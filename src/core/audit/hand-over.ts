/** An audit as documents that `mica plan` takes: the needs that were found, and the GPUs that were seen. */
import { migModels } from '#core/catalogue/catalogue';
import type { PriceTable } from '#core/cost/price-table';
import type { Fleet, Need } from '#core/plan/documents';
import type { Observation } from '../observe/observation.js';
import type { AuditAnswer } from './answer.js';
import { askOf } from './ask.js';
import { DocumentNames } from './document-names.js';
import { settingOf, type AuditOptions } from './options.js';
import { ownedNodes, someNodes } from './owned.js';
import { isStrategy } from './strategies.js';

/** One need a workload that needs a GPU. With a target, what keeps a card of another model is not part of the plan. */
export function needsOf(
  answer: AuditAnswer,
  options: Pick<AuditOptions, 'gpu' | 'speeds'> = {},
): readonly Need[] {
  const { strategy, headroom } = answer;
  if (!isStrategy(strategy)) throw new RangeError(`an answer by an unknown strategy: ${strategy}`);
  const setting = settingOf({ ...options, strategy, headroom, prices: [] });
  const names = new DocumentNames();
  return answer.workloads.flatMap((workload): readonly Need[] => {
    const { namespace, workload: own, current } = workload;
    const ask = askOf(names.take(namespace === undefined ? own : `${namespace}.${own}`), workload, setting);
    if (ask.kind === 'nothing') return [];
    const staysElsewhere =
      ask.kind === 'keeps' && setting.target !== null && current.model !== setting.target.key;
    return staysElsewhere ? [] : [ask.need];
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
  // Nobody sells it: as many as there could be use for.
  const replicas = workloads.reduce((sum, one) => sum + Math.max(1, one.replicas.atOnce), 0);
  return { nodes: [...nodes, ...someNodes(only, Math.max(1, replicas))], rent };
}

/** Machine types with a known price; of a model without one, those that there are. */
function machinesWith(models: readonly string[], prices: PriceTable): Fleet['rent'] {
  const whole = prices.filter(({ model, gpus }) => gpus >= 1 && models.includes(model));
  const priced = whole.filter(({ usdPerHour }) => usdPerHour !== null);
  return (priced.length > 0 ? priced : models.length === 1 ? whole : []).map(({ machineType }) => ({
    machineType,
  }));
}
