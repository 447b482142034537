/** MigPolicies in memory: statuses are all that a controller may write, and only of the very policy that it means. */
import type { MigPolicySpec, PolicyStatus, SeenPolicy } from '#core/cluster/policy/mig-policy';
import type { ApiAnswer, ApiRefusal } from '#ports/cluster-api';
import type { MigPolicies } from '#ports/mig-policies';
import type { OperatorCluster } from '../../support/operator-cluster.js';

const defaultSpec: MigPolicySpec = {
  nodeSelector: {},
  backend: 'gpu-operator',
  mode: 'Auto',
  allowedProfiles: null,
  maxUnavailable: 1,
  evictions: 'Never',
  pendingMs: 10_000,
  cooldownMs: 600_000,
  maintenanceWindows: [],
};

export class PolicyStore {
  readonly #cluster: OperatorCluster;
  readonly #seen = new Map<string, SeenPolicy>();
  trouble: ApiRefusal | null = null;
  writes = 0;
  /** Watches that are open. */
  open = 0;
  #version = 1;
  #made = 0;
  #waiting: (() => void)[] = [];

  constructor(cluster: OperatorCluster) {
    this.#cluster = cluster;
  }

  get all(): readonly SeenPolicy[] {
    return [...this.#seen.values()].sort((a, b) => (a.policy.name < b.policy.name ? -1 : 1));
  }

  status(name: string): PolicyStatus | null {
    return this.#seen.get(name)?.status ?? null;
  }

  condition(name: string, type: string): string {
    const found = this.status(name)?.conditions.find((one) => one.type === type);
    return found === undefined ? 'none' : `${found.status} ${found.reason}`;
  }

  put(name: string, spec: Partial<MigPolicySpec> | string): void {
    const before = this.#seen.get(name);
    this.#made += 1;
    const policy = {
      name,
      uid: before?.policy.uid ?? `policy-${this.#made}`,
      generation: (before?.policy.generation ?? 0) + 1,
      createdMs: before?.policy.createdMs ?? this.#cluster.clock.nowMs() - 1000 + this.#made,
    };
    const status = before?.status ?? null;
    this.#seen.set(
      name,
      typeof spec === 'string'
        ? { ok: false, policy, why: spec, status }
        : { ok: true, policy: { ...policy, spec: { ...defaultSpec, ...spec } }, status },
    );
    this.#cluster.note(`  ~ policy ${name}: ${JSON.stringify(spec)}`);
    this.#turn();
  }

  remove(name: string): void {
    this.#seen.delete(name);
    this.#cluster.note(`  ~ policy ${name} is deleted`);
    this.#turn();
  }

  policies(): MigPolicies {
    return {
      watch: async () => {
        this.open += 1;
        return {
          policies: () => this.all,
          version: () => this.#version,
          changed: (since, signal) => this.#changed(since, signal),
          trouble: () => this.trouble,
          close: async () => void (this.open -= 1),
        };
      },
      writeStatus: async ({ name, uid }, status) => this.#write(name, uid, status),
    };
  }

  #write(name: string, uid: string, status: PolicyStatus): ApiAnswer<null> {
    this.writes += 1;
    const seen = this.#seen.get(name);
    if (seen?.policy.uid !== uid) {
      return { ok: false, why: { kind: 'gone', message: 'there is no such policy', retryAfterMs: null } };
    }
    for (const fault of faultsOf(status, seen)) this.#cluster.broken.push(`status of ${name}: ${fault}`);
    const said = (of: PolicyStatus | null): readonly string[] =>
      (of?.conditions ?? []).map((one) => `${one.type}=${one.status} ${one.reason}`);
    const before = new Set(said(seen.status));
    const news = status.conditions.filter((one) => !before.has(`${one.type}=${one.status} ${one.reason}`));
    for (const one of news) {
      this.#cluster.note(`policy ${name}: ${one.type}=${one.status} ${one.reason}: ${one.message}`);
    }
    this.#seen.set(name, { ...seen, status });
    return { ok: true, value: null };
  }

  #turn(): void {
    this.#version += 1;
    for (const wake of this.#waiting.splice(0)) wake();
  }

  async #changed(since: number, signal: AbortSignal): Promise<void> {
    while (this.#version === since && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          signal.removeEventListener('abort', wake);
          this.#waiting = this.#waiting.filter((one) => one !== wake);
          resolve();
        };
        this.#waiting.push(wake);
        signal.addEventListener('abort', wake);
      });
    }
  }

  get waiting(): number {
    return this.#waiting.length;
  }
}

/** What a server that knows the kind would refuse. */
function faultsOf(status: PolicyStatus, { policy }: SeenPolicy): readonly string[] {
  const types = status.conditions.map(({ type }) => type);
  return [
    ...(new Set(types).size === types.length ? [] : ['a condition twice']),
    ...(status.observedGeneration <= policy.generation ? [] : ['of a generation to come']),
    ...status.conditions.flatMap(({ reason, message }) => [
      ...(/^[A-Z][A-Za-z]*$/.test(reason) ? [] : [`reason ${reason}`]),
      ...(message.length > 0 && message.length <= 1_000 ? [] : [`message of ${message.length}`]),
    ]),
    ...[status.nodes, status.waitingPods, status.stuckNodes].flatMap((count) =>
      Number.isInteger(count) && count >= 0 ? [] : [`count ${count}`],
    ),
  ];
}
