/** A cluster that lives by itself on a simulated clock, with policies and one controller or several at work in it. */
import { defaultPrices } from '#core/cost/default-prices';
import type { Solve } from '#core/packing/linear-program';
import { planCluster, type ClusterPlanAnswer } from '#core/cluster/planning/plan-cluster';
import type { ClusterState } from '#core/cluster/objects';
import { defaultLimits, type Limits } from '#core/cluster/operator/limits';
import type { MigPolicySpec } from '#core/cluster/policy/mig-policy';
import { entriesFor, type GpuCut, type NodeCut } from '#core/cluster/operator/mig-config';
import type { ReconcilePorts } from '#engines/reconcile/ports';
import { yamlText } from '#engines/emit/yaml-text';
import { operatorNamespace, OperatorCluster } from '../../support/operator-cluster.js';
import { VirtualClock } from '../../support/virtual-clock.js';
import { ControllerLaws } from './controller-laws.js';
import { ControllerProcess, type Death } from './controller-process.js';
import { Controllers } from './controllers.js';
import { KubeScheduler } from './kube-scheduler.js';
import { LeaseStore } from './lease-store.js';
import { OperatorNode, type Traps } from './operator-node.js';
import { operatorLabels } from './operator-world.js';
import { PolicyStore } from './policy-store.js';
import { ShownCluster } from './shown-cluster.js';

/** Per GPU: slices, or `whole`. */
export type Gpu = Readonly<Record<string, number>> | 'whole';

export interface ControllerWorldOptions {
  readonly nodes: Readonly<Record<string, readonly Gpu[]>>;
  readonly labels?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly policies?: Readonly<Record<string, Partial<MigPolicySpec>>>;
  readonly traps?: Readonly<Record<string, Traps>>;
  readonly looksEachMs?: number;
  readonly lagMs?: number;
  readonly latencyMs?: number;
  readonly leaseMs?: number;
  readonly knowsHolders?: boolean;
  readonly limits?: Partial<Limits>;
}

export class ControllerWorld {
  readonly clock = new VirtualClock(1_790_000_000_000);
  readonly cluster = new OperatorCluster(this.clock);
  readonly lease: LeaseStore;
  readonly policies = new PolicyStore(this.cluster);
  readonly laws: ControllerLaws;
  readonly shown: ShownCluster;
  readonly nodes = new Map<string, OperatorNode>();
  readonly scheduler: KubeScheduler;
  readonly controllers = new Controllers(this.cluster);
  readonly processes: ControllerProcess[] = [];
  planFault: string | null = null;
  planned = 0;
  readonly #options: ControllerWorldOptions;
  readonly #solve: Solve;

  constructor(solve: Solve, options: ControllerWorldOptions) {
    this.#solve = solve;
    this.#options = options;
    const { cluster } = this;
    this.lease = new LeaseStore(options.leaseMs);
    this.laws = new ControllerLaws(cluster, this.policies, this.lease);
    const cuts = Object.entries(options.nodes).map(([name, gpus]) => ({ name, cut: cutOfGpus(gpus) }));
    const configs = Object.fromEntries(cuts.map(({ name, cut }) => [`start-${name}`, entriesFor(cut)]));
    cluster.configMaps.set(`${operatorNamespace}/mica-mig-config`, {
      ...{ namespace: operatorNamespace, name: 'mica-mig-config', resourceVersion: '1', labels: {} },
      data: { 'config.yaml': yamlText({ version: 'v1', 'mig-configs': configs }) },
    });
    for (const { name, cut } of cuts) this.#addNode(name, cut);
    this.scheduler = new KubeScheduler(
      cluster,
      (node) => this.nodes.get(node)?.cut ?? new Map(),
      (pod) => this.controllers.bound(pod),
    );
    this.shown = new ShownCluster(cluster);
    this.shown.lagMs = options.lagMs ?? 0;
    for (const [name, spec] of Object.entries(options.policies ?? {})) this.policies.put(name, spec);
    cluster.onChange = () => {
      this.laws.stir();
      this.shown.stir();
      this.scheduler.stir();
      this.controllers.stir();
    };
  }

  start(name = 'a', death: Death | null = null): ControllerProcess {
    const { cluster, clock } = this;
    const server = {
      clock,
      latencyMs: this.#options.latencyMs ?? 0,
      meets: (call: string) => cluster.fault(call, (cluster.calls += 1)),
      doing: (who: string, call: string, args: readonly unknown[]) => this.laws.doing(who, call, args),
    };
    const options = {
      ...{ namespace: operatorNamespace, configMap: 'mica-mig-config' },
      limits: { ...defaultLimits, pollMs: 5_000, ...this.#options.limits },
      ...{ mayReboot: true, dryRun: false },
    };
    const started = new ControllerProcess(name, server, this.#ports(name), options, death);
    this.processes.push(started);
    return started;
  }

  /** Its policy is another now. */
  setPolicy(name: string, spec: Partial<MigPolicySpec> | string | null): void {
    const before = this.policies.all.find(({ policy }) => policy.name === name);
    if (before?.ok === true) this.laws.changing(before.policy);
    if (spec === null) this.policies.remove(name);
    else this.policies.put(name, spec);
  }

  async run(minutes: number): Promise<void> {
    await this.clock.sleep(minutes * 60_000);
  }

  /** At most so many minutes: until nobody waits and nothing is changed, and a minute longer. */
  async settle(minutes: number): Promise<boolean> {
    let quiet = 0;
    for (let tens = 0; tens < minutes * 6 && quiet < 6; tens += 1) {
      await this.clock.sleep(10_000);
      const isBusy = [...this.cluster.nodes.values()].some(({ annotations }) => {
        const text = annotations['mica.dev/change'];
        return text !== undefined && !text.includes('"phase":"stuck"');
      });
      quiet = isBusy || this.waiting().length > 0 ? 0 : quiet + 1;
    }
    return quiet >= 6;
  }

  /** Nodes that would be cut anew now for those who wait, if nothing were held up. */
  worthCutting({ evictions = 'Never', allowedProfiles = null }: Partial<MigPolicySpec>): readonly string[] {
    const rules = {
      ...{ group: 'all', frozen: null, mayMovePods: evictions === 'Allowed' },
      allowed: allowedProfiles === null ? null : new Set(allowedProfiles),
    };
    const { state } = this.shown;
    const answer = planned(this.#solve, state, { target: 'gpu-operator', rulesOf: () => rules });
    return answer.ok ? answer.plan.nodes.map(({ node }) => node) : [];
  }

  waiting(): readonly string[] {
    return this.cluster.allPods().flatMap(({ node, name }) => (node === null ? [name] : []));
  }

  runningOn(node: string): readonly string[] {
    return this.cluster
      .podsOn(node)
      .filter(({ namespace, isDeleting }) => namespace !== operatorNamespace && !isDeleting)
      .map(({ name }) => name);
  }

  async stop(): Promise<void> {
    await Promise.all(this.processes.filter(({ isDead }) => !isDead).map((one) => one.stop()));
    this.halt();
  }

  /** Nothing is done on the nodes any more: a long time goes by fast. */
  rest(): void {
    for (const node of this.nodes.values()) node.stop();
  }

  /** Nothing goes on by itself any more. */
  halt(): void {
    for (const one of this.processes) one.kill();
    for (const node of this.nodes.values()) node.stop();
    this.cluster.onChange = () => undefined;
  }

  #addNode(name: string, cut: NodeCut): void {
    const { labels, traps, looksEachMs } = this.#options;
    this.cluster.addNode({
      name,
      labels: {
        ...operatorLabels,
        'nvidia.com/gpu.count': String(cut.size),
        'nvidia.com/mig.config': `start-${name}`,
        ...labels?.[name],
      },
    });
    const how = { ...(looksEachMs !== undefined && { looksEachMs }), ...traps?.[name] };
    this.nodes.set(name, new OperatorNode(this.cluster, name, cut, how));
  }

  #ports(name: string): ReconcilePorts {
    const { knowsHolders = true } = this.#options;
    return {
      clock: this.clock,
      api: this.cluster.api(),
      cluster: { watch: async () => this.shown.watch() },
      policies: this.policies.policies(),
      lease: this.lease.leaseOf(name, this.clock),
      plan: (state, options) => {
        this.planned += 1;
        if (this.planFault !== null) throw new Error(this.planFault);
        return planned(this.#solve, state, options);
      },
      holders: async (state) =>
        new Map(
          state.pods.flatMap(({ uid, annotations }) => {
            const gpu = annotations['test/gpu'];
            return gpu === undefined || !knowsHolders ? [] : [[uid, [Number(gpu)]] as const];
          }),
        ),
    };
  }
}

export function cutOfGpus(gpus: readonly Gpu[]): NodeCut {
  return new Map(
    gpus.map((gpu, index): [number, GpuCut] => [
      index,
      gpu === 'whole' ? { mig: false } : { mig: true, counts: gpu },
    ]),
  );
}

/** What changes is another object. */
const ids = new WeakMap<object, number>();
let lastId = 0;

function idOf(object: object): number {
  const id = ids.get(object) ?? (lastId += 1);
  ids.set(object, id);
  return id;
}

/** The same question has the same answer: most of a day of a controller is the same question. */
const answers = new Map<string, ClusterPlanAnswer>();

function planned(
  solve: Solve,
  state: ClusterState,
  options: Parameters<ReconcilePorts['plan']>[1],
): ClusterPlanAnswer {
  const { rulesOf, target } = options;
  const rules = state.nodes.map((node) => {
    const { group, frozen, allowed, mayMovePods } = rulesOf?.(node) ?? { allowed: null };
    return `${idOf(node)} ${group} ${frozen} ${mayMovePods} ${allowed === null ? '' : [...allowed].join()}`;
  });
  const key = `${target}\n${rules.join('\n')}\n${state.pods.map(idOf).join()}`;
  let answer = answers.get(key);
  if (answer === undefined) {
    if (answers.size > 500) answers.clear();
    answer = planCluster(state, { ...options, prices: defaultPrices, solve });
    answers.set(key, answer);
  }
  return answer;
}
