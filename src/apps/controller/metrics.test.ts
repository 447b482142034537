import { describe, expect, it } from 'vitest';
import type { News } from '#engines/reconcile/news';
import { controllerMetrics, metricTable } from './metrics.js';

function begin() {
  const clock = { nowMs: () => 1_790_000_000_500, sleep: () => Promise.resolve() };
  const metrics = controllerMetrics(clock, '1.2.3');
  const lines = async (): Promise<readonly string[]> =>
    (await metrics.text()).split('\n').filter((line) => line.startsWith('mica_controller_'));
  return { hear: (...news: readonly News[]) => news.forEach(metrics.onNews), lines, text: metrics.text };
}

const turn = (...names: readonly string[]): News => ({
  kind: 'turn',
  changing: 2,
  policies: names.map((policy) => ({ policy, nodes: 4, waitingPods: 3, stuckNodes: 1 })),
});

describe('the metrics of a controller', () => {
  it('count what it tells', async () => {
    const { hear, lines } = begin();
    const ended: News = {
      ...{ kind: 'change-ended', node: 'gpu-1', policy: 'a', outcome: 'done', message: '' },
      ...{ tookMs: 90_000, evicted: 3 },
    };
    hear({ kind: 'leading' }, turn('a', 'b'), { kind: 'planned', tookMs: 250, verdict: 'x' }, ended, ended);
    hear({ kind: 'trouble', message: 'no answer' });
    const all = await lines();
    for (const line of [
      'mica_controller_leader 1',
      'mica_controller_plans_total 1',
      'mica_controller_plan_duration_seconds_sum 0.25',
      'mica_controller_plan_duration_seconds_bucket{le="0.3"} 1',
      'mica_controller_node_changes_total{outcome="done"} 2',
      'mica_controller_node_changes_total{outcome="failed"} 0',
      'mica_controller_node_change_duration_seconds_bucket{le="120"} 2',
      'mica_controller_evicted_pods_total 6',
      'mica_controller_nodes_changing 2',
      'mica_controller_policy_nodes{policy="a"} 4',
      'mica_controller_policy_waiting_pods{policy="b"} 3',
      'mica_controller_policy_stuck_nodes{policy="a"} 1',
      'mica_controller_troubles_total 1',
      'mica_controller_last_turn_timestamp_seconds 1790000000.5',
      'mica_controller_build_info{version="1.2.3"} 1',
    ])
      expect(all).toContain(line);
  });

  it('forget policies that are gone, and all of them where it does not lead', async () => {
    const { hear, lines } = begin();
    const policies = async (): Promise<readonly string[]> =>
      (await lines()).filter((line) => line.includes('policy='));
    hear({ kind: 'leading' }, turn('a', 'b'), turn('b'));
    expect(await policies()).toHaveLength(3);
    hear({ kind: 'stepped-down', why: 'it slept' }, turn('b'));
    expect(await policies()).toEqual([]);
    expect(await lines()).toContain('mica_controller_leader 0');
    expect(await lines()).toContain('mica_controller_nodes_changing 0');
  });

  it('keep a hostile name inside its label', async () => {
    const { hear, text } = begin();
    hear({ kind: 'leading' }, turn('a"} 1\nmica_controller_leader 7\\'));
    expect(await text()).not.toMatch(/^mica_controller_leader 7/m);
  });

  it('are those of the table', async () => {
    const { hear, text } = begin();
    hear({ kind: 'leading' }, turn('a'));
    const types = [...(await text()).matchAll(/^# TYPE (mica_\S+) (\S+)$/gm)].map(([, name, type]) => [
      name,
      type,
    ]);
    expect(types).toEqual(Object.entries(metricTable).map(([name, { type }]) => [name, type]));
  });
});
