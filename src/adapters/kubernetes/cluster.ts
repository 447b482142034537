/** Reading lists of whatever a cluster has: metadata only, page by page. */
import { MicaError } from '#core/errors';
import { z } from 'zod';
import { readFailure, parsedBody } from './answers.js';
import { connect, type ConnectionOptions } from './connection.js';

export interface ClusterOptions extends ConnectionOptions {
  /** Objects on one page. */
  readonly pageSize?: number;
}

/** What is read of each object. */
export interface Listed {
  readonly namespace: string;
  readonly name: string;
  readonly owners: readonly { readonly kind: string; readonly name: string; readonly controller: boolean }[];
}

export interface Cluster {
  /** `path`: `/api/v1/namespaces/default/pods`. Empty where the namespace is gone. */
  readonly list: (path: string, signal: AbortSignal) => Promise<readonly Listed[]>;
}

/** Pods are large, and of them we want the names; servers older than 1.15 answer with all of it. */
const metadataOnly = 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io, application/json';

const page = z.object({
  metadata: z.object({ continue: z.string().optional() }),
  items: z
    .array(
      z.object({
        metadata: z.object({
          name: z.string(),
          namespace: z.string(),
          ownerReferences: z
            .array(z.object({ kind: z.string(), name: z.string(), controller: z.boolean().nullish() }))
            .nullish(),
        }),
      }),
    )
    // Go writes a list without anything in it so.
    .nullable(),
});

export function openCluster({ pageSize = 500, ...options }: ClusterOptions): Cluster {
  const connection = connect(options);
  const list: Cluster['list'] = async (path, signal) => {
    for (let attempt = 0; ; attempt += 1) {
      const found: Listed[] = [];
      let next = '';
      do {
        const reply = await connection.send({
          path,
          query: { limit: String(pageSize), ...(next === '' ? {} : { continue: next }) },
          accept: metadataOnly,
          signal,
        });
        if (reply.status === 404) return [];
        // The list is older than the server remembers: from the start, once more.
        if (reply.status === 410 && attempt === 0) break;
        if (reply.status !== 200) {
          const may =
            'The user of the kubeconfig must be allowed to list pods, replicasets and jobs; or leave --kubeconfig out.';
          throw readFailure(connection.shown, path, reply, may);
        }
        const { metadata, items } = parsedBody(connection.shown, page, reply.body);
        for (const { metadata: one } of items ?? []) {
          const owners = (one.ownerReferences ?? []).map((owner) => ({
            ...owner,
            controller: owner.controller === true,
          }));
          found.push({ namespace: one.namespace, name: one.name, owners });
        }
        const after = metadata.continue ?? '';
        if (after !== '' && after === next)
          throw new MicaError(
            'not-the-api',
            `${connection.shown} gives the same page of ${path} again and again.`,
          );
        next = after;
        if (next === '') return found;
      } while (next !== '');
    }
  };
  return { list };
}
