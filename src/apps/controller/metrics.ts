/** What a controller does, as metrics for Prometheus. docs/reference/metrics.md is held equal to this table by a test. */
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { NodeOutcomeKind } from '#engines/cluster/answer';
import type { News } from '#engines/reconcile/news';
import type { Clock } from '#ports/clock';

export interface ControllerMetrics {
  readonly onNews: (news: News) => void;
  /** In the text format of Prometheus. */
  readonly text: () => Promise<string>;
  readonly contentType: string;
}

interface MetricRow {
  readonly type: 'gauge' | 'counter' | 'histogram';
  readonly labels: readonly string[];
  readonly means: string;
}

/** Names carry the unit last, and nothing that others write is a label but the names of policies. */
export const metricTable = {
  mica_controller_leader: {
    type: 'gauge',
    labels: [],
    means: '1 while this instance leads, else 0. The sum over all instances is 1.',
  },
  mica_controller_plans_total: {
    type: 'counter',
    labels: [],
    means: 'Times that the planner was asked what to cut.',
  },
  mica_controller_plan_duration_seconds: {
    type: 'histogram',
    labels: [],
    means: 'How long the planner took.',
  },
  mica_controller_node_changes_total: {
    type: 'counter',
    labels: ['outcome'],
    means:
      'Changes of nodes that ended, by outcome: done, unchanged, rolled-back, refused (nothing was touched), failed.',
  },
  mica_controller_node_change_duration_seconds: {
    type: 'histogram',
    labels: [],
    means: 'How long changes of nodes took, from the first word to the last, whatever their outcome.',
  },
  mica_controller_evicted_pods_total: {
    type: 'counter',
    labels: [],
    means: 'Pods that were asked to leave a node, in changes that have ended.',
  },
  mica_controller_nodes_changing: {
    type: 'gauge',
    labels: [],
    means: 'Nodes that are being changed; 0 where this instance does not lead.',
  },
  mica_controller_policy_nodes: {
    type: 'gauge',
    labels: ['policy'],
    means: 'Nodes with GPUs that the policy selects. Only the leader has this series.',
  },
  mica_controller_policy_waiting_pods: {
    type: 'gauge',
    labels: ['policy'],
    means:
      'Pods without a place that nodes of the policy could serve if they were cut for them. Only the leader has this series.',
  },
  mica_controller_policy_stuck_nodes: {
    type: 'gauge',
    labels: ['policy'],
    means: 'Nodes of the policy that are out of service and need a person. Only the leader has this series.',
  },
  mica_controller_troubles_total: {
    type: 'counter',
    labels: [],
    means: 'Times that something kept it from seeing or acting; its log says what.',
  },
  mica_controller_last_turn_timestamp_seconds: {
    type: 'gauge',
    labels: [],
    means: 'When this instance last looked at the whole cluster as its leader, since 1970; 0: never.',
  },
  mica_controller_build_info: {
    type: 'gauge',
    labels: ['version'],
    means: 'Always 1.',
  },
} as const satisfies Record<string, MetricRow>;

type MetricName = keyof typeof metricTable;

const outcomes: readonly NodeOutcomeKind[] = ['unchanged', 'done', 'rolled-back', 'refused', 'failed'];
const planBuckets = [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 20];
/** A cut without a reboot takes a minute or two, eviction and a reboot up to an hour. */
const changeBuckets = [30, 60, 120, 300, 600, 1200, 1800, 3600, 7200];

export function controllerMetrics(clock: Clock, version: string): ControllerMetrics {
  const registry = new Registry();
  const at = (name: MetricName) => ({
    name,
    help: metricTable[name].means,
    labelNames: [...metricTable[name].labels],
    registers: [registry],
  });
  const leader = new Gauge(at('mica_controller_leader'));
  const plans = new Counter(at('mica_controller_plans_total'));
  const planSeconds = new Histogram({
    ...at('mica_controller_plan_duration_seconds'),
    buckets: planBuckets,
  });
  const changes = new Counter(at('mica_controller_node_changes_total'));
  const changeSeconds = new Histogram({
    ...at('mica_controller_node_change_duration_seconds'),
    buckets: changeBuckets,
  });
  const evicted = new Counter(at('mica_controller_evicted_pods_total'));
  const changing = new Gauge(at('mica_controller_nodes_changing'));
  const nodes = new Gauge(at('mica_controller_policy_nodes'));
  const waiting = new Gauge(at('mica_controller_policy_waiting_pods'));
  const stuck = new Gauge(at('mica_controller_policy_stuck_nodes'));
  const troubles = new Counter(at('mica_controller_troubles_total'));
  const lastTurn = new Gauge(at('mica_controller_last_turn_timestamp_seconds'));
  new Gauge(at('mica_controller_build_info')).set({ version }, 1);
  // A rate over the first of its kind needs the 0 before it.
  for (const outcome of outcomes) changes.inc({ outcome }, 0);
  collectDefaultMetrics({ register: registry });

  let isLeading = false;
  const forgetPolicies = (): void => [nodes, waiting, stuck].forEach((gauge) => gauge.reset());
  const notLeading = (): void => {
    isLeading = false;
    leader.set(0);
    changing.set(0);
    forgetPolicies();
  };

  const onNews = (news: News): void => {
    switch (news.kind) {
      case 'leading':
        isLeading = true;
        leader.set(1);
        break;
      case 'following':
      case 'stepped-down':
        notLeading();
        break;
      case 'turn':
        // The last one may come to its end after the lease is lost.
        if (!isLeading) break;
        lastTurn.set(clock.nowMs() / 1000);
        changing.set(news.changing);
        forgetPolicies();
        for (const { policy, ...figures } of news.policies) {
          nodes.set({ policy }, figures.nodes);
          waiting.set({ policy }, figures.waitingPods);
          stuck.set({ policy }, figures.stuckNodes);
        }
        break;
      case 'planned':
        plans.inc();
        planSeconds.observe(news.tookMs / 1000);
        break;
      case 'change-ended':
        changes.inc({ outcome: news.outcome });
        changeSeconds.observe(news.tookMs / 1000);
        evicted.inc(news.evicted);
        break;
      case 'trouble':
        troubles.inc();
        break;
      case 'change-began':
      case 'progress':
      case 'advice':
        break;
    }
  };
  return { onNews, text: () => registry.metrics(), contentType: registry.contentType };
}
