/** What is known of a cluster before its nodes are changed: who holds which GPU, and which nodes are out of service. */
import type { KubernetesApi } from '#adapters/kubernetes/cluster-api';
import { systemClock } from '#adapters/system/clock';
import { prometheusSource } from '#adapters/prometheus/source';
import { holdersFromClaims, holdersFromRows, type GpuHolders } from '#core/cluster/operator/disturbed';
import type { ClusterPod, ClusterState } from '#core/cluster/objects';
import { readRecord } from '#core/cluster/operator/record';
import type { WantedNode } from '#engines/cluster/options';

export interface Surroundings {
  readonly holders: GpuHolders;
  /** Nodes besides the wanted ones that a change has in its hands, or left behind. */
  readonly outOfService: readonly string[];
  readonly notes: readonly string[];
}

export async function lookAround(
  api: KubernetesApi,
  wanted: readonly WantedNode[],
  prometheus: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
  signal: AbortSignal,
): Promise<Surroundings> {
  const state = await api.read(signal);
  const names = new Set(wanted.map(({ node }) => node));
  const fromClaims = claimHolders(state, names);
  const fromRows = prometheus === undefined ? [] : await askedHolders(state, prometheus, env, signal);
  const outOfService = state.nodes.filter(
    ({ name, annotations }) => !names.has(name) && readRecord(annotations) !== null,
  );
  const notes =
    prometheus === undefined && fromClaims.size === 0
      ? [
          'which pod holds which GPU is not known; --prometheus URL asks dcgm-exporter, so that fewer pods have to go',
        ]
      : [];
  return {
    holders: new Map([...fromClaims, ...fromRows]),
    outOfService: outOfService.map(({ name }) => name),
    notes,
  };
}

/** As claims of DRA say. */
export function claimHolders({ pods, dra }: ClusterState, nodes: Iterable<string>): GpuHolders {
  if (dra === null) return new Map();
  const on = (name: string): readonly ClusterPod[] => pods.filter(({ node }) => node === name);
  return new Map([...nodes].flatMap((name) => [...holdersFromClaims(name, on(name), dra)]));
}

/** As dcgm-exporter says, by way of a Prometheus. Throws MicaError where that does not answer. */
export async function askedHolders(
  { pods }: ClusterState,
  url: string,
  env: Readonly<Record<string, string | undefined>>,
  signal: AbortSignal,
): Promise<GpuHolders> {
  const token = env['MICA_PROMETHEUS_TOKEN'];
  const auth =
    token === undefined || token === '' ? ({ kind: 'none' } as const) : ({ kind: 'bearer', token } as const);
  const source = prometheusSource({ url, auth, clock: systemClock });
  try {
    const placed = pods.filter(({ node }) => node !== null);
    return holdersFromRows(placed, await source.holders(signal), systemClock.nowMs());
  } finally {
    await source.close();
  }
}
