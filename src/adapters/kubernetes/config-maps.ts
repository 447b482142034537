/** ConfigMaps: read, listed by labels, and written by server-side apply, so that keys of others stay theirs. */
import { z } from 'zod';
import type { ApiAnswer, ConfigMapValue } from '#ports/cluster-api';
import { ask, parsedBody } from './answers.js';
import type { Connection } from './connection.js';
import { stringMap } from './object-fields.js';

const configMapShape = z.object({
  metadata: z.object({
    namespace: z.string(),
    name: z.string(),
    resourceVersion: z.string(),
    labels: stringMap,
  }),
  data: stringMap,
});

function valueOf({ metadata, data }: z.infer<typeof configMapShape>): ConfigMapValue {
  const { namespace, name, resourceVersion, labels } = metadata;
  return { namespace, name, resourceVersion, labels: labels ?? {}, data: data ?? {} };
}

export async function getConfigMap(
  connection: Connection,
  namespace: string,
  name: string,
): Promise<ApiAnswer<ConfigMapValue | null>> {
  const what = `reading the ConfigMap ${namespace}/${name}`;
  const answer = await ask(connection, what, { path: pathOf(namespace, name) }, (body) =>
    valueOf(parsedBody(connection.shown, configMapShape, body)),
  );
  return !answer.ok && answer.why.kind === 'gone' ? { ok: true, value: null } : answer;
}

const page = z.object({
  metadata: z.object({ continue: z.string().nullish() }),
  items: z.array(configMapShape).nullable(),
});

export async function listConfigMaps(
  connection: Connection,
  namespace: string,
  labelSelector: string,
): Promise<ApiAnswer<readonly ConfigMapValue[]>> {
  const found: ConfigMapValue[] = [];
  let next = '';
  do {
    const query = { labelSelector, limit: '500', ...(next === '' ? {} : { continue: next }) };
    const request = { path: pathOf(namespace), query };
    const answer = await ask(connection, `listing the ConfigMaps of ${namespace}`, request, (body) =>
      parsedBody(connection.shown, page, body),
    );
    if (!answer.ok) return answer;
    found.push(...(answer.value.items ?? []).map(valueOf));
    next = answer.value.metadata.continue ?? '';
  } while (next !== '');
  return { ok: true, value: found };
}

export function applyConfigMap(
  connection: Connection,
  namespace: string,
  name: string,
  data: Readonly<Record<string, string>>,
  resourceVersion?: string,
): Promise<ApiAnswer<ConfigMapValue>> {
  return ask(
    connection,
    `writing the ConfigMap ${namespace}/${name}`,
    {
      method: 'PATCH',
      path: pathOf(namespace, name),
      query: { fieldManager: 'mica' },
      contentType: 'application/apply-patch+yaml',
      body: {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { namespace, name, ...(resourceVersion === undefined ? {} : { resourceVersion }) },
        data,
      },
    },
    (body) => valueOf(parsedBody(connection.shown, configMapShape, body)),
  );
}

function pathOf(namespace: string, name?: string): string {
  const all = `/api/v1/namespaces/${encodeURIComponent(namespace)}/configmaps`;
  return name === undefined ? all : `${all}/${encodeURIComponent(name)}`;
}
