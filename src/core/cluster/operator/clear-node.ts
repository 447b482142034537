/** Before mig-manager is told: the configuration where it can be read, the pods in the way gone, the node quiet. */
import { labels } from '../label-names.js';
import type { ClusterPod } from '../objects.js';
import type { Decision, NodeView } from './decision.js';
import { disturbedPods, fixedPods, podKey } from './disturbed.js';
import { abandon } from './endings.js';
import type { Limits } from './limits.js';
import { podOf } from './operator-pods.js';
import { annotations, writeRecord, type ChangeRecord } from './record.js';
import { trouble } from './troubles.js';

/** `deadlineMs`: pods are waited for no longer, whatever the limit says. */
export function clearNode(
  record: ChangeRecord,
  view: NodeView,
  limits: Limits,
  deadlineMs: number,
): Decision {
  const { node, nowMs } = view;
  const giveUp = (...[kind, detail]: [Parameters<typeof trouble>[0], string]): Decision =>
    abandon(record, view, trouble(kind, node.name, detail));
  if (view.blocked !== null) return giveUp('blocked', view.blocked);
  const label = node.labels[labels.migConfig] ?? null;
  if (label !== record.labelBefore) {
    return giveUp(
      'label-taken',
      `somebody else set nvidia.com/mig.config to ${label ?? 'nothing'} meanwhile`,
    );
  }
  if (!node.isCordoned)
    return giveUp('uncordoned', 'somebody uncordoned the node before its GPUs were touched');
  if (!view.hasEntry && record.configMs !== null) {
    const lost: ChangeRecord = { ...record, configMs: null };
    return {
      kind: 'edit-node',
      edit: { annotations: { [annotations.change]: writeRecord(lost) } },
      says: 'somebody took the configuration away',
    };
  }
  if (!view.hasEntry) {
    return { kind: 'write-config', says: `configuration ${record.goal.config} into the ConfigMap` };
  }
  if (record.configMs === null) {
    const noted: ChangeRecord = { ...record, configMs: nowMs };
    return {
      kind: 'edit-node',
      edit: { annotations: { [annotations.change]: writeRecord(noted) } },
      says: 'noted that the configuration is there',
    };
  }
  const untilMs = Math.min(record.sinceMs + limits.evictMs, deadlineMs);
  const fixed = fixedPods(view.pods, record.reach, view.holders, view.operatorNamespace);
  if (fixed.length > 0) {
    const names = fixed.slice(0, 5).map(podKey).join(', ');
    return giveUp('pods-stay', `pods that nobody can move hold GPUs that are to be cut: ${names}`);
  }
  const staying = disturbedPods(view.pods, record.reach, view.holders, view.operatorNamespace);
  if (staying.length > 0 && record.mayEvict === false) {
    const names = staying.slice(0, 5).map(podKey).join(', ');
    return giveUp('pods-came', `pods came before the node was cordoned, and nobody may be evicted: ${names}`);
  }
  const bare = view.mayEndBare ? [] : staying.filter((pod) => pod.controller === null && !pod.isDeleting);
  if (bare.length > 0) {
    const names = bare.slice(0, 5).map(podKey).join(', ');
    return giveUp('pods-stay', `pods in the way have no controller and would be gone for good: ${names}`);
  }
  if (staying.length > 0 || !node.isReady) {
    if (nowMs >= untilMs) return giveUp(...whoStays(staying, view));
    const due = staying.find((pod) => !pod.isDeleting && (view.asked.get(pod.uid)?.againMs ?? 0) <= nowMs);
    if (due !== undefined) return { kind: 'evict', pod: due, says: `evict ${podKey(due)}` };
    const again = staying.map((pod) => view.asked.get(pod.uid)?.againMs ?? Infinity);
    return {
      kind: 'wait',
      untilMs: Math.min(untilMs, nowMs + limits.pollMs, ...again.filter((ms) => ms > nowMs)),
      says: staying.length > 0 ? `${staying.length} pods to go` : 'the node is not ready',
    };
  }
  const readyMs = Math.max(record.configMs + limits.settleMs, record.sinceMs + limits.quietMs);
  if (nowMs < readyMs) {
    return { kind: 'wait', untilMs: readyMs, says: 'until the kubelet has the new ConfigMap' };
  }
  return tellManager(record, view, giveUp);
}

/** The label; where it has that value already, only a new mig-manager pod reads it again. */
function tellManager(
  record: ChangeRecord,
  view: NodeView,
  giveUp: (kind: 'no-manager', detail: string) => Decision,
): Decision {
  const { config } = record.goal;
  const { nowMs } = view;
  const isSame = record.labelBefore === config;
  const manager = podOf('mig-manager', view.pods, view.operatorNamespace);
  if (manager === null) return giveUp('no-manager', 'no mig-manager pod runs on the node');
  const { namespace, name, uid } = manager;
  const restart = {
    kind: 'restart',
    part: 'mig-manager',
    pod: { namespace, name, uid },
    atMs: nowMs,
  } as const;
  const cutting: ChangeRecord = {
    ...record,
    phase: 'cutting',
    sinceMs: nowMs,
    remedies: isSame ? [restart] : [],
  };
  return {
    kind: 'edit-node',
    // Without its old word, mig-manager's next one is about this configuration.
    edit: {
      labels: { ...(isSame ? {} : { [labels.migConfig]: config }), [labels.migConfigState]: null },
      annotations: { [annotations.change]: writeRecord(cutting) },
    },
    says: isSame
      ? `${labels.migConfig} is ${config} already: mig-manager has to be restarted`
      : `${labels.migConfig}=${config}`,
  };
}

function whoStays(staying: readonly ClusterPod[], view: NodeView): ['pods-stay' | 'not-ready', string] {
  if (staying.length === 0) return ['not-ready', 'the node is not ready, before its GPUs were touched'];
  const named = staying.slice(0, 5).map((pod) => {
    const said = view.asked.get(pod.uid)?.said ?? null;
    if (pod.isDeleting) return `${podKey(pod)} (ending)`;
    return said === null ? podKey(pod) : `${podKey(pod)} (${said})`;
  });
  const more = staying.length > 5 ? ` and ${staying.length - 5} more` : '';
  return ['pods-stay', `pods did not go in time: ${named.join(', ')}${more}`];
}
