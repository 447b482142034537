/** What a controller runs on: the cluster, the lease, the planner, its log, its metrics and what it answers over HTTP. */
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { loadSolver } from '#adapters/highs/solver';
import { kubernetesLease } from '#adapters/kubernetes/leader-lease';
import { migPolicies } from '#adapters/kubernetes/mig-policies';
import { nodePods } from '#adapters/kubernetes/node-pods';
import { systemClock as clock } from '#adapters/system/clock';
import { buildControllerApp } from '#apps/controller/app';
import { healthOf } from '#apps/controller/health';
import { logTo } from '#apps/controller/log';
import { controllerMetrics } from '#apps/controller/metrics';
import { defaultLimits } from '#core/cluster/operator/limits';
import { planCluster } from '#core/cluster/planning/plan-cluster';
import { inTime } from '#core/cluster/policy/in-time';
import { defaultPrices } from '#core/cost/default-prices';
import type { News } from '#engines/reconcile/news';
import type { ControllerOptions } from '#engines/reconcile/options';
import type { ReconcilePorts } from '#engines/reconcile/ports';
import type { LeaderLease } from '#ports/leader-lease';
import type { AnswerExit, Context } from '../../command.js';
import { readInputs } from '../../documents/inputs.js';
import { pricesFileFrom } from '../../settings.js';
import { version } from '../../version.js';
import { withCluster, type ClusterFlags } from '../cluster/open-cluster.js';
import { firstLook } from './first-look.js';
import { holdersFrom } from './holders.js';
import { listenAt, placeFrom } from './listen.js';
import { untilToldToEnd } from './told-to-end.js';

export interface ControllerFlags extends ClusterFlags {
  readonly namespace?: string;
  readonly listen: string;
  readonly operatorNamespace: string;
  readonly configMap: string;
  readonly prometheus?: string;
  readonly reboot: boolean;
  readonly dryRun?: boolean;
  readonly prices?: string;
}

const leaseName = 'mica-controller';
/** Of each program of a plan: while it solves, nothing else is done, and the lease runs. */
const longestSolveMs = 2_000;

export async function serveController(
  { host, json }: Context,
  flags: ControllerFlags,
  run: (ports: ReconcilePorts, options: ControllerOptions) => Promise<void>,
): Promise<AnswerExit> {
  const { env } = host;
  const place = placeFrom(flags.listen);
  const pricesFile = await pricesFileFrom(flags.prices, env);
  const { prices } = await readInputs(pricesFile === undefined ? [] : [pricesFile], defaultPrices);
  const { solve } = await loadSolver();
  const health = healthOf(clock);
  const metrics = controllerMetrics(clock, version);
  const log = logTo(
    (line) => host.err.write(line),
    json,
    () => new Date(),
  );
  const onNews = (news: News): void => {
    log(news);
    metrics.onNews(news);
    health.onNews(news);
  };
  const { signal, received, release } = untilToldToEnd();
  const app = buildControllerApp({ health, metrics });
  try {
    const listens = place === null ? 'nothing listens' : `listening on ${await listenAt(app, place)}`;
    const serve = async (api: Parameters<Parameters<typeof withCluster>[2]>[0]): Promise<void> => {
      const { connection } = api;
      const policies = migPolicies({ connection, clock });
      const identity = `${filled(env['POD_NAME']) ?? hostname()}_${randomBytes(4).toString('hex')}`;
      log({ kind: 'started', identity, server: connection.shown, listens });
      await firstLook({ connection, policies, clock, signal, onNews });
      if (signal.aborted) return;
      const namespace = flags.namespace ?? filled(env['POD_NAMESPACE']) ?? 'mica-system';
      const ports: ReconcilePorts = {
        api: { ...api, ...nodePods(connection, clock) },
        clock,
        cluster: api,
        policies,
        lease:
          flags.dryRun === true
            ? unsharedLease
            : kubernetesLease({ connection, clock, namespace, name: leaseName, identity }),
        plan: inTime((state, options) =>
          planCluster(state, { ...options, prices, solve, timeLimitMs: longestSolveMs }),
        ),
        holders: holdersFrom(flags.prometheus, env, onNews),
      };
      await run(ports, {
        namespace: flags.operatorNamespace,
        configMap: flags.configMap,
        limits: defaultLimits,
        mayReboot: flags.reboot,
        dryRun: flags.dryRun === true,
        onNews,
        signal,
      });
    };
    await withCluster(host, flags, serve, (message) => onNews({ kind: 'trouble', message }));
    log({ kind: 'stopped', why: received() ?? 'it is done' });
    return 0;
  } finally {
    release();
    await app.close();
  }
}

/** Who changes nothing need not be the only one, and writes no lease either. */
const unsharedLease: LeaderLease = {
  hold: async () => ({ kind: 'held', untilMs: clock.nowMs() + 60_000 }),
  release: () => Promise.resolve(),
};

function filled(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}
