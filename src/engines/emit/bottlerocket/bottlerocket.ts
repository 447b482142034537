/** Emits Bottlerocket user data that cuts all GPUs of a node to one size at boot, and the workloads for those nodes. */
import { refuseToClear } from '../busy-slices.js';
import { deploymentsOf, type PodPlace } from '../deployments.js';
import { refuse, type EmittedFile, type Emitter, type Refused } from '../emission.js';
import { dotted, NameBook } from '../kubernetes-names.js';
import { oneSizeOf, slicesOffered, slicesPlanned } from '../one-size.js';
import { nodesOf, profileOf, sharersOf, type PlanNode, type Sharers } from '../plan-nodes.js';
import { oneLine } from '../shell-text.js';
import { sharingNotes, workloadsOf, type Workload } from '../workloads.js';
import { yamlFile } from '../yaml-text.js';
import {
  bottlerocketCard,
  bottlerocketModels,
  type BottlerocketCard,
} from '#core/catalogue/bottlerocket-cards';

/** The nodes that boot with the same settings. */
interface Group {
  readonly model: string;
  readonly card: BottlerocketCard | undefined;
  /** `null`: MIG off. */
  readonly profile: string | null;
  readonly sharers: number;
  readonly nodes: PlanNode[];
}

const groupLabel = 'mica/node-group';
const instead = 'Plan with one slice size per node, or emit gpu-operator for nodes that run it.';

export const emitBottlerocket: Emitter = (plan, options) => {
  const found = nodesOf(plan, options);
  if (!found.ok) return found;
  const clearing = refuseToClear(plan, 'Bottlerocket');
  if (clearing !== undefined) return clearing;
  const workloads = workloadsOf(plan, options);
  if (!workloads.ok) return workloads;
  const groups = groupsOf(found.nodes, sharersOf(plan));
  if (!groups.ok) return groups;
  const names = new NameBook();
  const named = groups.groups.map((group) => ({ group, name: names.take(nameOf(group)) }));
  const nameOfNode = new Map(
    named.flatMap(({ group, name }) => group.nodes.map((node) => [node.name, name] as const)),
  );
  const groupOf = (node: string): string => nameOfNode.get(node) ?? '';
  const placed = workloads.workloads.map((workload) => ({ workload, place: placeOf(workload, groupOf) }));
  const manifests = deploymentsOf(placed, options);
  const files: readonly EmittedFile[] = [
    ...named.map(({ group, name }) => ({ path: `${name}.toml`, content: settings(group, name) })),
    ...(manifests.length === 0 ? [] : [{ path: 'workloads.yaml', content: yamlFile(manifests) }]),
  ];
  const notes = named.flatMap(({ group, name }) => notesOn(group, name, options));
  return {
    ok: true,
    files,
    notes: [
      'Each .toml goes into the user data of its own node group. It takes effect at boot, and only then.',
      ...notes,
      ...sharingNotes(workloads.workloads),
    ],
  };
};

function groupsOf(
  nodes: readonly PlanNode[],
  sharers: Sharers,
): { readonly ok: true; readonly groups: readonly Group[] } | Refused {
  const groups = new Map<string, Group>();
  for (const node of nodes) {
    const found = oneSizeOf(node, sharers, 'Bottlerocket', instead);
    if (!found.ok) return found;
    const { slice } = found.size;
    const model = node.gpus[0]?.model ?? '';
    const card = bottlerocketCard(model);
    if (slice !== null && card?.profiles.includes(slice.profile) !== true)
      return refuseSize(model, slice.profile, card);
    const group = { model, card, profile: slice?.profile ?? null, sharers: slice?.sharers ?? 1, nodes: [] };
    const key = JSON.stringify([model, slice]);
    const same: Group = groups.get(key) ?? group;
    same.nodes.push(node);
    groups.set(key, same);
  }
  return { ok: true, groups: [...groups.values()] };
}

function refuseSize(model: string, profile: string, card: BottlerocketCard | undefined): Refused {
  if (card === undefined) {
    const message = `no Bottlerocket key is known for ${model}; known are ${bottlerocketModels.join(', ')}`;
    return refuse('no-bottlerocket-key', message, 'Emit gpu-operator, mig-parted or vm for these nodes.');
  }
  const message = `Bottlerocket does not cut ${profile} on ${model}; it cuts ${card.profiles.join(', ')}`;
  return refuse('size-not-offered', message, 'Plan with one of those sizes, or emit gpu-operator.');
}

function nameOf({ model, profile, sharers }: Group): string {
  return `mica-${model}-${profile === null ? 'whole' : dotted(profile)}${sharers > 1 ? `-shared-${sharers}` : ''}`;
}

/** Everything in it is from the table of keys or a number, so nothing needs escaping. */
function settings({ card, profile, sharers, nodes }: Group, name: string): string {
  const lines = [
    `# ${oneLine(`Nodes of the plan: ${nodes.map((node) => node.name).join(', ')}`)}`,
    '[settings.kubernetes.node-labels]',
    `"${groupLabel}" = "${name}"`,
    '',
    '[settings.kubelet-device-plugins.nvidia]',
    `device-partitioning-strategy = "${profile === null ? 'none' : 'mig'}"`,
  ];
  if (profile !== null && card !== undefined) {
    if (sharers > 1) lines.push('device-sharing-strategy = "time-slicing"');
    lines.push('', '[settings.kubelet-device-plugins.nvidia.mig.profile]', `"${card.key}" = "${profile}"`);
    if (sharers > 1) {
      const timeSlicing = ['rename-by-default = true', `replicas = ${sharers}`];
      lines.push('', '[settings.kubelet-device-plugins.nvidia.time-slicing]', ...timeSlicing);
    }
  }
  return `${lines.join('\n')}\n`;
}

/** Bottlerocket runs the device plugin with the single strategy: every slice is `nvidia.com/gpu`, labels tell them apart. */
function placeOf({ ask, nodes }: Workload, groupOf: (node: string) => string): PodPlace {
  const limits =
    ask.kind === 'whole'
      ? { 'nvidia.com/gpu': ask.gpus }
      : { [ask.shared ? 'nvidia.com/gpu.shared' : 'nvidia.com/gpu']: 1 };
  const values = [...new Set(nodes.map(groupOf))];
  return { limits, nodeTerms: [{ key: groupLabel, operator: 'In', values }] };
}

function notesOn(group: Group, name: string, options: Parameters<Emitter>[1]): readonly string[] {
  const notes: string[] = [];
  const since = group.profile === null ? undefined : group.card?.since;
  if (since !== undefined)
    notes.push(`${name}: needs a Bottlerocket release with ${since}; older ones refuse the key.`);
  const first = group.nodes[0]?.gpus[0];
  const perGpu =
    first && group.profile !== null ? (profileOf(first, group.profile, options)?.maxCount ?? 0) : 0;
  const offered = group.nodes.reduce((sum, node) => sum + slicesOffered(node, perGpu), 0);
  const idle = offered - group.nodes.reduce((sum, node) => sum + slicesPlanned(node), 0);
  if (idle > 0) {
    notes.push(
      `${name}: the whole GPU is always cut, so there are ${offered} slices, ${idle} more than the plan needs.`,
    );
  }
  return notes;
}
