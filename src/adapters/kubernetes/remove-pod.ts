/** Taking a pod away: by eviction, which asks its budgets, or by deletion. Only ever the pod that is meant, by its uid. */
import { z } from 'zod';
import type { ApiAnswer, PodName } from '#ports/cluster-api';
import { ask, parsedBody } from './answers.js';
import type { ApiRequest, Connection } from './connection.js';

export function evictPod(
  connection: Connection,
  pod: PodName,
  graceSeconds: number | null,
): Promise<ApiAnswer<null>> {
  return removed(connection, pod, `evicting ${pod.namespace}/${pod.name}`, {
    method: 'POST',
    path: `${pathOf(pod)}/eviction`,
    body: {
      apiVersion: 'policy/v1',
      kind: 'Eviction',
      metadata: { name: pod.name, namespace: pod.namespace },
      deleteOptions: {
        preconditions: preconditionsOf(pod),
        ...(graceSeconds === null ? {} : { gracePeriodSeconds: graceSeconds }),
      },
    },
  });
}

export function deletePod(connection: Connection, pod: PodName): Promise<ApiAnswer<null>> {
  return removed(connection, pod, `deleting ${pod.namespace}/${pod.name}`, {
    method: 'DELETE',
    path: pathOf(pod),
    body: { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: preconditionsOf(pod) },
  });
}

async function removed(
  connection: Connection,
  pod: PodName,
  what: string,
  request: ApiRequest,
): Promise<ApiAnswer<null>> {
  const answer = await ask(connection, what, request, () => null);
  if (answer.ok || answer.why.kind !== 'conflict') return answer;
  // Another pod has its name by now, it was told to go, or it changed at that moment: only the pod itself says which.
  const there = await ask(connection, `reading ${pod.namespace}/${pod.name}`, { path: pathOf(pod) }, (body) =>
    parsedBody(connection.shown, podShape, body),
  );
  const isGone = there.ok ? isGoing(there.value.metadata, pod) : there.why.kind === 'gone';
  return isGone ? { ok: false, why: { ...answer.why, kind: 'gone' } } : answer;
}

const podShape = z.object({
  metadata: z.object({ uid: z.string(), deletionTimestamp: z.string().nullish() }),
});

function isGoing({ uid, deletionTimestamp }: z.infer<typeof podShape>['metadata'], pod: PodName): boolean {
  return uid !== pod.uid || typeof deletionTimestamp === 'string';
}

function preconditionsOf({ uid, resourceVersion }: PodName): object {
  return { uid, ...(resourceVersion === undefined ? {} : { resourceVersion }) };
}

function pathOf({ namespace, name }: PodName): string {
  return `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(name)}`;
}
