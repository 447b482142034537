/**
 * From the label to slices that pods can have: what mig-manager, the kubelet, the device plugin and GFD show of it, what
 * to do about what they are known to leave undone, and when to take the change back. Restoring is the same with the old
 * configuration as the goal.
 */
import { labels } from '../label-names.js';
import type { Decision, NodeEdit, NodeView } from './decision.js';
import { finish, leaveCordoned } from './endings.js';
import type { Limits } from './limits.js';
import { shortfall } from './offered.js';
import { podOf, type OperatorPart } from './operator-pods.js';
import { annotations, writeRecord, type ChangeRecord, type Goal, type Remedy } from './record.js';
import { trouble, type Trouble, type TroubleKind } from './troubles.js';

export const pausedValue = 'paused-for-mig-change';

export function cutNode(record: ChangeRecord, goal: Goal, view: NodeView, limits: Limits): Decision {
  const { node, nowMs } = view;
  const { name } = node;
  const stuck = (kind: TroubleKind, detail: string): Decision =>
    leaveCordoned(record, view, trouble(kind, name, detail));
  const label = node.labels[labels.migConfig] ?? 'nothing';
  if (label !== goal.config) {
    return stuck(
      'label-taken',
      `somebody else set nvidia.com/mig.config to ${label} while ${goal.config} was applied`,
    );
  }
  if (view.blocked !== null) return stuck('blocked', view.blocked);
  if (!node.isCordoned) {
    const owned: ChangeRecord = { ...record, cordonedByUs: true };
    const edit = { cordoned: true, annotations: { [annotations.change]: writeRecord(owned) } };
    return { kind: 'edit-node', edit, says: 'cordoned again: its GPUs are being cut' };
  }
  const restart = openRestart(record, view);
  if (restart !== null) return { kind: 'delete-pod', pod: restart.pod, says: `restart ${restart.part}` };
  const fail = (kind: TroubleKind, detail: string): Decision => {
    const why = trouble(kind, name, detail);
    return record.phase === 'cutting' && record.previous !== null && node.isReady
      ? restore(record, record.previous, view, why)
      : leaveCordoned(record, view, why);
  };
  const lastMs = Math.max(record.sinceMs, view.stateSinceMs, ...record.remedies.map(({ atMs }) => atMs));
  const within = (limitMs: number): Decision | null => {
    const endMs = Math.min(lastMs + limitMs, record.sinceMs + limits.cutMs);
    return nowMs >= endMs
      ? null
      : { kind: 'wait', untilMs: Math.min(nowMs + limits.pollMs, endMs), says: seen(view) };
  };
  const restarted = (part: OperatorPart): Decision | null => {
    if (nowMs >= record.sinceMs + limits.cutMs) return null;
    return note(
      record,
      restartOf(part, record, view),
      part === 'mig-manager' ? { [labels.migConfigState]: null } : {},
    );
  };
  if (!node.isReady) {
    const state = node.labels[labels.migConfigState];
    const how =
      state === 'rebooting' ? 'was rebooted and has not come back' : 'is not ready since its GPUs are cut';
    return (
      within(limits.rebootMs) ?? stuck(state === 'rebooting' ? 'rebooting' : 'not-ready', `the node ${how}`)
    );
  }
  const state = node.labels[labels.migConfigState];
  switch (state) {
    case 'success':
      break;
    case 'failed':
      if (!view.hasEntry && nowMs < record.sinceMs + limits.cutMs) {
        return { kind: 'write-config', says: `configuration ${goal.config} into the ConfigMap again` };
      }
      return (
        within(limits.failedMs) ??
        restarted('mig-manager') ??
        fail('failed', `mig-manager failed to apply ${goal.config}`)
      );
    case 'rebooting':
      return (
        within(limits.rebootMs) ??
        stuck('rebooting', 'the state is rebooting, and the node is up: it does not reboot')
      );
    case 'pending':
      return (
        within(limits.pendingMs) ??
        restarted('mig-manager') ??
        fail('pending', `mig-manager stays at pending for ${goal.config}`)
      );
    case undefined:
    default:
      return (
        within(limits.reactMs) ??
        restarted('mig-manager') ??
        fail('silent', `mig-manager says nothing about ${goal.config}`)
      );
  }
  const paused = pausedLabels(view);
  if (paused.length > 0) {
    const names = paused.map((key) => key.slice(labels.deploy.length)).join(', ');
    return (
      within(limits.pausedMs) ??
      note(record, unpauseOf(record, view), Object.fromEntries(paused.map((key) => [key, 'true']))) ??
      fail('paused', `mig-manager says success and leaves ${names} paused`)
    );
  }
  const short = shortfall(node, goal.expected);
  if (short.resources.length > 0) {
    const detail = `mig-manager says success, and the node does not offer the slices: ${short.resources.join('; ')}`;
    return within(limits.offerMs) ?? restarted('device-plugin') ?? fail('not-offered', detail);
  }
  if (short.labels.length > 0) {
    const detail = `the slices are offered, and the labels say otherwise: ${short.labels.join('; ')}`;
    return within(limits.offerMs) ?? restarted('gpu-feature-discovery') ?? fail('not-offered', detail);
  }
  return finish(record, view);
}

function restore(record: ChangeRecord, previous: Goal, view: NodeView, why: Trouble): Decision {
  const restoring: ChangeRecord = {
    ...record,
    phase: 'restoring',
    sinceMs: view.nowMs,
    remedies: [],
    why,
  };
  const edit: NodeEdit = {
    labels: { [labels.migConfig]: previous.config, [labels.migConfigState]: null },
    annotations: { [annotations.change]: writeRecord(restoring) },
  };
  return { kind: 'edit-node', edit, says: `${why.message}; back to ${labels.migConfig}=${previous.config}` };
}

/** Noted down first, with the pod's uid: who comes after us ends what was begun, and does it no second time. */
function note(
  record: ChangeRecord,
  remedy: Remedy | null,
  changed: Readonly<Record<string, string | null>>,
): Decision | null {
  if (remedy === null) return null;
  const noted: ChangeRecord = { ...record, remedies: [...record.remedies, remedy] };
  const edit: NodeEdit = {
    ...(Object.keys(changed).length > 0 && { labels: changed }),
    annotations: { [annotations.change]: writeRecord(noted) },
  };
  const says =
    remedy.kind === 'unpause'
      ? 'start what mig-manager left paused'
      : `${remedy.part ?? ''} has to be restarted`;
  return { kind: 'edit-node', edit, says };
}

/** Each part once in a phase. `null`: it was, or there is no such pod. */
function restartOf(part: OperatorPart, record: ChangeRecord, view: NodeView): Remedy | null {
  if (record.remedies.some((one) => one.part === part)) return null;
  const pod = podOf(part, view.pods, view.operatorNamespace);
  if (pod === null) return null;
  const { namespace, name, uid } = pod;
  return { kind: 'restart', part, pod: { namespace, name, uid }, atMs: view.nowMs };
}

function unpauseOf(record: ChangeRecord, view: NodeView): Remedy | null {
  if (record.remedies.some(({ kind }) => kind === 'unpause')) return null;
  return { kind: 'unpause', part: null, pod: null, atMs: view.nowMs };
}

function openRestart(
  record: ChangeRecord,
  view: NodeView,
): { readonly part: string; readonly pod: NonNullable<Remedy['pod']> } | null {
  for (const { part, pod } of record.remedies) {
    const there = pod === null ? undefined : view.pods.find(({ uid }) => uid === pod.uid);
    if (pod !== null && there?.isDeleting === false) return { part: part ?? '', pod };
  }
  return null;
}

function pausedLabels({ node }: NodeView): readonly string[] {
  const found = Object.entries(node.labels).filter(
    ([key, value]) => key.startsWith(labels.deploy) && value === pausedValue,
  );
  return found.map(([key]) => key).sort();
}

function seen({ node }: NodeView): string {
  const state = node.labels[labels.migConfigState] ?? 'not said yet';
  return `${node.isReady ? '' : 'not ready, '}state ${state}`;
}
