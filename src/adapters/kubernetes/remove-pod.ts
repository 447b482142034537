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
        preconditions: { uid: pod.uid },
        ...(graceSeconds === null ? {} : { gracePeriodSeconds: graceSeconds }),
      },
    },
  });
}

export function deletePod(connection: Connection, pod: PodName): Promise<ApiAnswer<null>> {
  return removed(connection, pod, `deleting ${pod.namespace}/${pod.name}`, {
    method: 'DELETE',
    path: pathOf(pod),
    body: { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { uid: pod.uid } },
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
  // Another pod has its name by now, or it changed at that moment: only the pod itself says which.
  const there = await ask(connection, `reading ${pod.namespace}/${pod.name}`, { path: pathOf(pod) }, (body) =>
    parsedBody(connection.shown, podShape, body),
  );
  const isOther = there.ok ? there.value.metadata.uid !== pod.uid : there.why.kind === 'gone';
  return isOther ? { ok: false, why: { ...answer.why, kind: 'gone' } } : answer;
}

const podShape = z.object({ metadata: z.object({ uid: z.string() }) });

function pathOf({ namespace, name }: PodName): string {
  return `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(name)}`;
}
