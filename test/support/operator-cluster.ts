/**
 * A cluster in memory as changing nodes needs it, as strict as a real one where that matters: versions, uids, budgets.
 * It notes every write, and every rule that the writer broke.
 */
import type { ClusterNode, ClusterPod } from '#core/cluster/objects';
import type { NodeApi } from '#engines/cluster/ports';
import type { Clock } from '#ports/clock';
import type { ApiAnswer, ApiRefusal, ConfigMapValue, NodePatch } from '#ports/cluster-api';
import { aNode, aPod } from './cluster-objects.js';
import type { VirtualClock } from './virtual-clock.js';

export interface Budget {
  readonly name: string;
  readonly app: string;
  minAvailable: number;
}

/** What an API call meets: a refusal before anything is done, or `lost`: done, and nobody hears of it. */
export type Fault = (call: string, count: number) => ApiRefusal['kind'] | 'lost' | null;

export const operatorNamespace = 'gpu-operator';

export type NodeChange = Partial<Omit<ClusterNode, 'labels'>> & {
  readonly labels?: Readonly<Record<string, string | null>>;
};

/** A cluster as those who work in it see it: the kubelet, mig-manager, controllers. */
export interface ActorCluster {
  readonly clock: Clock;
  readonly broken: string[];
  readonly note: (text: string) => void;
  readonly node: (name: string) => ClusterNode;
  readonly editNode: (name: string, edit: NodeChange) => void;
  readonly allPods: () => readonly ClusterPod[];
  readonly podsOn: (name: string) => readonly ClusterPod[];
  readonly addPod: (said: Partial<ClusterPod> & { readonly name: string }) => ClusterPod;
  readonly editPod: (uid: string, edit: Partial<ClusterPod>) => void;
  readonly removePod: (uid: string) => void;
  readonly configFile: (name: string) => string;
}

export class OperatorCluster implements ActorCluster {
  readonly clock: VirtualClock;
  readonly nodes = new Map<string, ClusterNode>();
  readonly pods = new Map<string, ClusterPod>();
  readonly configMaps = new Map<string, ConfigMapValue>();
  readonly budgets: Budget[] = [];
  readonly log: string[] = [];
  readonly broken: string[] = [];
  /** Of this many nodes with our record, cordoned, at most. */
  mostAway = 0;
  fault: Fault = () => null;
  calls = 0;
  /** Something changed: told once for all that happens at one moment. */
  onChange: () => void = () => undefined;
  #isTelling = false;
  readonly #startMs: number;
  readonly #evicted = new Set<string>();
  #version = 100;
  #uids = 0;

  constructor(clock: VirtualClock) {
    this.clock = clock;
    this.#startMs = clock.nowMs();
  }

  note(text: string): void {
    const seconds = Math.round((this.clock.nowMs() - this.#startMs) / 1000);
    const two = (part: number): string => String(part).padStart(2, '0');
    this.log.push(`${two(Math.floor(seconds / 60))}:${two(seconds % 60)} ${text}`);
  }

  addNode(said: Partial<ClusterNode> & { readonly name: string }): void {
    this.nodes.set(said.name, aNode({ ...said, resourceVersion: this.#next() }));
  }

  addPod(said: Partial<ClusterPod> & { readonly name: string }): ClusterPod {
    this.#uids += 1;
    const pod = aPod({
      uid: `pod-${this.#uids}`,
      ...said,
      createdMs: this.clock.nowMs(),
      resourceVersion: this.#next(),
    });
    this.pods.set(pod.uid, pod);
    return pod;
  }

  editPod(uid: string, edit: Partial<ClusterPod>): void {
    const pod = this.pods.get(uid);
    if (pod !== undefined) this.pods.set(uid, { ...pod, ...edit, resourceVersion: this.#next() });
  }

  removePod(uid: string): void {
    if (this.pods.delete(uid)) this.#next();
  }

  node(name: string): ClusterNode {
    const node = this.nodes.get(name);
    if (node === undefined) throw new Error(`no node ${name}`);
    return node;
  }

  podsOn(name: string): readonly ClusterPod[] {
    return this.allPods().filter((pod) => pod.node === name);
  }

  allPods(): readonly ClusterPod[] {
    return [...this.pods.values()];
  }

  configFile(name: string): string {
    return this.configMaps.get(`${operatorNamespace}/${name}`)?.data['config.yaml'] ?? '';
  }

  /** By others than Mica: the kubelet, mig-manager, people. */
  editNode(name: string, edit: NodeChange): void {
    const node = this.node(name);
    const { labels, ...rest } = edit;
    const next = { ...node, ...rest, labels: merged(node.labels, labels), resourceVersion: this.#next() };
    this.nodes.set(name, next);
  }

  api(): NodeApi {
    return {
      getNode: (name) => this.#call(`get node ${name}`, false, () => found(this.nodes.get(name), name)),
      nodes: (label) =>
        this.#call('list nodes', false, () =>
          ok(
            [...this.nodes.values()].filter(
              ({ labels }) => label === undefined || labels[label.key] === label.value,
            ),
          ),
        ),
      podsOn: (name) => this.#call(`list pods of ${name}`, false, () => ok(this.podsOn(name))),
      patchNode: (name, patch, version) =>
        this.#call(`patch node ${name}: ${patchInWords(patch, this.nodes.get(name))}`, true, () =>
          this.#patch(name, patch, version),
        ),
      evict: (pod) =>
        this.#call(`evict ${pod.namespace}/${pod.name}`, true, () =>
          this.#evict(pod.uid, pod.resourceVersion),
        ),
      deletePod: (pod) =>
        this.#call(`delete pod ${pod.namespace}/${pod.name}`, true, () => {
          const there = this.pods.get(pod.uid);
          if (there === undefined) return no('gone', 'there is no such pod');
          if (there.namespace !== operatorNamespace) this.broken.push(`deleted a pod of a user: ${pod.name}`);
          this.#end(there, 2_000);
          return ok(null);
        }),
      getConfigMap: (namespace, name) =>
        this.#call(`get configmap ${name}`, false, () =>
          ok(this.configMaps.get(`${namespace}/${name}`) ?? null),
        ),
      listConfigMaps: (namespace) =>
        this.#call('list configmaps', false, () =>
          ok([...this.configMaps.values()].filter((one) => one.namespace === namespace)),
        ),
      applyConfigMap: (namespace, name, data, version) =>
        this.#call(`apply configmap ${namespace}/${name}`, true, () => {
          const before = this.configMaps.get(`${namespace}/${name}`);
          if (version !== undefined && version !== before?.resourceVersion)
            return no('conflict', 'changed meanwhile');
          const value = {
            namespace,
            name,
            labels: before?.labels ?? {},
            data: { ...before?.data, ...data },
            resourceVersion: this.#next(),
          };
          this.configMaps.set(`${namespace}/${name}`, value);
          return ok(value);
        }),
      recordEvent: (event) =>
        this.#call(`event ${event.type} ${event.reason}: ${event.message}`, true, () => ok(null)),
    };
  }

  async #call<T>(what: string, isWrite: boolean, act: () => ApiAnswer<T>): Promise<ApiAnswer<T>> {
    this.calls += 1;
    const fault = this.fault(what, this.calls);
    if (fault !== null && fault !== 'lost') {
      if (isWrite) this.note(`${what} -> ${fault}`);
      return no(fault, `the server says ${fault}`);
    }
    const answer = act();
    if (isWrite)
      this.note(
        `${what}${answer.ok ? '' : ` -> ${answer.why.kind}: ${answer.why.message}`}${fault === null ? '' : ' (answer lost)'}`,
      );
    if (fault === 'lost') return no('unreachable', 'the connection was cut');
    return answer;
  }

  #patch(name: string, patch: NodePatch, version: string | undefined): ApiAnswer<ClusterNode> {
    const node = this.nodes.get(name);
    if (node === undefined) return no('gone', 'there is no such node');
    if (version !== undefined && version !== node.resourceVersion) return no('conflict', 'changed meanwhile');
    for (const key of [...Object.keys(patch.labels ?? {}), ...Object.keys(patch.annotations ?? {})]) {
      if (!/^(nvidia\.com\/(mig\.config|gpu\.deploy\.)|mica\.dev\/)/.test(key))
        this.broken.push(`wrote ${key}`);
    }
    const next: ClusterNode = {
      ...node,
      labels: merged(node.labels, patch.labels),
      annotations: merged(node.annotations, patch.annotations),
      isCordoned: patch.cordoned ?? node.isCordoned,
      taints: node.taints.filter(({ key }) => !(patch.removeTaints ?? []).some((one) => one.key === key)),
      resourceVersion: this.#next(),
    };
    this.nodes.set(name, next);
    const away = [...this.nodes.values()].filter(({ annotations }) => isAway(annotations['mica.dev/change']));
    this.mostAway = Math.max(this.mostAway, away.length);
    return ok(next);
  }

  #evict(uid: string, version: string | undefined): ApiAnswer<null> {
    const pod = this.pods.get(uid);
    if (pod === undefined) return no('gone', 'there is no such pod');
    if (pod.isDeleting && version !== undefined) return no('gone', 'it is on its way');
    if (version !== undefined && version !== pod.resourceVersion) return no('conflict', 'changed meanwhile');
    if (this.#evicted.has(uid)) this.broken.push(`evicted ${pod.name} twice`);
    const app = pod.labels['app'] ?? '';
    for (const budget of this.budgets.filter((one) => one.app === app)) {
      const healthy = [...this.pods.values()].filter(
        (one) => one.labels['app'] === app && one.isReady && !one.isDeleting && one.node !== null,
      );
      if (healthy.length <= budget.minAvailable)
        return no('too-many', `PodDisruptionBudget ${budget.name} says no`);
    }
    this.#evicted.add(uid);
    this.#end(pod, Math.min(pod.graceSeconds, 5) * 1000);
    return ok(null);
  }

  #end(pod: ClusterPod, afterMs: number): void {
    this.editPod(pod.uid, { isDeleting: true });
    this.clock.in(afterMs, () => this.removePod(pod.uid));
  }

  #next(): string {
    if (!this.#isTelling) {
      this.#isTelling = true;
      queueMicrotask(() => {
        this.#isTelling = false;
        this.onChange();
      });
    }
    this.#version += 1;
    return String(this.#version);
  }
}

/** A claim takes nothing away yet. */
function isAway(record: string | undefined): boolean {
  return record !== undefined && !record.includes('"phase":"claimed"');
}

function ok<T>(value: T): ApiAnswer<T> {
  return { ok: true, value };
}

function no(kind: ApiRefusal['kind'], message: string): { readonly ok: false; readonly why: ApiRefusal } {
  return { ok: false, why: { kind, message, retryAfterMs: null } };
}

function found(node: ClusterNode | undefined, name: string): ApiAnswer<ClusterNode> {
  return node === undefined ? no('gone', `there is no node ${name}`) : ok(node);
}

function merged(
  before: Readonly<Record<string, string>>,
  changed: Readonly<Record<string, string | null>> = {},
): Readonly<Record<string, string>> {
  const all: Record<string, string> = { ...before };
  for (const [key, value] of Object.entries(changed)) {
    if (value === null) Reflect.deleteProperty(all, key);
    else all[key] = value;
  }
  return all;
}

/** The record is long; of it the phase is told, and what was noted down to be done. */
function patchInWords(patch: NodePatch, node: ClusterNode | undefined): string {
  const words: string[] = [];
  if (patch.cordoned !== undefined) words.push(patch.cordoned ? 'cordon' : 'uncordon');
  for (const [key, value] of Object.entries(patch.labels ?? {}))
    words.push(value === null ? `-${key}` : `${key}=${value}`);
  for (const [key, value] of Object.entries(patch.annotations ?? {})) {
    if (key !== 'mica.dev/change')
      words.push(
        value === null ? `-${key}` : `${key}=${key.endsWith('last-change') ? outcomeOf(value) : value}`,
      );
    else if (value === null) words.push('-mica.dev/change');
    else {
      const { phase, remedies } = JSON.parse(value) as {
        phase: string;
        remedies: { kind: string; part: string | null }[];
      };
      const last = remedies.at(-1);
      const before = node?.annotations['mica.dev/change'];
      const known = remediesIn(before);
      const remedy =
        last !== undefined && remedies.length > known ? `, ${last.kind} ${last.part ?? ''}`.trimEnd() : '';
      words.push(`mica.dev/change=${phase}${remedy}`);
    }
  }
  for (const { key } of patch.removeTaints ?? []) words.push(`untaint ${key}`);
  return words.join(', ');
}

/** People may have written anything there. */
function remediesIn(record: string | undefined): number {
  try {
    const { remedies = [] } = JSON.parse(record ?? '{}') as { remedies?: readonly unknown[] };
    return remedies.length;
  } catch {
    return 0;
  }
}

function outcomeOf(text: string): string {
  return (JSON.parse(text) as { outcome: string }).outcome;
}
