/** One measured process: the controller as the command runs it, but for the safe waits before a label is set. */
import { loadSolver } from '#adapters/highs/solver';
import { kubernetesApi } from '#adapters/kubernetes/cluster-api';
import { kubernetesLease } from '#adapters/kubernetes/leader-lease';
import { migPolicies } from '#adapters/kubernetes/mig-policies';
import { nodePods } from '#adapters/kubernetes/node-pods';
import { systemClock } from '#adapters/system/clock';
import { defaultLimits } from '#core/cluster/operator/limits';
import { planCluster } from '#core/cluster/planning/plan-cluster';
import { inTime } from '#core/cluster/policy/in-time';
import { defaultPrices } from '#core/cost/default-prices';
import { runController } from '#engines/reconcile/controller';

const [, , kubeconfig = ''] = process.argv;
const began = performance.now();
const stop = new AbortController();
process.once('SIGTERM', () => stop.abort());
const clock = systemClock;
const api = kubernetesApi({ kubeconfig, clock });
const { connection } = api;
const { solve } = await loadSolver();
await runController(
  {
    api: { ...api, ...nodePods(connection, clock) },
    clock,
    cluster: api,
    policies: migPolicies({ connection, clock }),
    lease: kubernetesLease({
      connection,
      clock,
      namespace: 'mica-system',
      name: 'mica-controller',
      identity: 'bench',
    }),
    plan: inTime((state, options) =>
      planCluster(state, { prices: defaultPrices, solve, ...options, timeLimitMs: 2_000 }),
    ),
    holders: async () => new Map(),
  },
  {
    ...{ namespace: 'gpu-operator', configMap: 'mica-mig-config', mayReboot: false, dryRun: false },
    limits: { ...defaultLimits, settleMs: 0, quietMs: 0, pollMs: 20 },
    onNews: (news) =>
      process.stdout.write(`${JSON.stringify({ atMs: performance.now() - began, ...news })}\n`),
    signal: stop.signal,
  },
);
await api.close();
