/**
 * Waiting for room: who may take one more node out of service, where several processes would. A claim that nobody follows
 * up is of a process that died: it is taken away, which a process that only slept finds out by its next edit.
 */
import { annotations } from '#core/cluster/operator/record';
import { roomFor, type Room } from '#core/cluster/operator/room';
import type { ClusterNode } from '#core/cluster/objects';
import type { ApiAnswer } from '#ports/cluster-api';
import type { ClusterPorts } from './ports.js';

export type Entry =
  | { readonly kind: 'enter' }
  | { readonly kind: 'full'; readonly away: readonly string[] }
  | { readonly kind: 'wait' }
  /** Another claim goes first. */
  | { readonly kind: 'withdraw' };

/** A live process takes its next step within a fraction of this. */
const deadAfterMs = 30_000;

export class Claims {
  readonly #ports: ClusterPorts;
  readonly #seen = new Map<string, { readonly version: string; readonly sinceMs: number }>();

  constructor(ports: ClusterPorts) {
    this.#ports = ports;
  }

  async mayEnter(node: string, claimedMs: number | null, room: Room): Promise<ApiAnswer<Entry>> {
    const nodes = await this.#ports.api.nodes();
    if (!nodes.ok) return nodes;
    const answer = roomFor(node, claimedMs, nodes.value, room);
    if (answer.kind === 'free') return { ok: true, value: { kind: 'enter' } };
    if (answer.kind === 'full') return { ok: true, value: answer };
    for (const claim of answer.claims) await this.breakIfDead(claim);
    const isLosing = claimedMs !== null && !answer.isFirst;
    return { ok: true, value: { kind: isLosing ? 'withdraw' : 'wait' } };
  }

  /** By our own clock, and only where nobody touched the node since. */
  async breakIfDead({ name, uid, resourceVersion, annotations: of }: ClusterNode): Promise<void> {
    const { api, clock } = this.#ports;
    const version = `${uid} ${of[annotations.change] ?? ''}`;
    const nowMs = clock.nowMs();
    const known = this.#seen.get(name);
    const sinceMs = known?.version === version ? Math.min(known.sinceMs, nowMs) : nowMs;
    this.#seen.set(name, { version, sinceMs });
    if (nowMs - sinceMs < deadAfterMs) return;
    await api.patchNode(name, { annotations: { [annotations.change]: null } }, resourceVersion);
  }
}
