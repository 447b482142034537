/**
 * A cluster in memory with what a change of pools touches: nodes that come, become ready and go, controllers that make
 * their pods again, a scheduler that obeys selectors, cordons, taints and counts, and budgets that say "not now".
 */
import type { ClusterNode, ClusterPod, ClusterState } from '#core/cluster/objects';
import type { ApiAnswer, ApiRefusal, NodePatch, PodName } from '#ports/cluster-api';
import { aNode, aPod } from '../support/cluster-objects.js';
import type { VirtualClock } from '../support/virtual-clock.js';

export interface ComingNode {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** When it is right; until then it is there with nothing. */
  readonly allocatable: Readonly<Record<string, number>>;
  readonly taints?: ClusterNode['taints'];
}

export class ClusterDouble {
  readonly evictions: string[] = [];
  /** Why a call fails, by `evict`, `patch` or `look`, once each. */
  readonly failures: { readonly call: 'evict' | 'patch' | 'look'; readonly why: ApiRefusal }[] = [];
  /** Pods whose budget allows nothing until then. */
  readonly heldUntilMs = new Map<string, number>();
  /** Nodes stay without their slices. */
  neverReady = false;
  graceMs = 2000;
  #nodes = new Map<string, ClusterNode>();
  #pods = new Map<string, ClusterPod>();
  #made = 0;
  #version = 1;
  readonly clock: VirtualClock;

  constructor(clock: VirtualClock) {
    this.clock = clock;
  }

  addNode({ name, labels, allocatable, taints = [] }: ComingNode, afterMs: number): void {
    if (this.#nodes.has(name)) return;
    this.#nodes.set(name, aNode({ name, labels, taints, isReady: false }));
    const ready = (): void => {
      const node = this.#nodes.get(name);
      if (node === undefined || this.neverReady) return;
      this.#nodes.set(name, { ...node, isReady: true, capacity: allocatable, allocatable });
      this.#schedule();
    };
    if (afterMs === 0) ready();
    else this.clock.in(afterMs, ready);
  }

  removeNodes(isGoing: (node: ClusterNode) => boolean): void {
    for (const node of [...this.#nodes.values()].filter(isGoing)) {
      this.#nodes.delete(node.name);
      for (const pod of [...this.#pods.values()].filter((one) => one.node === node.name)) this.#gone(pod);
    }
  }

  addPod(said: Partial<ClusterPod> & { readonly name: string }): void {
    const pod = aPod(said);
    this.#pods.set(pod.uid, pod);
    this.#schedule();
  }

  get pods(): readonly ClusterPod[] {
    return [...this.#pods.values()];
  }

  node(name: string): ClusterNode | undefined {
    return this.#nodes.get(name);
  }

  readonly read = async (): Promise<ClusterState> => ({
    nodes: [...this.#nodes.values()],
    pods: this.pods,
    dra: null,
  });

  readonly nodes = async (label?: {
    readonly key: string;
    readonly value: string;
  }): Promise<ApiAnswer<readonly ClusterNode[]>> => {
    const why = this.#failure('look');
    if (why !== null) return { ok: false, why };
    const all = [...this.#nodes.values()];
    return {
      ok: true,
      value: all.filter(({ labels }) => label === undefined || labels[label.key] === label.value),
    };
  };

  readonly podsOn = async (node: string): Promise<ApiAnswer<readonly ClusterPod[]>> => {
    const why = this.#failure('look');
    if (why !== null) return { ok: false, why };
    return { ok: true, value: this.pods.filter((pod) => pod.node === node) };
  };

  readonly patchNode = async (
    name: string,
    patch: NodePatch,
    version?: string,
  ): Promise<ApiAnswer<ClusterNode>> => {
    const why = this.#failure('patch');
    if (why !== null) return { ok: false, why };
    const node = this.#nodes.get(name);
    if (node === undefined) return refusal('gone');
    if (version !== undefined && version !== node.resourceVersion) return refusal('conflict');
    this.#version += 1;
    const patched: ClusterNode = {
      ...node,
      resourceVersion: String(this.#version),
      annotations: merged(node.annotations, patch.annotations),
      labels: merged(node.labels, patch.labels),
      isCordoned: patch.cordoned ?? node.isCordoned,
      taints: node.taints.filter(({ key }) => !(patch.removeTaints ?? []).some((one) => one.key === key)),
    };
    this.#nodes.set(name, patched);
    this.#schedule();
    return { ok: true, value: patched };
  };

  readonly evict = async ({ uid, resourceVersion }: PodName): Promise<ApiAnswer<null>> => {
    const pod = this.#pods.get(uid);
    if (pod === undefined) return refusal('gone');
    if ((this.heldUntilMs.get(pod.controller?.name ?? '') ?? 0) > this.clock.nowMs())
      return refusal('too-many');
    const why = this.#failure('evict');
    if (why?.kind !== undefined && why.kind !== 'unreachable') return { ok: false, why };
    if (resourceVersion !== undefined && resourceVersion !== pod.resourceVersion) return refusal('conflict');
    if (pod.isDeleting) throw new Error(`${pod.name} was told to go before`);
    this.evictions.push(`${pod.namespace}/${pod.name}`);
    this.#version += 1;
    this.#pods.set(uid, { ...pod, isDeleting: true, resourceVersion: String(this.#version) });
    this.clock.in(this.graceMs, () => this.#gone(pod));
    return why === null ? { ok: true, value: null } : { ok: false, why };
  };

  #gone(pod: ClusterPod): void {
    this.#pods.delete(pod.uid);
    if (pod.controller === null || pod.controller.kind === 'DaemonSet') return;
    this.#made += 1;
    const name = `${pod.controller.name}-again-${this.#made}`;
    this.addPod({ ...pod, name, uid: `uid-${name}`, node: null, phase: 'Pending', isDeleting: false });
  }

  #schedule(): void {
    for (const pod of this.pods.filter(({ node }) => node === null)) {
      const node = [...this.#nodes.values()].find((one) => this.#fits(pod, one));
      if (node !== undefined) this.#pods.set(pod.uid, { ...pod, node: node.name, phase: 'Running' });
    }
  }

  #fits(pod: ClusterPod, node: ClusterNode): boolean {
    const running = this.pods.filter((one) => one.node === node.name);
    return (
      node.isReady &&
      !node.isCordoned &&
      node.taints.every(({ key }) => pod.tolerations.some((one) => one.key === key)) &&
      Object.entries(pod.nodeSelector).every(([key, value]) => node.labels[key] === value) &&
      Object.entries(pod.wants).every(([resource, count]) => {
        const used = running.reduce((sum, one) => sum + (one.wants[resource] ?? 0), 0);
        return used + count <= (node.allocatable[resource] ?? 0);
      })
    );
  }

  #failure(call: 'evict' | 'patch' | 'look'): ApiRefusal | null {
    const index = this.failures.findIndex((one) => one.call === call);
    return index < 0 ? null : (this.failures.splice(index, 1)[0]?.why ?? null);
  }
}

function merged(
  old: Readonly<Record<string, string>>,
  patch: Readonly<Record<string, string | null>> = {},
): Readonly<Record<string, string>> {
  const all = Object.entries({ ...old, ...patch });
  return Object.fromEntries(all.flatMap(([key, value]) => (value === null ? [] : [[key, value]])));
}

function refusal(kind: ApiRefusal['kind']): { readonly ok: false; readonly why: ApiRefusal } {
  return { ok: false, why: { kind, message: kind, retryAfterMs: null } };
}
