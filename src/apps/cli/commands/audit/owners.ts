/** Who owns the pods: the cluster that is named, else what the source knows, else a guess from their names. */
import { MicaError } from '#core/errors';
import { firstThatKnows, ownersFromNames } from '#engines/audit/pod-owners';
import type { PodOwners } from '#ports/pod-owners';
import type { AuditFlags } from './flags.js';

export async function ownersFrom(
  { kubeconfig, context }: AuditFlags,
  known: PodOwners | undefined,
): Promise<PodOwners> {
  if (kubeconfig === undefined && context !== undefined) {
    throw new MicaError('bad-usage', '--context names a context of --kubeconfig; add that');
  }
  const sure = [
    ...(kubeconfig === undefined ? [] : [await ownersFromCluster(kubeconfig, context)]),
    ...(known === undefined ? [] : [known]),
  ];
  return firstThatKnows(...sure, ownersFromNames);
}

async function ownersFromCluster(kubeconfig: string, context: string | undefined): Promise<PodOwners> {
  const { kubernetesOwners } = await import('#adapters/kubernetes/pod-owners');
  return kubernetesOwners(context === undefined ? { kubeconfig } : { kubeconfig, context });
}
