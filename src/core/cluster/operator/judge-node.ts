/** Whether a node can become what is wanted, what that disturbs, and the record with which the change begins. */
import { checkLayout } from '../../geometry/check.js';
import { gpuNodeOf, type GpuNode } from '../gpu-node.js';
import { labels } from '../label-names.js';
import type { ClusterNode, ClusterPod } from '../objects.js';
import { pausedValue } from './cut-node.js';
import { disturbedPods, fixedPods, podKey, usesGpus, type GpuHolders, type Reach } from './disturbed.js';
import { isLeftAlone, podOf } from './operator-pods.js';
import {
  allDisabledEntries,
  allDisabledName,
  cutOf,
  entriesFor,
  isSameCut,
  spelledName,
  type MigEntry,
  type NodeCut,
} from './mig-config.js';
import { expectedOf, shortfall } from './offered.js';
import { readRecord, type ChangeRecord } from './record.js';

export interface JudgeInput {
  readonly node: ClusterNode;
  readonly pods: readonly ClusterPod[];
  /** By index; GPUs that are not named stay as they are. */
  readonly wanted: NodeCut;
  /** Catalogue keys of the cards that it was planned for, by index. */
  readonly models?: ReadonlyMap<number, string>;
  /** The entries of a configuration that mig-manager knows; `null`: not known. */
  readonly entriesOf: (config: string) => readonly MigEntry[] | null;
  /** Since when the ConfigMap holds such an entry; `null`: it does not. */
  readonly entrySince: (config: string, entries: readonly MigEntry[]) => number | null;
  readonly holders: GpuHolders;
  readonly operatorNamespace: string;
  /** Pods that nobody would make again may be ended. */
  readonly mayEndBare: boolean;
  readonly mayReboot: boolean;
  /** Default: yes. */
  readonly mayEvict?: boolean;
  /** Written into the record. */
  readonly by?: string;
  /** Makes a name no longer than a label value may be. */
  readonly shorten: (name: string, entries: readonly MigEntry[]) => string;
  readonly nowMs: number;
}

export type NodeRefusal =
  | 'not-this-backend'
  | 'no-manager'
  | 'not-ready'
  | 'at-work'
  | 'unknown-gpu'
  | 'other-card'
  | 'unknown-profile'
  | 'no-room'
  | 'max-count'
  | 'engines'
  | 'no-mig'
  | 'strategy'
  | 'bare-pods'
  /** Nobody may be evicted. */
  | 'pods-in-way'
  /** Of DaemonSets of users, or the kubelet's own. */
  | 'fixed-pods'
  | 'unreadable-record';

export interface PlannedChange {
  readonly record: ChangeRecord;
  readonly pods: readonly ClusterPod[];
  /** What the reader must know, one sentence each. */
  readonly notes: readonly string[];
}

export type Judgement =
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'refused'; readonly why: { readonly kind: NodeRefusal; readonly message: string } }
  | ({ readonly kind: 'change' } & PlannedChange);

export function judgeNode(input: JudgeInput): Judgement {
  const { node, pods, wanted } = input;
  const found = gpuNodeOf(node, pods);
  if (found?.partitioner !== 'gpu-operator') {
    const what = found === null ? 'has no GPU' : `is not cut by the GPU Operator (${found.partitioner})`;
    return refuse('not-this-backend', `node ${node.name} ${what}`);
  }
  const known = found.gpus ?? Math.max(-1, ...wanted.keys()) + 1;
  const fault = faultOf(found, wanted, input.models ?? new Map());
  if (fault !== null) return { kind: 'refused', why: fault };
  const now = cutNow(input, known);
  const goal = new Map([...(now ?? []), ...wanted]);
  const strategy = found.strategy ?? 'mixed';
  const cannot = strategyFault(goal, known, strategy);
  if (cannot !== null) return refuse('strategy', cannot);
  const changed = [...wanted].filter(([index, cut]) => {
    const before = now?.get(index);
    return before === undefined || !isSameCut(before, cut);
  });
  if (changed.length === 0) return { kind: 'unchanged' };
  const notNow = troubleNow(input);
  if (notNow !== null) return { kind: 'refused', why: notNow };
  const switched = changed.filter(([index, cut]) => now?.get(index)?.mig !== cut.mig).map(([index]) => index);
  const reach: Reach = {
    gpus: changed.map(([index]) => index).sort((a, b) => a - b),
    wholeNode: switched.length > 0,
    mayReboot: switched.length > 0 && input.mayReboot,
  };
  const going = disturbedPods(pods, reach, input.holders, input.operatorNamespace);
  const fixed = fixedPods(pods, reach, input.holders, input.operatorNamespace);
  if (fixed.length > 0) {
    const names = fixed.slice(0, 5).map(podKey).join(', ');
    const message = `pods that nobody can move (of DaemonSets, or of the kubelet) hold GPUs that are to be cut: ${names}`;
    return refuse('fixed-pods', message);
  }
  if (input.mayEvict === false && going.length > 0) {
    const names = going.slice(0, 5).map(podKey).join(', ');
    const isForReboot = reach.mayReboot && !going.some(usesGpus);
    const why = isForReboot ? ' (none has a GPU, but the node may reboot: --no-reboot rules that out)' : '';
    return refuse('pods-in-way', `pods are in the way, and nobody may be evicted: ${names}${why}`);
  }
  const bare = going.filter(({ controller }) => controller === null);
  if (bare.length > 0 && !input.mayEndBare) {
    const names = bare.slice(0, 5).map(podKey).join(', ');
    return refuse('bare-pods', `pods in the way have no controller and would be gone for good: ${names}`);
  }
  const entries = entriesFor(goal);
  const config = input.shorten(spelledName(entries), entries);
  const label = node.labels[labels.migConfig] ?? null;
  const stuck = stuckRecord(node);
  const previous =
    now === null || label === null || label === config
      ? (stuck?.previous ?? null)
      : { config: label, expected: expectedOf(now, known, strategy) };
  const record: ChangeRecord = {
    version: 1,
    ...(input.by !== undefined && { by: input.by }),
    phase: 'clearing',
    goal: {
      config,
      entries,
      expected: { ...expectedOf(goal, known, strategy), exact: goal.size === found.gpus },
    },
    reach,
    ...(input.mayEvict === false && { mayEvict: false }),
    labelBefore: label,
    previous: previous?.config === config ? null : previous,
    cordonedByUs: !node.isCordoned || stuck?.cordonedByUs === true,
    startedMs: input.nowMs,
    sinceMs: input.nowMs,
    configMs: input.entrySince(config, entries),
    remedies: [],
    why: null,
    ...(stuck !== null && { stuckBefore: stuck.why }),
  };
  return { kind: 'change', record, pods: going, notes: notesOn(input, now, reach, switched, going, record) };
}

function refuse(kind: NodeRefusal, message: string): Judgement {
  return { kind: 'refused', why: { kind, message } };
}

/** What the GPUs carry, believed only where the node shows all of it. */
function cutNow({ node, entriesOf }: JudgeInput, gpuCount: number): NodeCut | null {
  const config = node.labels[labels.migConfig];
  if (config === undefined || node.labels[labels.migConfigState] !== 'success') return null;
  if (readRecord(node.annotations) !== null || isPaused(node)) return null;
  const entries = entriesOf(config) ?? (config === allDisabledName ? allDisabledEntries : null);
  if (entries === null) return null;
  const cut = cutOf(entries, gpuCount);
  const strategy = node.labels[labels.migStrategy] === 'single' ? 'single' : 'mixed';
  const short = shortfall(node, expectedOf(cut, gpuCount, strategy));
  return short.resources.length + short.labels.length === 0 ? cut : null;
}

function isPaused({ labels: of }: ClusterNode): boolean {
  return Object.entries(of).some(([key, value]) => key.startsWith(labels.deploy) && value === pausedValue);
}

function stuckRecord({ annotations }: ClusterNode): ChangeRecord | null {
  const record = readRecord(annotations);
  return record === null || record === 'unreadable' ? null : record;
}

function troubleNow({
  node,
  pods,
  operatorNamespace,
}: JudgeInput): { readonly kind: NodeRefusal; readonly message: string } | null {
  const state = node.labels[labels.migConfigState];
  if (readRecord(node.annotations) === 'unreadable') {
    const message = `node ${node.name} carries a mica.dev/change that this version cannot read`;
    return { kind: 'unreadable-record', message };
  }
  if (!node.isReady) return { kind: 'not-ready', message: `node ${node.name} is not ready` };
  if (node.labels[labels.migManager] !== 'true') {
    const message = `mig-manager does not run on node ${node.name} (${labels.migManager} is not true)`;
    return { kind: 'no-manager', message };
  }
  if (podOf('mig-manager', pods, operatorNamespace) === null) {
    const message = `no mig-manager pod runs on node ${node.name} in namespace ${operatorNamespace}: is the GPU Operator in another one?`;
    return { kind: 'no-manager', message };
  }
  const isOurs = stuckRecord(node) !== null;
  if (!isOurs && (state === 'pending' || state === 'rebooting')) {
    const message = `mig-manager is at work on node ${node.name} for somebody else (${state})`;
    return { kind: 'at-work', message };
  }
  return null;
}

function faultOf(
  { model, product, gpus, node }: GpuNode,
  wanted: NodeCut,
  models: ReadonlyMap<number, string>,
): { readonly kind: NodeRefusal; readonly message: string } | null {
  for (const [index, cut] of wanted) {
    const at = `GPU ${index} of node ${node.name}`;
    if (gpus !== null && index >= gpus) {
      return { kind: 'unknown-gpu', message: `node ${node.name} has ${gpus} GPUs, and no GPU ${index}` };
    }
    const planned = models.get(index);
    if (planned !== undefined && model !== null && planned !== model.key) {
      return { kind: 'other-card', message: `${at} is a ${model.key}, and the plan is for a ${planned}` };
    }
    if (!cut.mig || model === null) continue;
    if (model.kind !== 'mig')
      return { kind: 'no-mig', message: `${at}: Mica cannot cut a ${product ?? model.name}` };
    const asks = Object.entries(cut.counts).flatMap(([profile, count]) =>
      Array.from({ length: Math.min(count, 64) }, () => ({ profile })),
    );
    const answer = checkLayout(model, asks);
    if (!answer.ok) return { kind: answer.why.kind, message: `${at}: ${answer.why.message}` };
  }
  return null;
}

/** `single` offers one size on every GPU of the node, or nothing at all. */
function strategyFault(
  goal: NodeCut,
  gpuCount: number,
  strategy: 'none' | 'single' | 'mixed',
): string | null {
  const cuts = [...goal.values()];
  if (strategy === 'none' && cuts.some(({ mig }) => mig)) {
    return 'the device plugin runs with strategy none and offers no slice; set mig.strategy to mixed';
  }
  if (strategy !== 'single' || !cuts.some(({ mig }) => mig)) return null;
  const sizes = new Set(cuts.flatMap((cut) => (cut.mig ? Object.keys(cut.counts) : ['whole GPUs'])));
  const hasEmpty = cuts.some((cut) => cut.mig && Object.keys(cut.counts).length === 0);
  if (goal.size < gpuCount || sizes.size > 1 || hasEmpty) {
    return 'strategy single offers one size on every GPU of a node, or nothing; set mig.strategy to mixed, or name every GPU with one size';
  }
  return null;
}

function notesOn(
  { pods, holders, node, operatorNamespace }: JudgeInput,
  now: NodeCut | null,
  reach: Reach,
  switched: readonly number[],
  going: readonly ClusterPod[],
  record: ChangeRecord,
): readonly string[] {
  const list = (indexes: readonly number[]): string => indexes.join(', ');
  const guessed = reach.wholeNode ? [] : going.filter((pod) => usesGpus(pod) && !holders.has(pod.uid));
  const losing = going.filter(({ hasEmptyDir }) => hasEmptyDir);
  const staying = pods.filter(
    (pod) => usesGpus(pod) && !going.includes(pod) && !isLeftAlone(pod, operatorNamespace),
  );
  return [
    ...(now === null
      ? ['What its GPUs carry now is not known for sure: the whole node counts as disturbed.']
      : []),
    ...(now !== null && switched.length > 0
      ? [`MIG is switched on GPU ${list(switched)}: the whole node counts as disturbed.`]
      : []),
    ...(reach.mayReboot ? ['The node may reboot, so that pods without GPUs go too.'] : []),
    ...(reach.wholeNode
      ? []
      : [`Only GPU ${list(reach.gpus)} is cut anew; ${staying.length} pods on other GPUs stay.`]),
    ...(guessed.length > 0
      ? [`Which GPU is held is not known of ${guessed.map(podKey).join(', ')}: counted as disturbed.`]
      : []),
    ...(losing.length > 0
      ? [`What these pods keep in emptyDir volumes is lost: ${losing.map(podKey).join(', ')}.`]
      : []),
    ...(record.previous === null ? ['There is no known good configuration to go back to if it fails.'] : []),
    ...(node.isCordoned && !record.cordonedByUs ? ['It is cordoned already, and stays so afterwards.'] : []),
  ];
}
