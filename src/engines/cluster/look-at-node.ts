/** A node as the API server has it now, with its pods and, where that matters, whether our configuration is there. */
import { readRecord } from '#core/cluster/operator/record';
import type { ClusterNode, ClusterPod } from '#core/cluster/objects';
import type { ApiRefusal } from '#ports/cluster-api';
import type { ConfigBook } from './config-book.js';
import type { NodeApi } from './ports.js';

export interface NodeLook {
  readonly node: ClusterNode;
  readonly pods: readonly ClusterPod[];
  readonly hasEntry: boolean;
}

export type LookAnswer =
  | ({
      readonly ok: true;
      /** The configurations are out of reach for good. */ readonly blocked: string | null;
    } & NodeLook)
  | { readonly ok: false; readonly why: ApiRefusal; /** The permission. */ readonly needs: string };

/** The node first: what its pods say is newer, never older. */
export async function lookAtNode(
  api: NodeApi,
  name: string,
  book: ConfigBook,
  isBlocked: boolean,
): Promise<LookAnswer> {
  const node = await api.getNode(name);
  if (!node.ok) return { ...node, needs: 'get nodes' };
  const pods = await api.podsOn(name);
  if (!pods.ok) return { ...pods, needs: 'list pods' };
  const look = { ok: true, node: node.value, pods: pods.value, hasEntry: true, blocked: null } as const;
  const record = readRecord(node.value.annotations);
  const phase = record === null || record === 'unreadable' ? null : record.phase;
  if (record === null || record === 'unreadable' || isBlocked) return look;
  if (phase !== 'clearing' && phase !== 'cutting') return look;
  const found = await book.has(record.goal.config, record.goal.entries);
  if (found.ok) return { ...look, hasEntry: found.value };
  // mig-manager may have read it long ago.
  if (phase === 'cutting') return look;
  const { kind, message } = found.why;
  if (kind === 'forbidden' || kind === 'invalid') return { ...look, blocked: message };
  return { ok: false, why: found.why, needs: 'get configmaps' };
}
