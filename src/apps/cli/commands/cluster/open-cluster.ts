/** The cluster that the flags of a command name. */
import { kubernetesApi, type KubernetesApi } from '#adapters/kubernetes/cluster-api';
import { systemClock } from '#adapters/system/clock';
import type { Host } from '../../terminal/screen.js';

export interface ClusterFlags {
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly json?: boolean;
}

/** Closes it when the work is done. `onNote`: what of the cluster could not be looked at. */
export async function withCluster<T>(
  { env }: Host,
  { kubeconfig, context }: ClusterFlags,
  work: (api: KubernetesApi) => Promise<T>,
  onNote: (note: string) => void = () => undefined,
): Promise<T> {
  const api = kubernetesApi({
    env,
    clock: systemClock,
    onNote,
    ...(kubeconfig === undefined ? {} : { kubeconfig }),
    ...(context === undefined ? {} : { context }),
  });
  try {
    return await work(api);
  } finally {
    await api.close();
  }
}
