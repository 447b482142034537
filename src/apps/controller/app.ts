/** What a controller answers over HTTP, built and not yet listening: whether it lives, whether it is ready, its metrics. */
import Fastify, { type FastifyInstance, type FastifyReply } from 'fastify';
import type { Health, Verdict } from './health.js';
import type { ControllerMetrics } from './metrics.js';

export interface ControllerAppPorts {
  readonly health: Pick<Health, 'alive' | 'ready'>;
  readonly metrics: Pick<ControllerMetrics, 'text' | 'contentType'>;
}

const limits = {
  bodyBytes: 1,
  headerBytes: 8 * 1024,
  headersMs: 5_000,
  requestMs: 10_000,
  idleMs: 60_000,
  checkEveryMs: 1_000,
  connections: 256,
} as const;

const pages = ['/healthz', '/readyz', '/metrics'];

export function buildControllerApp({ health, metrics }: ControllerAppPorts): FastifyInstance {
  const app = Fastify({
    logger: false,
    requestIdHeader: false,
    exposeHeadRoutes: false,
    bodyLimit: limits.bodyBytes,
    requestTimeout: limits.requestMs,
    keepAliveTimeout: limits.idleMs,
    forceCloseConnections: true,
    http: { maxHeaderSize: limits.headerBytes, connectionsCheckingInterval: limits.checkEveryMs },
  });
  app.server.headersTimeout = limits.headersMs;
  app.server.maxConnections = limits.connections;

  app.addHook('onRequest', async (request, reply) => {
    const { 'content-length': length = '0', 'transfer-encoding': coding } = request.headers;
    if (length === '0' && coding === undefined) return;
    return inWords(reply.header('connection', 'close'), 413, 'a request has no body here');
  });
  app.setNotFoundHandler((_request, reply) => inWords(reply, 404, `there is only GET ${pages.join(', ')}`));
  app.setErrorHandler((_error, _request, reply) => inWords(reply, 500, 'the answer could not be made'));
  const answer = (reply: FastifyReply, { ok, says }: Verdict): FastifyReply =>
    inWords(reply, ok ? 200 : 503, says);
  app.get('/healthz', (_request, reply) => answer(reply, health.alive()));
  app.get('/readyz', (_request, reply) => answer(reply, health.ready()));
  app.get('/metrics', async (_request, reply) => reply.type(metrics.contentType).send(await metrics.text()));
  return app;
}

function inWords(reply: FastifyReply, status: number, words: string): FastifyReply {
  return reply
    .code(status)
    .type('text/plain; charset=utf-8')
    .header('cache-control', 'no-store')
    .send(`${words}\n`);
}
