/** A cluster as a kubeconfig names it, and reading lists from it: metadata only, page by page. */
import { request as requestHttp, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http';
import { request as requestHttps, type RequestOptions } from 'node:https';
import { KubeConfig } from '@kubernetes/client-node';
import { z } from 'zod';
import { MicaError } from '#core/errors';

export interface ClusterOptions {
  /** A file, as kubectl reads it. */
  readonly kubeconfig: string;
  /** One of its contexts; left out: the current one. */
  readonly context?: string;
  /** Objects on one page. */
  readonly pageSize?: number;
  readonly timeoutMs?: number;
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

export function openCluster({
  kubeconfig,
  context,
  pageSize = 500,
  timeoutMs = 60_000,
}: ClusterOptions): Cluster {
  const config = load(kubeconfig, context);
  const server = config.getCurrentCluster()?.server.replace(/\/+$/, '') ?? '';

  const readPage = async (path: string, next: string, signal: AbortSignal): Promise<Reply> => {
    const options: RequestOptions = { headers: {}, signal, timeout: timeoutMs };
    try {
      await config.applyToHTTPSOptions(options);
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new MicaError('access-refused', `${kubeconfig}: its credentials cannot be had: ${why}`, {
        cause,
        next: 'Check that kubectl works with the same kubeconfig and context.',
      });
    }
    const query = new URLSearchParams({
      limit: String(pageSize),
      ...(next === '' ? {} : { continue: next }),
    });
    return exchange(`${server}${path}?${query.toString()}`, options, signal);
  };

  const list: Cluster['list'] = async (path, signal) => {
    for (let attempt = 0; ; attempt += 1) {
      const found: Listed[] = [];
      let next = '';
      do {
        const { status, body } = await readPage(path, next, signal);
        if (status === 404) return [];
        // The list is older than the server remembers: from the start, once more.
        if (status === 410 && attempt === 0) break;
        if (status !== 200) throw refusal(server, path, status, body);
        const { metadata, items } = parsed(server, body);
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
            `${new URL(server).origin} gives the same page of ${path} again and again.`,
          );
        next = after;
        if (next === '') return found;
      } while (next !== '');
    }
  };
  return { list };
}

function load(kubeconfig: string, context: string | undefined): KubeConfig {
  const config = new KubeConfig();
  try {
    config.loadFromFile(kubeconfig);
  } catch (cause) {
    const code = cause instanceof Error ? (cause as NodeJS.ErrnoException).code : undefined;
    if (code !== undefined)
      throw new MicaError('unreadable-file', `${kubeconfig} cannot be read (${code}).`, { cause });
    throw new MicaError('bad-document', `${kubeconfig} is not a kubeconfig.`, {
      cause,
      next: 'Name the file that kubectl uses.',
    });
  }
  const contexts = config.getContexts().map(({ name }) => name);
  const wanted = context ?? config.getCurrentContext();
  if (!contexts.includes(wanted))
    throw new MicaError(
      'bad-document',
      `${kubeconfig} has no context "${wanted}": ${contexts.join(', ') || 'it has none'}.`,
      {
        next: 'Name one of its contexts with --context.',
      },
    );
  config.setCurrentContext(wanted);
  if (config.getCurrentCluster() === null)
    throw new MicaError('bad-document', `${kubeconfig}: the context "${wanted}" has no cluster.`, {
      next: 'Name the file that kubectl uses.',
    });
  return config;
}

interface Reply {
  readonly status: number;
  readonly body: string;
}

/** A page of metadata is a few hundred KiB; whole pods are some KiB each. */
const mostBytes = 64 * 1024 * 1024;

async function exchange(url: string, options: RequestOptions, signal: AbortSignal): Promise<Reply> {
  const shown = new URL(url).origin;
  const isHttp = url.startsWith('http:');
  const headers = { ...(options.headers as OutgoingHttpHeaders), accept: metadataOnly, 'user-agent': 'mica' };
  try {
    return await new Promise<Reply>((resolve, reject) => {
      const done = (response: IncomingMessage): void => {
        textOf(response).then((body) => resolve({ status: response.statusCode ?? 0, body }), reject);
      };
      // What is set up for TLS is of no use without it, as behind `kubectl proxy`.
      const plain: RequestOptions = { signal, auth: options.auth, timeout: options.timeout };
      const call = isHttp
        ? requestHttp(url, { ...plain, headers }, done)
        : requestHttps(url, { ...options, headers }, done);
      call.on('timeout', () => call.destroy(new Error('it takes too long')));
      call.on('error', reject);
      call.end();
    });
  } catch (cause) {
    signal.throwIfAborted();
    const why =
      cause instanceof Error ? ((cause as NodeJS.ErrnoException).code ?? cause.message) : String(cause);
    throw new MicaError('server-unreachable', `The Kubernetes API at ${shown} does not answer (${why}).`, {
      cause,
    });
  }
}

async function textOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > mostBytes) throw new Error('its answer is too long');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parsed(server: string, body: string): z.infer<typeof page> {
  try {
    return page.parse(JSON.parse(body));
  } catch (cause) {
    throw new MicaError(
      'not-the-api',
      `${new URL(server).origin} answers, but not as a Kubernetes API does.`,
      { cause },
    );
  }
}

function refusal(server: string, path: string, status: number, body: string): MicaError {
  const shown = new URL(server).origin;
  const said = /"message":\s*"((?:[^"\\]|\\.)*)"/.exec(body)?.[1] ?? '';
  const words = said === '' ? '' : `: ${said}`;
  if (status === 401 || status === 403)
    return new MicaError('access-refused', `${shown} does not show ${path} (${status}${words}).`, {
      next: 'The user of the kubeconfig must be allowed to list pods, replicasets and jobs; or leave --kubeconfig out.',
    });
  return new MicaError('server-failed', `${shown} answers with an error (${status}${words}).`);
}
