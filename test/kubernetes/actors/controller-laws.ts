/** What a controller must never do, checked at each of its calls against the cluster as it is, not as it sees it. */
import type { MigEntry } from '#core/cluster/operator/mig-config';
import { readRecord, type ChangeRecord } from '#core/cluster/operator/record';
import type { ClusterNode, ClusterPod } from '#core/cluster/objects';
import type { MigPolicy } from '#core/cluster/policy/mig-policy';
import { windowsAt } from '#core/cluster/policy/windows';
import type { NodePatch, PodName } from '#ports/cluster-api';
import type { OperatorCluster } from '../../support/operator-cluster.js';
import type { LeaseStore } from './lease-store.js';
import type { PolicyStore } from './policy-store.js';

/** Between a decision and its first call the world goes on for so long at most. */
const decidedMs = 12_000;

const writes: ReadonlySet<string> = new Set([
  'api.patchNode',
  'api.evict',
  'api.deletePod',
  'api.applyConfigMap',
  'policies.writeStatus',
]);

export interface Begun {
  readonly node: string;
  readonly atMs: number;
  readonly config: string;
}

export class ControllerLaws {
  readonly begun: Begun[] = [];
  readonly evicted: string[] = [];
  /** Pods that waited and are gone, with when. */
  readonly #left: { readonly pod: ClusterPod; readonly atMs: number }[] = [];
  #known = new Map<string, ClusterPod>();
  readonly #ends = new Map<string, number>();
  readonly #formerPolicies: { readonly policy: MigPolicy; readonly atMs: number }[] = [];
  readonly #cluster: OperatorCluster;
  readonly #policies: PolicyStore;
  readonly #lease: LeaseStore;

  constructor(cluster: OperatorCluster, policies: PolicyStore, lease: LeaseStore) {
    this.#cluster = cluster;
    this.#policies = policies;
    this.#lease = lease;
  }

  /** Something changed. */
  stir(): void {
    const nowMs = this.#cluster.clock.nowMs();
    for (const [uid, pod] of this.#known)
      if (!this.#cluster.pods.has(uid) || this.#cluster.pods.get(uid)?.node !== null)
        this.#left.push({ pod, atMs: nowMs });
    while ((this.#left[0]?.atMs ?? Infinity) < nowMs - decidedMs) this.#left.shift();
    this.#known = new Map(
      this.#cluster.allPods().flatMap((pod) => (pod.unschedulable === null ? [] : [[pod.uid, pod] as const])),
    );
    for (const { name, annotations } of this.#cluster.nodes.values()) {
      const last = annotations['mica.dev/last-change'];
      if (last === undefined) continue;
      const { endedMs } = JSON.parse(last) as { endedMs: number };
      this.#ends.set(name, Math.max(endedMs, this.#ends.get(name) ?? 0));
    }
  }

  /** A policy is about to be another. */
  changing(policy: MigPolicy): void {
    this.#formerPolicies.push({ policy, atMs: this.#cluster.clock.nowMs() });
  }

  doing(who: string, call: string, args: readonly unknown[]): void {
    const { holder } = this.#lease;
    if (writes.has(call) && holder !== who)
      this.#break(`${who} does ${call} while ${holder || 'nobody'} leads`);
    if (call === 'api.patchNode') this.#patching(args[0] as string, args[1] as NodePatch, args[2] as string);
    if (call === 'api.evict') this.#evicting(args[0] as PodName);
  }

  #patching(name: string, patch: NodePatch, version: string): void {
    const node = this.#cluster.nodes.get(name);
    const text = patch.annotations?.['mica.dev/change'];
    if (node === undefined || text === undefined || text === null) return;
    if (version !== node.resourceVersion) return;
    const record = JSON.parse(text) as ChangeRecord;
    const before = readRecord(node.annotations);
    const isBegin = before === null || before === 'unreadable' || before.phase === 'stuck';
    if (isBegin && record.phase !== 'stuck') this.#beginning(node, record);
  }

  #beginning(node: ClusterNode, record: ChangeRecord): void {
    const nowMs = this.#cluster.clock.nowMs();
    this.begun.push({ node: node.name, atMs: nowMs, config: record.goal.config });
    const faults = this.#ownersOf(node, nowMs).map((policy) => this.#faultOf(node, record, policy, nowMs));
    // One of the policies as they were a moment ago allows it.
    if (faults.length === 0) this.#break(`${node.name} is changed, and no policy has it`);
    else if (faults.every((fault) => fault !== null)) this.#break(`${node.name}: ${faults.join(' / ')}`);
  }

  #faultOf(node: ClusterNode, record: ChangeRecord, policy: MigPolicy, nowMs: number): string | null {
    const { mode, maxUnavailable, cooldownMs, maintenanceWindows, evictions, allowedProfiles } = policy.spec;
    if (mode !== 'Auto') return `changed under ${mode}`;
    const own = [...this.#cluster.nodes.values()].filter((one) => selects(policy, one));
    const away = own.filter(
      (one) =>
        one.name !== node.name &&
        (one.isCordoned || !one.isReady || one.annotations['mica.dev/change'] !== undefined),
    );
    if (away.length + 1 > maxUnavailable && !node.isCordoned && node.isReady)
      return `${away.length + 1} nodes away, and ${maxUnavailable} may be`;
    const endedMs = this.#ends.get(node.name) ?? -Infinity;
    if (nowMs < endedMs + cooldownMs) return `changed again after ${(nowMs - endedMs) / 1000} s`;
    const isOpen = [0, 1_000].some((agoMs) => windowsAt(maintenanceWindows, nowMs - agoMs).isOpen);
    if (!isOpen) return 'changed outside of the windows';
    if ((record.mayEvict !== false) !== (evictions === 'Allowed')) return `evictions ${evictions}`;
    const profiles = record.goal.entries.flatMap((entry) =>
      isBeyond(entry.devices, record)
        ? []
        : entry['mig-enabled']
          ? Object.keys(entry['mig-devices'] ?? {})
          : ['whole'],
    );
    const odd = profiles.find((profile) => allowedProfiles !== null && !allowedProfiles.includes(profile));
    if (odd !== undefined) return `${odd} is not allowed`;
    const waiting = [...this.#known.values(), ...this.#left.map(({ pod }) => pod)];
    const isRipe = waiting.some(
      ({ unschedulable }) => (unschedulable?.sinceMs ?? Infinity) + policy.spec.pendingMs <= nowMs,
    );
    return isRipe ? null : 'nobody has waited for long enough';
  }

  #evicting({ uid, name }: PodName): void {
    const pod = this.#cluster.pods.get(uid);
    if (pod === undefined || pod.node === null) return;
    const record = readRecord(this.#cluster.node(pod.node).annotations);
    if (record === null || record === 'unreadable') this.#break(`${name} is evicted, and nothing is changed`);
    else if (record.phase !== 'clearing') this.#break(`${name} is evicted in ${record.phase}`);
    else if (record.mayEvict === false) this.#break(`${name} is evicted, and nobody may be`);
    this.evicted.push(name);
  }

  #ownersOf(node: ClusterNode, nowMs: number): readonly MigPolicy[] {
    const isFor = (policy: MigPolicy): boolean =>
      policy.spec.backend === 'gpu-operator' && selects(policy, node);
    const now = this.#policies.all
      .flatMap((seen) => (seen.ok && isFor(seen.policy) ? [seen.policy] : []))
      .sort((a, b) => a.createdMs - b.createdMs);
    const former = this.#formerPolicies.filter(({ atMs, policy }) => atMs > nowMs - 1_000 && isFor(policy));
    return [...now.slice(0, 1), ...former.map(({ policy }) => policy)];
  }

  #break(law: string): void {
    this.#cluster.broken.push(law);
    this.#cluster.note(`!!! ${law}`);
  }
}

/** It says of other GPUs than those that are cut how they stay. */
function isBeyond(devices: MigEntry['devices'], { reach }: ChangeRecord): boolean {
  return devices !== 'all' && !devices.some((index) => reach.gpus.includes(index));
}

function selects({ spec }: MigPolicy, { labels }: ClusterNode): boolean {
  if (labels['nvidia.com/gpu.present'] !== 'true') return false;
  return Object.entries(spec.nodeSelector).every(([key, value]) => labels[key] === value);
}
