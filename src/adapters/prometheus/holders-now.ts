/** Which pod has which GPU or slice at this moment, as the labels of dcgm-exporter's rows say. */
import type { HolderRow } from '#core/cluster/operator/disturbed';
import { deviceOfLabels, holderOfLabels, isRelabelledBy } from '#core/observe/dcgm-labels';
import type { PrometheusClient } from './client.js';

/** The one metric that every GPU and slice has, on every version. */
const metric = 'DCGM_FI_DEV_FB_USED';

export async function holdersNow(
  client: PrometheusClient,
  atMs: number,
  signal: AbortSignal,
): Promise<readonly HolderRow[]> {
  const answer = await client.points(metric, atMs, signal);
  if (!answer.ok) return [];
  const isRelabelled = answer.value.some(({ labels }) => isRelabelledBy((name) => labels[name]));
  return answer.value.flatMap(({ labels }): readonly HolderRow[] => {
    const label = (name: string): string | undefined => labels[name];
    const device = deviceOfLabels(label);
    const holder = holderOfLabels(label, isRelabelled);
    if (holder.kind !== 'pod' || device.gpuIndex === null) return [];
    const { namespace, pod } = holder;
    const slice = String(device.slice?.instanceId ?? '');
    return [{ namespace, pod, host: device.host, gpuIndex: device.gpuIndex, slice }];
  });
}
