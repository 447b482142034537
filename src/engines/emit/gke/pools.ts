/** From a plan's nodes to GKE node pools: one per machine type and slice size, or the reason why there is none. */
import { isFractional, machineTypes } from '#core/catalogue/machine-types';
import { partitionSize } from '#core/clouds/gke/sizes';
import { refuse, type EmitOptions, type Refused } from '../emission.js';
import { labelFrom, NameBook } from '../kubernetes-names.js';
import { oneSizeOf, slicesOffered, slicesPlanned } from '../one-size.js';
import { isComplete, type PlanNode, type Sharers } from '../plan-nodes.js';
import type { NodePool } from './node-pool.js';

export type Pools =
  { readonly ok: true; readonly pools: readonly NodePool[]; readonly notes: readonly string[] } | Refused;

const otherWays =
  'Plan with one slice size per machine, or run the GPU Operator on GKE and emit gpu-operator: it cuts each GPU on its own.';

/** GKE's limits: the name of a node pool, and the pods that may share a slice. */
const longestPoolName = 40;
const mostSharers = 48;

interface Draft {
  readonly machineType: string;
  readonly accelerator: string;
  readonly gpusPerNode: number;
  readonly slice: { readonly profile: string; readonly perGpu: number; readonly size: string } | null;
  sharers: number;
  readonly nodes: PlanNode[];
}

export function poolsOf(nodes: readonly PlanNode[], sharers: Sharers, options: EmitOptions): Pools {
  const drafts = new Map<string, Draft>();
  for (const node of nodes) {
    const found = draftOf(node, sharers, options);
    if (!found.ok) return found;
    const { draft } = found;
    const key = JSON.stringify([draft.machineType, draft.slice, draft.sharers > 1]);
    const known = drafts.get(key);
    if (known === undefined) drafts.set(key, draft);
    else {
      known.sharers = Math.max(known.sharers, draft.sharers);
      known.nodes.push(node);
    }
  }
  const names = new NameBook(longestPoolName);
  const all = [...drafts.values()].map((draft) => {
    const shared = draft.sharers > 1 ? '-shared' : '';
    const name = names.take(labelFrom(`mica-${draft.machineType}-${draft.slice?.size ?? 'whole'}${shared}`));
    return { draft, pool: poolFrom(draft, name) };
  });
  return {
    ok: true,
    pools: all.map(({ pool }) => pool),
    notes: all.flatMap(({ draft, pool }) => notesOn(draft, pool)),
  };
}

function draftOf(
  node: PlanNode,
  sharers: Sharers,
  options: EmitOptions,
): { readonly ok: true; readonly draft: Draft } | Refused {
  if (node.machineType === null) {
    const message = `node ${node.name} is one that you own, and GKE makes its own nodes`;
    return refuse(
      'not-a-gke-machine',
      message,
      'List GKE machine types under rent:, or emit gpu-operator, mig-parted or vm.',
    );
  }
  const machine = machineTypes.find((one) => one.name === node.machineType);
  if (machine?.accelerator == null || isFractional(machine)) {
    const message = `${node.machineType} is no Google Cloud machine type with whole GPUs`;
    return refuse(
      'not-a-gke-machine',
      message,
      'Rent g4-standard-48 or larger, a2, a3 or a4, or emit gpu-operator.',
    );
  }
  const found = oneSizeOf(node, sharers, 'GKE', otherWays);
  if (!found.ok) return found;
  const { machineType } = node;
  const base = { machineType, accelerator: machine.accelerator, gpusPerNode: machine.gpus, nodes: [node] };
  const slice = found.size.slice;
  if (slice === null) return { ok: true, draft: { ...base, slice: null, sharers: 1 } };
  if (slice.sharers > mostSharers) {
    const message = `${slice.sharers} replicas share a ${slice.profile} of node ${node.name}; GKE allows ${mostSharers}`;
    return refuse(
      'too-many-sharers',
      message,
      'Give the shared needs a larger compute share, so that fewer fit a slice.',
    );
  }
  const cutAs = partitionSize(machine.accelerator, slice.profile, options.gke?.attributeSpelling);
  if (!cutAs.ok) return refuse(cutAs.why.kind, cutAs.why.message, instead[cutAs.why.kind]);
  const { size, perGpu } = cutAs;
  const cut = { profile: slice.profile, perGpu, size };
  return { ok: true, draft: { ...base, slice: cut, sharers: slice.sharers } };
}

const instead = {
  'size-not-offered': 'Plan with one of those sizes, or emit gpu-operator.',
  'attribute-spelling': 'Say which with the option attributeSpelling, or plan plain sizes.',
} as const;

function poolFrom(draft: Draft, name: string): NodePool {
  const { machineType, accelerator, gpusPerNode, slice, sharers, nodes } = draft;
  const partitionSize = slice?.size ?? null;
  return { name, machineType, accelerator, gpusPerNode, partitionSize, sharers, nodes: nodes.length };
}

function notesOn({ slice, nodes }: Draft, pool: NodePool): readonly string[] {
  if (slice === null) {
    const idle = nodes.reduce(
      (sum, node) => sum + (isComplete(node) ? 0 : pool.gpusPerNode - node.gpus.length),
      0,
    );
    return idle === 0 ? [] : [`Pool ${pool.name}: ${count(idle, 'GPU')} that the plan does not need.`];
  }
  const offered = nodes.reduce((sum, node) => sum + slicesOffered(node, slice.perGpu), 0);
  const idle = offered - nodes.reduce((sum, node) => sum + slicesPlanned(node), 0);
  if (idle <= 0) return [];
  return [
    `Pool ${pool.name}: GKE always cuts the whole GPU, so there are ${count(offered, `${slice.profile} slice`)}, ${idle} more than the plan needs.`,
  ];
}

function count(number: number, thing: string): string {
  return `${number} ${thing}${number === 1 ? '' : 's'}`;
}
