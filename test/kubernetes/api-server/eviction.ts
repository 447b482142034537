/** The eviction subresource: a delete that asks the pod's disruption budget first. */
import { isReady, isTerminal, type Budgets } from './budgets.js';
import type { Deletion, DeleteOptions } from './deletion.js';
import { copy, type Json } from './json.js';
import type { Place, Registry } from './registry.js';
import { ApiError, badRequest } from './status.js';
import { keyOf, unversioned } from './store.js';

export function evict(
  place: Place,
  eviction: Json,
  dryRun: boolean,
  { registry, deletion, budgets }: { registry: Registry; deletion: Deletion; budgets: Budgets },
): Json {
  // What it is, the path says as well.
  const { kind = 'Eviction', apiVersion = 'policy/v1' } = eviction;
  if (kind !== 'Eviction' || !['policy/v1', 'policy/v1beta1'].includes(apiVersion)) {
    const version = String(apiVersion).split('/').at(-1) ?? '';
    throw badRequest(
      `${String(kind)} in version "${version}" cannot be handled as a Eviction: no kind "${String(kind)}" is registered for version "${String(apiVersion)}" in scheme "pkg/api/legacyscheme/scheme.go:30"`,
    );
  }
  if ((eviction.metadata?.name ?? '') !== place.name)
    throw badRequest('name in URL does not match name in Eviction object');
  const pod = registry.get(place).object;
  const options: DeleteOptions = eviction.deleteOptions ?? {};
  const isFree =
    isTerminal(pod) || pod.status?.phase === 'Pending' || pod.metadata.deletionTimestamp !== undefined;
  if (!isFree) {
    budgets.refresh(place.namespace);
    const [budget, second] = budgets.of(pod);
    if (second !== undefined) {
      throw new ApiError(
        500,
        '',
        'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.',
      );
    }
    if (budget !== undefined && !mayGoUnready(pod, budget)) take(budget, place.name, dryRun, registry);
  }
  deletion.delete(place, options, dryRun || (options as Json).dryRun?.includes('All') === true);
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 };
}

/** A pod that is not ready does not take from the budget, where the budget's policy lets it go. */
function mayGoUnready(pod: Json, { spec, status }: Json): boolean {
  if (isReady(pod)) return false;
  if (spec?.unhealthyPodEvictionPolicy === 'AlwaysAllow') return true;
  return status?.desiredHealthy > 0 && status.currentHealthy >= status.desiredHealthy;
}

function take(budget: Json, pod: string, dryRun: boolean, registry: Registry): void {
  const { metadata, status } = budget;
  if (status === undefined || (status.observedGeneration ?? 0) < metadata.generation) {
    throw refusal(
      `The disruption budget ${String(metadata.name)} is still being processed by the server.`,
      10,
    );
  }
  if (status.disruptionsAllowed < 1) {
    throw refusal(
      `The disruption budget ${String(metadata.name)} needs ${String(status.desiredHealthy)} healthy pods and has ${String(status.currentHealthy)} currently`,
      0,
    );
  }
  if (dryRun) return;
  const next = copy(unversioned(budget));
  next.status.disruptionsAllowed -= 1;
  next.status.disruptedPods = { ...next.status.disruptedPods, [pod]: registry.time() };
  registry.store.commit('poddisruptionbudgets.policy', keyOf(metadata.namespace, metadata.name), next);
}

const refusal = (why: string, retryAfterSeconds: number): ApiError =>
  new ApiError(429, 'TooManyRequests', "Cannot evict pod as it would violate the pod's disruption budget.", {
    causes: [{ reason: 'DisruptionBudget', message: why }],
    ...(retryAfterSeconds > 0 ? { retryAfterSeconds } : {}),
  });
