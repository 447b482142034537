/** What is known of a cluster now: objects by name, the pods of each node, and what changed since somebody looked. */
import { gpuNodeOf } from '#core/cluster/gpu-node';
import type { ClusterNode, ClusterPod, ClusterState, DraClaim, DraDevice } from '#core/cluster/objects';
import type { DeviceSlice, SeenClaim } from './read-dra.js';

interface Versioned {
  readonly uid: string;
  readonly resourceVersion: string;
}

export type Part = 'nodes' | 'pods' | 'slices' | 'claims';

export class ClusterView {
  private readonly nodes = new Map<string, ClusterNode>();
  private readonly pods = new Map<string, ClusterPod>();
  private readonly slices = new Map<string, DeviceSlice>();
  private readonly claims = new Map<string, SeenClaim>();
  private readonly byNode = new Map<string, Map<string, ClusterPod>>();
  private readonly podLists = new Map<string, readonly ClusterPod[]>();
  /** Once a GPU node, always one while it is there: its plugin may come back. */
  private readonly gpuNodes = new Set<string>();
  private readonly takenTwins = new WeakMap<DraDevice, DraDevice>();
  private readonly waiting = new Set<() => void>();
  private lists: Partial<Record<'nodes' | 'pods' | 'dra', unknown>> = {};
  private whole: ClusterState | undefined;
  private isDraKnown = false;
  private changes = 0;
  /** Called with a node whose pods matter from now on. */
  onGpuNode: (name: string) => void = () => undefined;

  get version(): number {
    return this.changes;
  }

  /** DRA is there, and may be read. */
  withDra(): void {
    this.isDraKnown = true;
  }

  readonly isGpuNode = (name: string): boolean => this.gpuNodes.has(name);

  node(name: string): ClusterNode | null {
    return this.nodes.get(name) ?? null;
  }

  podsOn(node: string): readonly ClusterPod[] {
    let list = this.podLists.get(node);
    if (list === undefined) {
      list = [...(this.byNode.get(node)?.values() ?? [])];
      this.podLists.set(node, list);
    }
    return list;
  }

  hasPod(key: string): boolean {
    return this.pods.has(key);
  }

  state(): ClusterState {
    this.whole ??= {
      nodes: (this.lists.nodes ??= [...this.nodes.values()]) as readonly ClusterNode[],
      pods: (this.lists.pods ??= [...this.pods.values()]) as readonly ClusterPod[],
      dra: (this.isDraKnown ? (this.lists.dra ??= this.dra()) : null) as ClusterState['dra'],
    };
    return this.whole;
  }

  /** Resolves at the next change, or when `stop` is called. */
  next(): { readonly changed: Promise<void>; readonly stop: () => void } {
    let stop = (): void => undefined;
    const changed = new Promise<void>((resolve) => {
      stop = () => {
        this.waiting.delete(stop);
        resolve();
      };
      this.waiting.add(stop);
    });
    return { changed, stop };
  }

  wakeAll(): void {
    for (const wake of [...this.waiting]) wake();
  }

  /** Of something beside the objects, too. */
  countChange(): void {
    this.changes += 1;
    this.wakeAll();
  }

  putNode(name: string, node: ClusterNode): void {
    if (!this.keep(this.nodes, name, node)) return;
    if (gpuNodeOf(node, []) !== null) this.learnGpuNode(name);
    this.touch('nodes');
  }

  removeNode(name: string): void {
    if (!this.nodes.delete(name)) return;
    this.gpuNodes.delete(name);
    this.touch('nodes');
  }

  putPod(key: string, pod: ClusterPod): void {
    const before = this.pods.get(key);
    if (!this.keep(this.pods, key, pod)) return;
    if (before !== undefined && before.node !== pod.node) this.unplace(key, before);
    if (pod.node !== null) {
      const there = this.byNode.get(pod.node) ?? new Map<string, ClusterPod>();
      this.byNode.set(pod.node, there.set(key, pod));
      this.podLists.delete(pod.node);
    }
    this.touch('pods');
  }

  removePod(key: string): void {
    const before = this.pods.get(key);
    if (before === undefined) return;
    this.pods.delete(key);
    this.unplace(key, before);
    this.touch('pods');
  }

  putSlice(name: string, slice: DeviceSlice): void {
    if (!this.keep(this.slices, name, slice)) return;
    for (const { node } of slice.devices) if (node !== null) this.learnGpuNode(node);
    this.touch('dra');
  }

  removeSlice(name: string): void {
    if (this.slices.delete(name)) this.touch('dra');
  }

  putClaim(key: string, claim: SeenClaim): void {
    if (this.keep(this.claims, key, claim)) this.touch('dra');
  }

  removeClaim(key: string): void {
    if (this.claims.delete(key)) this.touch('dra');
  }

  /** What a list has not is gone; what it has unchanged stays the same object. */
  replace<T>(part: Part, all: ReadonlyMap<string, T>): void {
    const [known, put, remove] = this.partOf(part);
    for (const key of [...known.keys()]) if (!all.has(key)) remove(key);
    for (const [key, value] of all) put(key, value as never);
  }

  private partOf(
    part: Part,
  ): readonly [ReadonlyMap<string, unknown>, (key: string, value: never) => void, (key: string) => void] {
    switch (part) {
      case 'nodes':
        return [this.nodes, (key, node) => this.putNode(key, node), (key) => this.removeNode(key)];
      case 'pods':
        return [this.pods, (key, pod) => this.putPod(key, pod), (key) => this.removePod(key)];
      case 'slices':
        return [this.slices, (key, slice) => this.putSlice(key, slice), (key) => this.removeSlice(key)];
      case 'claims':
        return [this.claims, (key, claim) => this.putClaim(key, claim), (key) => this.removeClaim(key)];
    }
  }

  /** `false`: it is the one that is there. */
  private keep<T extends Versioned>(all: Map<string, T>, key: string, value: T): boolean {
    const before = all.get(key);
    if (before?.uid === value.uid && before.resourceVersion === value.resourceVersion) return false;
    all.set(key, value);
    return true;
  }

  private unplace(key: string, { node }: ClusterPod): void {
    if (node === null) return;
    const there = this.byNode.get(node);
    there?.delete(key);
    if (there?.size === 0) this.byNode.delete(node);
    this.podLists.delete(node);
  }

  private learnGpuNode(name: string): void {
    if (this.gpuNodes.has(name)) return;
    this.gpuNodes.add(name);
    this.onGpuNode(name);
  }

  private touch(part: 'nodes' | 'pods' | 'dra'): void {
    this.lists = { ...this.lists, [part]: undefined };
    this.whole = undefined;
    this.countChange();
  }

  private dra(): ClusterState['dra'] {
    return draOf(this.slices.values(), this.claims.values(), (device) => {
      const twin = this.takenTwins.get(device) ?? { ...device, taken: true };
      this.takenTwins.set(device, twin);
      return twin;
    });
  }
}

/** Devices of the newest generation of each pool; those that a claim has, as `asTaken` makes them. */
function draOf(
  slices: Iterable<DeviceSlice>,
  claims: Iterable<SeenClaim>,
  asTaken: (device: DraDevice) => DraDevice,
): { readonly devices: readonly DraDevice[]; readonly claims: readonly DraClaim[] } {
  const all = [...slices];
  const newest = new Map<string, number>();
  for (const { pool, generation } of all) newest.set(pool, Math.max(newest.get(pool) ?? 0, generation));
  const known = [...claims];
  const taken = new Set(known.flatMap(({ devices }) => devices));
  const devices = all
    .filter(({ pool, generation }) => newest.get(pool) === generation)
    .flatMap((slice) => slice.devices)
    .map((one) => (taken.has(`${one.driver}/${one.pool}/${one.device}`) ? asTaken(one) : one));
  return { devices, claims: known };
}
