/** Emits GKE node pools, one per machine type and slice size, and the Deployments that find their slices there. */
import { machineTypes } from '#core/catalogue/machine-types';
import { deploymentsOf, type NodeTerm, type PodPlace } from '../deployments.js';
import { refuse, type EmittedFile, type Emitter } from '../emission.js';
import { dotted } from '../kubernetes-names.js';
import { nodesOf, sharersOf, type PlanNode } from '../plan-nodes.js';
import { oneLine, shellLine, shellQuote } from '../shell-text.js';
import { sharingNotes, workloadsOf, type Workload } from '../workloads.js';
import { yamlFile } from '../yaml-text.js';
import { createRequest, gkePlace, isRegion, type GkePlace, type NodePool } from './node-pool.js';
import { poolsOf } from './pools.js';

export const emitGke: Emitter = (plan, options) => {
  const place = gkePlace(options.gke);
  if (isRegion(place.location) && place.nodeZone === null) {
    const message = `${place.location} is a region: GKE would make the planned nodes once in each of its zones`;
    return refuse('zone-needed', message, 'Say the zone of the GPU nodes with the option nodeZone.');
  }
  const nodes = nodesOf(plan, options);
  if (!nodes.ok) return nodes;
  const found = poolsOf(nodes.nodes, sharersOf(plan), options);
  if (!found.ok) return found;
  const workloads = workloadsOf(plan, options);
  if (!workloads.ok) return workloads;
  const notes = [
    ...found.notes,
    ...sharingNotes(workloads.workloads),
    ...(place.placeholders.length === 0
      ? []
      : [`Placeholders to replace before use: ${place.placeholders.join(', ')}.`]),
    'To change a size later, make a new pool, drain the old one, delete it: GKE cuts a GPU when its node boots.',
  ];
  const anyShared = found.pools.some((pool) => pool.sharers > 1);
  const placeOf = placesIn(nodes.nodes, anyShared);
  const placed = workloads.workloads.map((workload) => ({ workload, place: placeOf(workload) }));
  const manifests = deploymentsOf(placed, options);
  const files: readonly EmittedFile[] = [
    ...poolFiles(found.pools, place),
    ...(manifests.length === 0 ? [] : [{ path: 'workloads.yaml', content: yamlFile(manifests) }]),
  ];
  return { ok: true, files, notes };
};

function poolFiles(pools: readonly NodePool[], place: GkePlace): readonly EmittedFile[] {
  const requests = pools.map((pool) => createRequest(pool, place));
  const commands = requests.map(({ command }) => command ?? []);
  const script = [
    '#!/usr/bin/env bash',
    '# Makes the node pools of a Mica plan, one per machine type and slice size. The same commands as argument arrays',
    '# are in node-pools.json, the same requests for the REST API in node-pools/.',
    'set -euo pipefail',
    ...pools.map((pool, index) => `\n# ${oneLine(poolTitle(pool))}\n${folded(commands[index] ?? [])}`),
  ];
  return [
    { path: 'node-pools.sh', content: `${script.join('\n')}\n`, mode: 0o755 },
    { path: 'node-pools.json', content: json(commands) },
    ...requests.map(({ method, path, body }, index) => ({
      path: `node-pools/${pools[index]?.name ?? ''}.json`,
      content: json({ method, path, body }),
    })),
  ];
}

/** One flag a line, for people. */
function folded(command: readonly string[]): string {
  const words = command.filter((word) => !word.startsWith('--'));
  const flags = command.filter((word) => word.startsWith('--'));
  return [shellLine(words), ...flags.map(shellQuote)].join(' \\\n  ');
}

function poolTitle(pool: NodePool): string {
  const gpus = `${pool.gpusPerNode} x ${pool.accelerator}`;
  const size = pool.partitionSize === null ? 'whole' : `in ${pool.partitionSize}`;
  const shared = pool.sharers > 1 ? `, up to ${pool.sharers} pods a slice` : '';
  return `${pool.nodes} x ${pool.machineType}, ${gpus} ${size}${shared}`;
}

/**
 * Every GKE slice is the resource `nvidia.com/gpu`: labels alone tell sizes apart, so a pod that wants a whole card
 * must keep off cut ones, and one that wants its own slice must keep off shared ones.
 */
function placesIn(nodes: readonly PlanNode[], anyShared: boolean): (workload: Workload) => PodPlace {
  const acceleratorOf = new Map(
    nodes.map(({ name, machineType }) => {
      return [name, machineTypes.find((machine) => machine.name === machineType)?.accelerator] as const;
    }),
  );
  return ({ ask, nodes: used }) => {
    const accelerators = [...new Set(used.map((node) => acceleratorOf.get(node) ?? ''))];
    const card = {
      limits: { 'nvidia.com/gpu': ask.kind === 'whole' ? ask.gpus : 1 },
      nodeSelector: accelerators.length === 1 ? { [label('accelerator')]: accelerators[0] ?? '' } : {},
      nodeTerms: accelerators.length === 1 ? [] : [isIn(label('accelerator'), accelerators)],
    };
    if (ask.kind === 'whole')
      return { ...card, nodeTerms: [...card.nodeTerms, absent(label('gpu-partition-size'))] };
    const nodeSelector = { ...card.nodeSelector, [label('gpu-partition-size')]: dotted(ask.profile) };
    if (ask.shared)
      return { ...card, nodeSelector: { ...nodeSelector, [label('gpu-sharing-strategy')]: 'time-sharing' } };
    const unshared = anyShared ? [absent(label('gpu-sharing-strategy'))] : [];
    return { ...card, nodeSelector, nodeTerms: [...card.nodeTerms, ...unshared] };
  };
}

function label(name: string): string {
  return `cloud.google.com/gke-${name}`;
}

function isIn(key: string, values: readonly string[]): NodeTerm {
  return { key, operator: 'In', values };
}

function absent(key: string): NodeTerm {
  return { key, operator: 'DoesNotExist' };
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
