/** A Prometheus, or what speaks its API (Thanos, Mimir, a managed one), as a source of what GPUs did. */
import { Collector } from '#core/observe/collector';
import type { Observation } from '#core/observe/observation';
import { timelineStepMs } from '#core/observe/timeline';
import type { HolderRow } from '#core/cluster/operator/disturbed';
import type { Clock } from '#ports/clock';
import type { MetricsSource, ObserveRequest } from '#ports/metrics-source';
import type { PodName, PodOwners } from '#ports/pod-owners';
import { prometheusClient } from './client.js';
import { endpointOf, type PrometheusAuth, type PrometheusTls } from './endpoint.js';
import { inventory, type Asking, type Window } from './inventory.js';
import { holdersNow } from './holders-now.js';
import { kubeStateMetricsOwners } from './kube-state-metrics.js';
import type { Gpu, Lanes } from './lanes.js';
import { inParallel } from './pool.js';
import { mostSamples, readRaw, samplesOf } from './raw.js';
import { groupsOf, steadyGpus } from './steady.js';
import { summedUp } from './summed.js';
import { httpTransport } from './transport.js';

export interface PrometheusOptions {
  readonly url: string;
  readonly auth?: PrometheusAuth;
  readonly headers?: Readonly<Record<string, string>>;
  readonly tls?: PrometheusTls;
  /** Queries at one time. */
  readonly concurrency?: number;
  /** For one query, without its retries. */
  readonly timeoutMs?: number;
  readonly clock: Clock;
}

export interface PrometheusSource {
  readonly source: MetricsSource;
  /** Owners of pods, where kube-state-metrics is scraped by the same Prometheus. */
  readonly owners: (window: Window) => PodOwners;
  /** Which devices pods have now, as dcgm-exporter's labels say; empty where it does not say or too much to say. */
  readonly holders: (signal: AbortSignal) => Promise<readonly HolderRow[]>;
  readonly close: () => Promise<void>;
}

/** More than this are read all the same, and the reader is told that it is unusual. */
const manySeries = 100_000;

export function prometheusSource({
  url,
  auth = { kind: 'none' },
  headers = {},
  tls = {},
  concurrency = 4,
  timeoutMs = 120_000,
  clock,
}: PrometheusOptions): PrometheusSource {
  const endpoint = endpointOf(url, auth, headers);
  const transport = httpTransport({ endpoint, tls, connections: concurrency, timeoutMs, clock });
  const client = prometheusClient(endpoint, transport, timeoutMs);

  const observe = async ({ window, owners, progress, signal }: ObserveRequest): Promise<Observation> => {
    const report = (what: string, part: number | null): void => progress({ what, part });
    const asking: Asking = { client, window, atOnce: concurrency, signal, progress: report };
    const lanes = await inventory(asking);
    report('asking who owns the pods', null);
    const ownerOf = await owners.ownersOf(podsOf(lanes), signal);
    const collector = new Collector({ timelineStepMs: finestStepMs(window) });
    await readAll(asking, lanes, ownerOf, collector);
    if (lanes.seriesCount > manySeries)
      collector.note(
        `The Prometheus has ${lanes.seriesCount} series of GPU metrics in this window; pods come and go often, or labels change.`,
      );
    for (const warning of client.warnings)
      collector.note(`The Prometheus warned that its answers may be incomplete: ${warning}.`);
    report('putting the figures together', null);
    return { source: 'prometheus', ...collector.finish(ownerOf, window) };
  };
  return {
    source: { observe },
    owners: (window) => kubeStateMetricsOwners(client, window, concurrency),
    holders: (signal) => holdersNow(client, clock.nowMs(), signal),
    close: client.close,
  };
}

/** Four points of what is read sample by sample for each of what the server sums up. */
function finestStepMs({ startMs, endMs }: Window): number {
  return Math.max(60_000, timelineStepMs(startMs, endMs) / 4);
}

async function readAll(
  asking: Asking,
  lanes: Lanes,
  ownerOf: Awaited<ReturnType<PodOwners['ownersOf']>>,
  collector: Collector,
): Promise<void> {
  const { atOnce, signal, progress } = asking;
  progress('looking for GPUs that were used evenly', null);
  const steady = await steadyGpus(asking, lanes, ownerOf);
  const total = lanes.gpus.size;
  const left = new Set<Gpu>(lanes.gpus.values());
  const say = (): void => progress(`reading ${total} GPUs`, total === 0 ? 1 : 1 - left.size / total);
  const done = (gpu: Gpu): void => {
    left.delete(gpu);
    // The collector knows them now.
    gpu.lanes.clear();
  };
  const even = groupsOf([...steady.keys()], { size: 5_000_000, items: 200 }, samplesOf);
  await inParallel(even, atOnce, signal, async (group, one) => {
    for (const { steady: found, finished } of await summedUp(
      { ...asking, signal: one },
      lanes,
      steady,
      group,
    )) {
      const { lane, gpu } = found;
      collector.addFinished(collector.series(lane.device, lane.holder), finished);
      done(gpu);
    }
    say();
  });
  const uneven = groupsOf([...left], { size: mostSamples, items: 200 }, samplesOf);
  await inParallel(uneven, atOnce, signal, async (group, one) => {
    await readRaw({ ...asking, signal: one }, lanes, group, collector);
    for (const gpu of group) done(gpu);
    say();
  });
}

function podsOf(lanes: Lanes): readonly PodName[] {
  const pods = new Map<string, PodName>();
  for (const { lanes: ofGpu } of lanes.gpus.values()) {
    for (const { holder } of ofGpu.values()) {
      if (holder.kind !== 'pod') continue;
      const { namespace, pod } = holder;
      pods.set(`${namespace}/${pod}`, { namespace, pod });
    }
  }
  return [...pods.values()];
}
