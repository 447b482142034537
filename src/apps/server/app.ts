/**
 * The server of a machine with tenants, built and not yet listening. It keeps nothing in memory that a `kill -9` could
 * lose: what callers have is in the store, and who they are is asked of the kernel and the store for each request.
 */
import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import Fastify, { type FastifyInstance } from 'fastify';
import type { OpenDesk } from '#engines/run/desk/open-desk';
import type { XidLog } from '#engines/run/desk/xid-log';
import type { Tenancy } from '#engines/tenancy/tenancy';
import { badRequest, refusalOf } from './api/refusal.js';
import type { Log } from './events.js';
import { principalOf, type IdentityPorts, type Principal } from './principal.js';
import { leaseRoutes } from './routes/leases.js';
import { tenantRoutes } from './routes/tenants.js';

declare module 'fastify' {
  interface FastifyRequest {
    principal: Principal;
  }
}

export interface ServerPorts extends IdentityPorts {
  readonly desk: Pick<OpenDesk, 'for'>;
  readonly xids: Pick<XidLog, 'since'>;
  readonly tenancy: Tenancy;
  readonly log: Log;
  readonly version: string;
}

export function buildServer(ports: ServerPorts): FastifyInstance {
  const { desk, xids, log } = ports;
  const app = Fastify({
    logger: false,
    requestIdHeader: false,
    bodyLimit: limits.bodyBytes,
    // A caller has so long for its whole request; the answer may take as long as emptying a slice does.
    requestTimeout: limits.requestMs,
    keepAliveTimeout: limits.idleMs,
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: limits.parameterLength },
    http: { maxHeaderSize: limits.headerBytes, connectionsCheckingInterval: limits.checkEveryMs },
    clientErrorHandler: refuseUnreadable,
  });
  app.server.headersTimeout = limits.headersMs;
  app.server.maxConnections = limits.connections;
  limitPerUser(app.server, ports);

  app.decorateRequest('principal');
  app.addHook('onRequest', async (request) => {
    request.principal = await principalOf(ports, request);
  });
  app.setErrorHandler((error, request, reply) => {
    const { status, body, isOurs } = refusalOf(error);
    if (status === 403)
      log({ kind: 'refused', ...processOf(ports, request.raw.socket), why: body.error.message });
    else if (isOurs)
      log({ kind: 'failed', why: error instanceof Error ? (error.stack ?? error.message) : String(error) });
    void reply
      .code(status)
      .header('connection', status === 413 ? 'close' : 'keep-alive')
      .send(body);
  });
  app.setNotFoundHandler((_request, reply) => {
    const { status, body } = badRequest('the server has no such page', 404);
    void reply.code(status).send(body);
  });

  app.get('/v1', async ({ principal: { tenant } }) => ({ mica: ports.version, tenant }));
  leaseRoutes(app, { deskFor: (principal) => desk.for(principal), xids, log });
  tenantRoutes(app, ports);
  return app;
}

const limits = {
  bodyBytes: 256 * 1024,
  headerBytes: 8 * 1024,
  parameterLength: 128,
  headersMs: 5_000,
  requestMs: 10_000,
  idleMs: 60_000,
  checkEveryMs: 1_000,
  connections: 4096,
  connectionsPerUser: 1024,
} as const;

/** Nobody takes the connections of others: not by opening many, nor by sending slowly. */
function limitPerUser(server: Server, { peers, log }: ServerPorts): void {
  const open = new Map<number, number>();
  server.on('connection', (socket: Socket) => {
    const peer = peers.of(socket);
    if (peer === null) return;
    const count = (open.get(peer.uid) ?? 0) + 1;
    open.set(peer.uid, count);
    socket.once('close', () => {
      const left = (open.get(peer.uid) ?? 1) - 1;
      if (left === 0) open.delete(peer.uid);
      else open.set(peer.uid, left);
    });
    if (count <= limits.connectionsPerUser) return;
    log({ kind: 'refused', pid: peer.mark.pid, uid: peer.uid, why: 'too many connections' });
    socket.destroy();
  });
}

function processOf(
  { peers }: ServerPorts,
  socket: Socket,
): { readonly pid: number | null; readonly uid: number | null } {
  const peer = peers.of(socket);
  return { pid: peer?.mark.pid ?? null, uid: peer?.uid ?? null };
}

/** What is no HTTP, too long, or too slow. */
function refuseUnreadable(error: NodeJS.ErrnoException, socket: Socket): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const { status, body } = badRequest('the request cannot be read');
  const text = JSON.stringify(body);
  socket.end(
    `HTTP/1.1 ${status} Bad Request\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`,
  );
}
