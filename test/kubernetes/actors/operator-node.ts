/**
 * A node under the GPU Operator, acted out on a simulated clock: its GPUs, mig-manager, the kubelet with the device
 * plugin and GPU feature discovery, and the DaemonSet controller; well behaved, or with one of the known traps.
 *
 * Source of the order and of the traps: NVIDIA/mig-parted@bd7160f (pkg/mig/reconfigure, cmd/nvidia-mig-manager),
 * NVIDIA/k8s-device-plugin@1b826ac, NVIDIA/gpu-operator issues 2670, 2833, 2874, 2415, 2026-08/09; written anew.
 */
import { parse } from 'yaml';
import {
  allDisabledEntries,
  cutOf,
  isSameCut,
  type GpuCut,
  type MigEntry,
} from '#core/cluster/operator/mig-config';
import { operatorNamespace, type ActorCluster } from '../../support/operator-cluster.js';

export interface Traps {
  /** Step 8 times out: it returns at `pending`, components paused, the first time or always. */
  readonly hangsPending?: 'once' | 'always';
  /** These configurations fail to be applied, and leave the GPU empty. */
  readonly fails?: (config: string) => boolean;
  /** A failure leaves the components paused: the process-wide flag of an earlier success. */
  readonly pausedAfterFailure?: boolean;
  readonly pausedAfterSuccess?: boolean;
  /** `success`, and no instance was made. */
  readonly createsNothing?: (config: string) => boolean;
  /** The first pod was started while the driver was unloaded: it fails whatever it is asked. */
  readonly startedWithoutDriver?: boolean;
  readonly saysNothing?: boolean;
  /** It takes so long before it says a word. */
  readonly lateMs?: number;
  /** The plugin shows the old slices until it is restarted. */
  readonly stalePlugin?: boolean;
  /** GFD's labels stay, or say MIG-INVALID, until it is restarted. */
  readonly staleLabels?: 'old' | 'invalid';
  /** A mode change goes through a reboot. */
  readonly reboots?: 'back' | 'never' | 'pretends';
  /** The node goes NotReady on a mode change, and stays so. */
  readonly notReady?: boolean;
  /** Everybody on the node looks around that often; the default is a second. */
  readonly looksEachMs?: number;
}

const parts = [
  ['device-plugin', 'nvidia-device-plugin-daemonset'],
  ['gpu-feature-discovery', 'gpu-feature-discovery'],
  ['mig-manager', 'nvidia-mig-manager'],
] as const;
type Part = (typeof parts)[number][0];

const tickMs = 1_000;
const mountDelayMs = 60_000;

export class OperatorNode {
  /** What the GPUs carry. */
  cut: Map<number, GpuCut>;
  readonly #cluster: ActorCluster;
  readonly #name: string;
  readonly #gpus: number;
  readonly #traps: Traps;
  readonly #configMap: string;
  #isStopped = false;
  #isUp = true;
  #hangs = 0;
  #files: { readonly atMs: number; readonly text: string }[] = [];
  #pluginShows: Map<number, GpuCut>;
  #published = new Map<Part, string>();
  #startedMs = new Map<string, number>();
  #firstManager = '';
  #lastRead: string | undefined;

  constructor(
    cluster: ActorCluster,
    name: string,
    cut: ReadonlyMap<number, GpuCut>,
    traps: Traps = {},
    configMap = 'mica-mig-config',
  ) {
    this.#cluster = cluster;
    this.#name = name;
    this.cut = new Map(cut);
    this.#gpus = cut.size;
    this.#traps = traps;
    this.#configMap = configMap;
    this.#pluginShows = new Map(cut);
    for (const [part] of parts) this.#startPod(part);
    this.#firstManager = this.#pod('mig-manager')?.uid ?? '';
    for (const [part] of parts) this.#published.set(part, this.#pod(part)?.uid ?? '');
    this.#files.push({ atMs: -Infinity, text: this.#file() });
    this.#publishResources(this.cut);
    this.#publishLabels(this.cut);
    void this.#components();
    void this.#manager();
  }

  /** It has seen that value already, and is woken by another only. */
  hasRead(config: string): void {
    this.#lastRead = config;
  }

  stop(): void {
    this.#isStopped = true;
  }

  #label(key: string): string | undefined {
    return this.#cluster.node(this.#name).labels[`nvidia.com/${key}`];
  }

  #set(labels: Readonly<Record<string, string>>): void {
    const full = Object.fromEntries(
      Object.entries(labels).map(([key, value]) => [`nvidia.com/${key}`, value]),
    );
    this.#cluster.editNode(this.#name, { labels: full });
  }

  #say(state: string): void {
    this.#cluster.note(`  ~ mig-manager on ${this.#name}: ${state}`);
    this.#set({ 'mig.config.state': state });
  }

  #pod(part: Part) {
    const app = parts.find(([name]) => name === part)?.[1];
    return this.#cluster.podsOn(this.#name).find((pod) => pod.labels['app'] === app);
  }

  #startPod(part: Part): void {
    const app = parts.find(([name]) => name === part)?.[1] ?? '';
    const pod = this.#cluster.addPod({
      name: `${app}-${this.#name}`,
      namespace: operatorNamespace,
      node: this.#name,
      labels: { app },
      controller: { kind: 'DaemonSet', name: app, uid: `ds-${app}` },
    });
    this.#startedMs.set(pod.uid, this.#cluster.clock.nowMs());
  }

  /** The DaemonSet controller, the kubelet, the device plugin and GFD, once a second. */
  async #components(): Promise<void> {
    const { clock } = this.#cluster;
    while (!this.#isStopped) {
      await clock.sleep(this.#traps.looksEachMs ?? tickMs);
      if (!this.#isUp) continue;
      for (const [part] of parts) {
        const isWanted = part === 'mig-manager' || this.#label(`gpu.deploy.${part}`) === 'true';
        const pod = this.#pod(part);
        if (pod === undefined && isWanted) this.#startPod(part);
        else if (pod !== undefined && !isWanted) this.#cluster.removePod(pod.uid);
        if (pod === undefined || pod.isDeleting) {
          if (part === 'device-plugin') this.#publishResources(null);
          continue;
        }
        const ageMs = clock.nowMs() - (this.#startedMs.get(pod.uid) ?? 0);
        const isNew = this.#published.get(part) !== pod.uid;
        if (isNew && ageMs >= 8_000) this.#publish(part, pod.uid);
      }
    }
  }

  #publish(part: Part, uid: string): void {
    this.#published.set(part, uid);
    if (part === 'device-plugin') {
      const isStale = this.#traps.stalePlugin === true && !sameCuts(this.#pluginShows, this.cut);
      this.#publishResources(isStale ? this.#pluginShows : this.cut);
      // The next start of the plugin sees what is there.
      this.#pluginShows = new Map(this.cut);
    }
    if (part === 'gpu-feature-discovery') {
      const trap = this.#staleLabels;
      this.#staleLabels = null;
      if (trap === 'invalid') this.#set({ 'gpu.product': 'NVIDIA-H100-80GB-HBM3-MIG-INVALID' });
      else if (trap !== 'old') this.#publishLabels(this.cut);
    }
  }

  #staleLabels: 'old' | 'invalid' | null = null;

  /** `null`: the plugin is gone, and nothing can be had. Resources that are gone stay in capacity. */
  #publishResources(cut: ReadonlyMap<number, GpuCut> | null): void {
    const counts: Record<string, number> = {};
    for (const one of cut?.values() ?? []) {
      if (!one.mig) counts['nvidia.com/gpu'] = (counts['nvidia.com/gpu'] ?? 0) + 1;
      else {
        for (const [profile, count] of Object.entries(one.counts)) {
          const resource = `nvidia.com/mig-${profile.replaceAll('+', '.')}`;
          counts[resource] = (counts[resource] ?? 0) + count;
        }
      }
    }
    const node = this.#cluster.node(this.#name);
    const gone = Object.fromEntries(Object.keys(node.capacity).map((key) => [key, 0]));
    const allocatable = { ...gone, ...counts };
    if (JSON.stringify(node.allocatable) === JSON.stringify(allocatable)) return;
    this.#cluster.editNode(this.#name, { allocatable, capacity: { ...node.capacity, ...counts } });
  }

  #publishLabels(cut: ReadonlyMap<number, GpuCut>): void {
    const node = this.#cluster.node(this.#name);
    const old = Object.keys(node.labels).filter((key) => /^nvidia\.com\/mig-\d/.test(key));
    const labels: Record<string, string | null> = Object.fromEntries(old.map((key) => [key, null]));
    labels['nvidia.com/gpu.product'] = 'NVIDIA-H100-80GB-HBM3';
    for (const one of cut.values()) {
      for (const [profile, count] of Object.entries(one.mig ? one.counts : {})) {
        const key = `nvidia.com/mig-${profile.replaceAll('+', '.')}.count`;
        labels[key] = String(Number(labels[key] ?? 0) + count);
      }
    }
    this.#cluster.editNode(this.#name, { labels });
  }

  #file(): string {
    return this.#cluster.configFile(this.#configMap);
  }

  /** The kubelet brings a changed ConfigMap into a running pod after a while, and into a new one at once. */
  #mounted(podStartedMs: number): string {
    const nowMs = this.#cluster.clock.nowMs();
    const seen = this.#files.filter(({ atMs }) => atMs <= Math.max(nowMs - mountDelayMs, podStartedMs));
    return seen.at(-1)?.text ?? '';
  }

  async #manager(): Promise<void> {
    const { clock } = this.#cluster;
    let uid = this.#firstManager;
    this.#lastRead = this.#label('mig.config');
    while (!this.#isStopped) {
      await clock.sleep(this.#traps.looksEachMs ?? tickMs);
      const text = this.#file();
      if (this.#files.at(-1)?.text !== text) this.#files.push({ atMs: clock.nowMs(), text });
      if (!this.#isUp) continue;
      const pod = this.#pod('mig-manager');
      if (pod === undefined || pod.isDeleting) continue;
      if (pod.uid !== uid) this.#lastRead = undefined;
      uid = pod.uid;
      const config = this.#label('mig.config');
      if (config === undefined || config === this.#lastRead) continue;
      this.#lastRead = config;
      const isAlive = (): boolean =>
        this.#pod('mig-manager')?.uid === pod.uid && !this.#pod('mig-manager')?.isDeleting;
      const rebooted = await this.#reconfigure(config, this.#startedMs.get(pod.uid) ?? 0, isAlive);
      if (rebooted) this.#lastRead = undefined;
    }
  }

  /** True: the node was rebooted, and mig-manager begins anew. */
  async #reconfigure(config: string, startedMs: number, isAlive: () => boolean): Promise<boolean> {
    const { clock } = this.#cluster;
    const traps = this.#traps;
    if (traps.saysNothing === true) return false;
    await clock.sleep(2_000 + (traps.lateMs ?? 0));
    if (traps.startedWithoutDriver === true && this.#pod('mig-manager')?.uid === this.#firstManager) {
      this.#say('failed');
      return false;
    }
    const wanted = this.#configured(config, this.#mounted(startedMs));
    if (wanted === null) {
      this.#say('failed');
      return false;
    }
    if (sameCuts(wanted, this.cut)) {
      this.#say('success');
      return false;
    }
    this.#say('pending');
    this.#pause();
    await clock.sleep(15_000);
    if (!isAlive()) return false;
    if (traps.hangsPending === 'always' || (traps.hangsPending === 'once' && (this.#hangs += 1) === 1))
      return false;
    const isSwitched = [...wanted].some(([index, one]) => this.cut.get(index)?.mig !== one.mig);
    if (isSwitched && traps.notReady === true) {
      this.#isUp = false;
      this.#cluster.note(`  ~ ${this.#name} is not ready`);
      this.#cluster.editNode(this.#name, { isReady: false });
      return false;
    }
    if (isSwitched && traps.reboots !== undefined) return this.#reboot(wanted);
    await clock.sleep(10_000);
    if (!isAlive()) return false;
    this.#checkHolders(wanted);
    // A GPU that is as wanted is passed over.
    const changed = [...wanted].filter(([index, one]) => !sameCuts(new Map([[index, one]]), this.cut));
    if (traps.fails?.(config) === true) {
      for (const [index, one] of changed) if (one.mig) this.cut.set(index, { mig: true, counts: {} });
      if (traps.pausedAfterFailure !== true) this.#unpause();
      this.#say('failed');
      return false;
    }
    const isEmpty = traps.createsNothing?.(config) === true;
    for (const [index, one] of changed)
      this.cut.set(index, isEmpty && one.mig ? { mig: true, counts: {} } : one);
    if (traps.staleLabels !== undefined) this.#staleLabels = traps.staleLabels;
    if (traps.pausedAfterSuccess !== true) this.#unpause();
    this.#say('success');
    return false;
  }

  async #reboot(wanted: ReadonlyMap<number, GpuCut>): Promise<boolean> {
    const { clock } = this.#cluster;
    this.#say('rebooting');
    if (this.#traps.reboots === 'pretends') return false;
    this.#isUp = false;
    await clock.sleep(5_000);
    const others = this.#cluster
      .podsOn(this.#name)
      .filter((pod) => pod.controller?.kind !== 'DaemonSet' && !pod.isMirror && pod.phase === 'Running');
    if (others.length > 0)
      this.#cluster.broken.push(`rebooted under ${others.map(({ name }) => name).join(', ')}`);
    this.#cluster.note(`  ~ ${this.#name} reboots`);
    this.#cluster.editNode(this.#name, { isReady: false });
    if (this.#traps.reboots === 'never') return false;
    await clock.sleep(120_000);
    // The mode holds over a reboot, the instances do not.
    for (const [index, one] of wanted) this.cut.set(index, one.mig ? { mig: true, counts: {} } : one);
    this.#isUp = true;
    this.#cluster.note(`  ~ ${this.#name} is back`);
    this.#cluster.editNode(this.#name, { isReady: true });
    return true;
  }

  #pause(): void {
    this.#set({
      'gpu.deploy.device-plugin': 'paused-for-mig-change',
      'gpu.deploy.gpu-feature-discovery': 'paused-for-mig-change',
    });
  }

  #unpause(): void {
    this.#set({ 'gpu.deploy.device-plugin': 'true', 'gpu.deploy.gpu-feature-discovery': 'true' });
  }

  /** A GPU is cleared whoever is on it: that is what must not happen. */
  #checkHolders(wanted: ReadonlyMap<number, GpuCut>): void {
    for (const pod of this.#cluster.podsOn(this.#name)) {
      const held = pod.annotations['test/gpu'];
      if (held === undefined) continue;
      const index = Number(held);
      const one = wanted.get(index);
      const before = this.cut.get(index);
      if (one !== undefined && before !== undefined && !isSameCut(one, before)) {
        this.#cluster.broken.push(`GPU ${index} of ${this.#name} was cleared under ${pod.name}`);
      }
    }
  }

  #configured(config: string, file: string): ReadonlyMap<number, GpuCut> | null {
    let read: { readonly 'mig-configs'?: Readonly<Record<string, readonly MigEntry[]>> };
    try {
      read = (parse(file) ?? {}) as typeof read;
    } catch {
      return null;
    }
    const entries =
      read['mig-configs']?.[config] ?? (config === 'all-disabled' ? allDisabledEntries : undefined);
    return entries === undefined ? null : cutOf(entries, this.#gpus);
  }
}

function sameCuts(one: ReadonlyMap<number, GpuCut>, other: ReadonlyMap<number, GpuCut>): boolean {
  return [...one].every(([index, cut]) => {
    const there = other.get(index);
    return there !== undefined && isSameCut(cut, there);
  });
}
