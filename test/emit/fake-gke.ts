/** A local stand-in for the GKE API: takes a node pool, says that the operation is done, and keeps what it was asked. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly body: { readonly nodePool?: { readonly name?: string } } | null;
}

export class FakeGke {
  readonly asked: Asked[] = [];
  readonly #server: Server;

  constructor() {
    this.#server = createServer((request, response) => {
      let text = '';
      request.on('data', (chunk) => (text += String(chunk)));
      request.on('end', () => {
        const path = new URL(request.url ?? '/', 'http://fake').pathname.slice(1);
        const asked = { method: request.method ?? '', path, body: text === '' ? null : JSON.parse(text) };
        this.asked.push(asked);
        const answer = answerTo(asked);
        response.writeHead(answer === undefined ? 404 : 200, { 'content-type': 'application/json' });
        response.end(
          JSON.stringify(answer ?? { error: { code: 404, message: `unexpected ${asked.method} ${path}` } }),
        );
      });
    });
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  async close(): Promise<void> {
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

function answerTo({ method, path }: Asked): object | undefined {
  const [, location] = /\/locations\/([^/]+)\//.exec(path) ?? [];
  const operation = {
    name: 'operation-1',
    zone: location,
    location,
    operationType: 'CREATE_NODE_POOL',
    status: 'DONE',
  };
  if (method === 'POST' && path.endsWith('/nodePools'))
    return { ...operation, targetLink: `http://fake/${path}/x` };
  if (method === 'GET' && path.includes('/operations/')) return { ...operation, targetLink: 'http://fake/x' };
  const pool = /\/nodePools\/([^/]+)$/.exec(path)?.[1];
  if (method === 'GET' && pool !== undefined)
    return { name: pool, status: 'RUNNING', config: {}, version: '1.35.2-gke.1' };
  return undefined;
}
