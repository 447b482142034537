/** Emits a plan for the NVIDIA GPU Operator, on EKS or any Kubernetes: configurations, labels, values, workloads. */
import { refuseToClear } from '../busy-slices.js';
import { deploymentsOf, type PodPlace } from '../deployments.js';
import { refuse, type EmitOptions, type EmittedFile, type Emitter, type Refused } from '../emission.js';
import { isNodeName, modelLabel } from '../kubernetes-names.js';
import { configNames, migConfigsOf, migPartedFile, type MigConfig } from '../mig-parted/config.js';
import { oneSizeOf, unplannedIndexes } from '../one-size.js';
import { migModelOf, nodesOf, sharersOf, type PlanNode, type Sharers } from '../plan-nodes.js';
import { sharingNotes, workloadsOf, type Workload } from '../workloads.js';
import { yamlFile, yamlText } from '../yaml-text.js';
import { configLabel, labelFiles, labelsOf, stateLabel } from './node-labels.js';
import { readme } from './readme.js';
import { pluginConfig, resourceName, sharingName, sharingOf, type NodeSharing } from './sharing.js';

const migConfigName = 'mica-mig-config';
const pluginConfigName = 'mica-device-plugin-config';

export const emitGpuOperator: Emitter = (plan, options) => {
  const strategy = options.gpuOperator?.strategy ?? 'mixed';
  const operatorNamespace = options.gpuOperator?.operatorNamespace ?? 'gpu-operator';
  const found = nodesOf(plan, options);
  if (!found.ok) return found;
  const clearing = refuseToClear(plan, 'mig-manager');
  if (clearing !== undefined) return clearing;
  const workloads = workloadsOf(plan, options);
  if (!workloads.ok) return workloads;
  const sharers = sharersOf(plan);
  const nodes: PlanNode[] = [];
  const sharings: NodeSharing[] = [];
  for (const node of found.nodes) {
    const fit = fitNode(node, strategy, sharers, options);
    if (!fit.ok) return fit;
    const sharing = sharingOf(node, sharers);
    if (!sharing.ok) return sharing;
    nodes.push(fit.node);
    sharings.push(sharing.sharing);
  }
  const shared = sharings.some((sharing) => Object.keys(sharing).length > 0);
  const cloud = nodes.some((node) => node.machineType !== null);
  const configs = migConfigsOf(nodes, options);
  const configOf = configNames(configs);
  const labels = nodes.map((node, index) =>
    labelsOf(node, configOf.get(node.name), sharings[index] ?? {}, shared, options),
  );
  const placeOf = placesWith(strategy, configOf, options);
  const placed = workloads.workloads.map((workload) => ({ workload, place: placeOf(workload) }));
  const manifests = deploymentsOf(placed, options);
  const plugin = shared ? [pluginFile(sharings, strategy, operatorNamespace)] : [];
  const files: readonly EmittedFile[] = [
    { path: 'README.md', content: readme({ nodes: labels, strategy, operatorNamespace, shared, cloud }) },
    migConfigFile(configs, operatorNamespace),
    ...plugin,
    { path: 'helm-values.yaml', content: yamlText(helmValues(strategy, shared, cloud)) },
    ...labelFiles(labels),
    ...(manifests.length === 0 ? [] : [{ path: 'workloads.yaml', content: yamlFile(manifests) }]),
  ];
  return {
    ok: true,
    files,
    notes: [...notesOn(found.nodes, nodes, cloud), ...sharingNotes(workloads.workloads)],
  };
};

/** The node as the strategy can have it. `single` wants every GPU cut to the one size, also those not planned. */
function fitNode(
  node: PlanNode,
  strategy: 'mixed' | 'single',
  sharers: Sharers,
  options: EmitOptions,
): { readonly ok: true; readonly node: PlanNode } | Refused {
  if (node.machineType === null && !isNodeName(node.name)) {
    const message = `${JSON.stringify(node.name)} cannot be the name of a Kubernetes node`;
    return refuse('node-name', message, 'Name the nodes of the fleet as `kubectl get nodes` does.');
  }
  if (strategy === 'mixed') return { ok: true, node };
  const found = oneSizeOf(
    node,
    sharers,
    'the single strategy',
    'Use the strategy mixed, or plan with one size per node.',
  );
  if (!found.ok) return found;
  const model = node.gpus[0]?.model ?? '';
  const size = found.size.slice?.profile;
  const profile = migModelOf(model, options)?.profiles.find((one) => one.name === size);
  const full = (profile?.starts ?? [])
    .slice(0, profile?.maxCount)
    .map((start) => ({ profile: profile?.name ?? '', start, size: profile?.sizeUnits ?? 0 }));
  const unplanned = unplannedIndexes(node);
  const owned = options.fleet?.nodes.find(({ name }) => name === node.name);
  const inUse = owned?.layouts?.find(({ index, slices }) => unplanned.includes(index) && slices.length > 0);
  if (inUse !== undefined) {
    const message = `GPU ${inUse.index} of node ${node.name} has slices that the plan leaves as they are, and the single strategy cuts every GPU of a node anew`;
    return refuse('busy-slices', message, 'Use the strategy mixed.');
  }
  const rest = unplanned.map((index) => {
    return { node: node.name, index, model, mig: full.length > 0, placements: full };
  });
  return { ok: true, node: { ...node, gpus: [...node.gpus, ...rest].sort((a, b) => a.index - b.index) } };
}

function migConfigFile(configs: readonly MigConfig[], namespace: string): EmittedFile {
  const comment = configs.map((config) => `${config.name}: ${config.nodes.join(', ')}`);
  const data = { 'config.yaml': yamlText(migPartedFile(configs)) };
  return {
    path: 'mig-config.yaml',
    content: yamlFile([{ comment, value: configMap(migConfigName, namespace, data) }]),
  };
}

/** A configuration per sharing; `default` is for the nodes that share nothing. */
function pluginFile(
  sharings: readonly NodeSharing[],
  strategy: 'mixed' | 'single',
  namespace: string,
): EmittedFile {
  const distinct = [{}, ...sharings].map(
    (sharing) => [sharingName(sharing), yamlText(pluginConfig(sharing, strategy))] as const,
  );
  const value = configMap(pluginConfigName, namespace, Object.fromEntries(distinct));
  return { path: 'device-plugin-config.yaml', content: yamlFile([{ value }]) };
}

function configMap(name: string, namespace: string, data: Readonly<Record<string, string>>): object {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace }, data };
}

function helmValues(strategy: 'mixed' | 'single', shared: boolean, cloud: boolean): object {
  const env = [{ name: 'WITH_REBOOT', value: 'true' }];
  return {
    mig: { strategy },
    migManager: { config: { name: migConfigName, default: 'all-disabled' }, ...(cloud && { env }) },
    ...(shared && { devicePlugin: { config: { name: pluginConfigName, default: 'default' } } }),
  };
}

/** A pod goes to a node with its card; where the resource is `nvidia.com/gpu`, only to one that is cut as planned. */
function placesWith(
  strategy: 'mixed' | 'single',
  configOf: ReadonlyMap<string, string>,
  options: EmitOptions,
): (workload: Workload) => PodPlace {
  return ({ model, ask, nodes }) => {
    const nodeSelector = { [modelLabel]: model };
    const limits =
      ask.kind === 'whole'
        ? { 'nvidia.com/gpu': ask.gpus }
        : { [resourceName(ask.profile, strategy, ask.shared)]: 1 };
    if (migModelOf(model, options) === undefined) return { limits, nodeSelector };
    const names = [...new Set(nodes.flatMap((node) => configOf.get(node) ?? []))];
    const done = { key: stateLabel, operator: 'In', values: ['success'] } as const;
    const cut = { key: configLabel, operator: 'In', values: names } as const;
    if (strategy === 'single') return { limits, nodeSelector, nodeTerms: [cut, done] };
    return { limits, nodeSelector, nodeTerms: ask.kind === 'whole' ? [done] : [] };
  };
}

function notesOn(
  planned: readonly PlanNode[],
  fitted: readonly PlanNode[],
  cloud: boolean,
): readonly string[] {
  const filled = fitted.filter((node, index) => node.gpus.length > (planned[index]?.gpus.length ?? 0));
  return [
    'README.md says in which order to apply this. A node must be cordoned and free of GPU pods before its label changes.',
    ...(cloud
      ? [
          'Rented nodes have their names in the cluster only when they are there: give label-nodes.sh PLAN-NODE=CLUSTER-NODE, and replace the names in label-nodes.json.',
        ]
      : []),
    ...filled.map(
      (node) => `Node ${node.name}: GPUs that the plan leaves out are cut like the others, as single wants.`,
    ),
  ];
}
