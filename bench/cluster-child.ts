/** One measured process: a watch of a large cluster, from its start to how soon it knows of new pods. */
import { readFileSync } from 'node:fs';
import { kubernetesApi } from '#adapters/kubernetes/cluster-api';
import { systemClock } from '#adapters/system/clock';
import { seeCluster } from '#apps/cli/commands/cluster/see-cluster';
import { wirePod } from '../test/support/wire-objects.js';

export interface MeasuredCluster {
  readonly nodes: number;
  readonly pods: number;
  readonly firstStateSeconds: number;
  /** Of these, our own; the rest is the server's. */
  readonly ownSeconds: number;
  /** From the state to what `mica cluster show` prints. */
  readonly lookMs: number;
  readonly peakMiB: number;
  /** From sending a new pod to the server until `changed` says so and the pod is in the state, sorted. */
  readonly latenciesMs: readonly number[];
}

const [, , kubeconfig = '', roundsText = '0'] = process.argv;
const { signal } = new AbortController();
const began = performance.now();
const cpuBefore = process.cpuUsage();
const api = kubernetesApi({ kubeconfig, clock: systemClock });
const watch = await api.watch(signal);
const state = watch.state();
const firstStateSeconds = (performance.now() - began) / 1000;
const { user, system } = process.cpuUsage(cpuBefore);
const ownSeconds = (user + system) / 1e6;
const looked = performance.now();
seeCluster(state);
const lookMs = performance.now() - looked;

const latenciesMs: number[] = [];
for (let round = 0; round < Number(roundsText); round += 1) {
  const name = `new-${round}`;
  const body = wirePod({ name, namespace: 'apps', wants: { 'nvidia.com/mig-1g.10gb': 1 } });
  const { metadata } = body as { metadata: Record<string, unknown> };
  const made = { ...body, metadata: { name, namespace: metadata['namespace'] }, status: undefined };
  const sent = performance.now();
  const posted = api.connection.send({ method: 'POST', path: '/api/v1/namespaces/apps/pods', body: made });
  while (!watch.state().pods.some((pod) => pod.name === name)) await watch.changed(watch.version(), signal);
  latenciesMs.push(performance.now() - sent);
  const { status, body: said } = await posted;
  if (status !== 201) throw new Error(`${status} ${said}`);
}
await watch.close();
await api.close();
const peakKiB = /VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
const measured: MeasuredCluster = {
  nodes: state.nodes.length,
  pods: state.pods.length,
  firstStateSeconds,
  ownSeconds,
  lookMs,
  peakMiB: Number(peakKiB) / 1024,
  latenciesMs: latenciesMs.sort((a, b) => a - b),
};
process.stdout.write(`${JSON.stringify(measured)}\n`);
