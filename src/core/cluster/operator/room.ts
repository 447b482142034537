/**
 * Whether one more node may go out of service, from all nodes as they are now. A node is claimed before it is looked
 * around for others, so that of two processes that begin at once at least one sees the other.
 */
import type { ClusterNode } from '../objects.js';
import { readRecord } from './record.js';

export interface Room {
  /** Nodes out of service at once. */
  readonly most: number;
  /** Nodes that count also where no change has them: while they are cordoned or not ready. */
  readonly watched: ReadonlySet<string>;
  /** Whether a node counts at all. Default: all of the cluster do. */
  readonly counts?: (node: ClusterNode) => boolean;
}

export type RoomAnswer =
  | { readonly kind: 'free' }
  /** Out of service are these. */
  | { readonly kind: 'full'; readonly away: readonly string[] }
  /** It is free if these do not go on; whose claim is not `first` takes it back. */
  | { readonly kind: 'contested'; readonly claims: readonly ClusterNode[]; readonly isFirst: boolean };

/** `claimedMs`: of this node; `null`: it is not claimed yet. */
export function roomFor(
  node: string,
  claimedMs: number | null,
  nodes: readonly ClusterNode[],
  { most, watched, counts = () => true }: Room,
): RoomAnswer {
  const away: string[] = [];
  const claims: { readonly node: ClusterNode; readonly atMs: number }[] = [];
  for (const one of nodes) {
    if (one.name === node || !counts(one)) continue;
    const record = readRecord(one.annotations);
    const isClaim = record !== null && record !== 'unreadable' && record.phase === 'claimed';
    if (isClaim) claims.push({ node: one, atMs: record.startedMs });
    else if (record !== null) away.push(one.name);
    else if (watched.has(one.name) && (one.isCordoned || !one.isReady)) away.push(one.name);
  }
  if (away.length >= most) return { kind: 'full', away };
  if (away.length + claims.length < most) return { kind: 'free' };
  const before = claims.filter(
    ({ node: { name }, atMs }) =>
      claimedMs === null || atMs < claimedMs || (atMs === claimedMs && name < node),
  );
  return {
    kind: 'contested',
    claims: claims.map((one) => one.node),
    isFirst: claimedMs !== null && away.length + before.length < most,
  };
}
