/**
 * A strict stand-in for GKE's Container API v1: knows the calls about node pools, checks every field, lets one operation
 * at a time work on the cluster, and makes real-looking mistakes when it is told to.
 */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { partitionSizesOf } from '#core/catalogue/gke-partition-sizes';
import { factsFrom, mistakesIn, type Json } from './message-check.js';

const { messages } = factsFrom('gke-messages.json');

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly body: Json;
}

export type Fault =
  /** Answered with this status, and not done. */
  | {
      readonly kind: 'status';
      readonly status: number;
      readonly message: string;
      readonly retryAfter?: number;
    }
  /** The connection ends without an answer: before or after it was taken. */
  | { readonly kind: 'cut'; readonly done: boolean }
  /** Taken, and the operation fails: said in `error`, or only in the old `statusMessage`. */
  | { readonly kind: 'operation'; readonly said: 'error' | 'statusMessage'; readonly message: string }
  /** Taken, and the operation never ends. */
  | { readonly kind: 'hangs' };

interface Operation {
  readonly name: string;
  readonly type: string;
  readonly target: string;
  looks: number;
  status: 'PENDING' | 'RUNNING' | 'DONE';
  readonly fault: Fault | undefined;
  readonly end: () => void;
}

export interface GkePlace {
  readonly project: string;
  /** A zone or a region. */
  readonly location: string;
  readonly cluster: string;
}

export class GkeServer {
  readonly place: GkePlace;
  readonly #parent: string;
  readonly asked: Asked[] = [];
  readonly pools = new Map<string, Json>();
  /** Looks that an operation takes to end. */
  looksPerOperation = 2;
  /** Nodes that the project may have. */
  quotaNodes = 100;
  /** Told when nodes come and go. */
  onPool: (name: string, pool: Json) => void = () => undefined;
  readonly #faults: { readonly method: string; readonly path: RegExp; readonly fault: Fault }[] = [];
  readonly #operations: Operation[] = [];
  readonly #server: Server;

  constructor({ project = 'p1', location = 'us-central1-b', cluster = 'c1' }: Partial<GkePlace> = {}) {
    this.place = { project, location, cluster };
    this.#parent = `projects/${project}/locations/${location}/clusters/${cluster}`;
    this.#server = createServer((request, response) => {
      let text = '';
      request.on('data', (chunk) => (text += String(chunk)));
      request.on('end', () => {
        const url = new URL(request.url ?? '/', 'http://fake');
        const asked = {
          method: request.method ?? '',
          path: url.pathname.slice(1),
          body: text === '' ? null : JSON.parse(text),
        };
        this.asked.push(asked);
        const index = this.#faults.findIndex(
          ({ method, path }) => method === asked.method && path.test(asked.path),
        );
        const [planned] = index < 0 ? [] : this.#faults.splice(index, 1);
        const fault = planned?.fault;
        if (fault?.kind === 'cut' && !fault.done) return void request.socket.destroy();
        const answer =
          fault?.kind === 'status'
            ? problem(fault.status, fault.message)
            : [...url.searchParams].some(([key, value]) => key !== 'alt' || value !== 'json')
              ? problem(400, `unknown parameters ${url.search}`)
              : this.#answer(asked, fault);
        if (fault?.kind === 'cut') return void request.socket.destroy();
        const after = fault?.kind === 'status' ? fault.retryAfter : undefined;
        response.writeHead(answer.status, {
          'content-type': 'application/json; charset=UTF-8',
          ...(after !== undefined && { 'retry-after': String(after) }),
        });
        response.end(JSON.stringify(answer.body));
      });
    });
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** The next request like this meets the fault. */
  fail(method: string, path: RegExp, fault: Fault): void {
    this.#faults.push({ method, path, fault });
  }

  addPool(pool: Json): void {
    const body = {
      initialNodeCount: 1,
      locations: [this.place.location],
      management: { autoRepair: true, autoUpgrade: true },
      upgradeSettings: { maxSurge: 1 },
      ...pool,
      config: { oauthScopes: ['https://www.googleapis.com/auth/cloud-platform'], ...pool.config },
    };
    this.pools.set(pool.name, { ...body, ...ofServer(this.place, pool.name, 'RUNNING') });
    this.onPool(pool.name, this.pools.get(pool.name));
  }

  /** Somebody else's operation on the cluster, which takes so many looks. */
  occupy(looks: number): void {
    this.#begin('UPGRADE_MASTER', this.#parent, () => undefined, undefined).looks = -looks;
  }

  get changes(): readonly string[] {
    return this.asked
      .filter(({ method }) => method !== 'GET')
      .map(({ method, path }) => `${method} ${path.split('/').slice(7).join('/') || 'cluster'}`);
  }

  #answer({ method, path, body }: Asked, fault: Fault | undefined): { status: number; body: Json } {
    const { project, location } = this.place;
    const operations = `v1/projects/${project}/locations/${location}/operations/`;
    const operation = path.startsWith(operations) ? path.slice(operations.length) : undefined;
    if (operation !== undefined && method === 'GET') return this.#look(operation);
    if (!path.startsWith(`v1/${this.#parent}`)) return problem(404, `Not found: ${path}.`);
    const [, rest = '', verb = ''] = /^([^:]*)(:\w+)?$/.exec(path.slice(`v1/${this.#parent}`.length)) ?? [];
    const [, name] = /^\/nodePools\/([^/]+)$/.exec(rest) ?? [];
    if (rest === '' && method === 'GET') return ok(this.#clusterBody());
    if (rest === '' && method === 'PUT') return this.#updateCluster(body, fault);
    if (rest === '/nodePools' && method === 'GET') return ok({ nodePools: [...this.pools.values()] });
    if (rest === '/nodePools' && method === 'POST') return this.#create(body, fault);
    if (name === undefined) return problem(404, `Not found: ${path}.`);
    const pool = this.pools.get(name);
    if (pool === undefined) return problem(404, `Not found: ${this.#parent}/nodePools/${name}.`);
    if (method === 'GET' && verb === '') {
      this.#isBusy();
      return this.pools.has(name) ? ok(pool) : problem(404, `Not found: ${name}.`);
    }
    if (this.#isBusy()) return this.#busy();
    if (method === 'DELETE' && verb === '') {
      pool.status = 'STOPPING';
      return this.#took('DELETE_NODE_POOL', name, fault, () => {
        this.pools.delete(name);
        this.onPool(name, null);
      });
    }
    if (method === 'POST' && verb === ':setSize') {
      const wrong = mistakesIn(messages, body, 'SetNodePoolSizeRequest');
      if (wrong.length > 0 || body.name !== `${this.#parent}/nodePools/${name}`)
        return problem(400, wrong.join());
      return this.#took('SET_NODE_POOL_SIZE', name, fault, () => {
        pool.initialNodeCount = body.nodeCount;
        this.onPool(name, pool);
      });
    }
    return problem(404, `Not found: ${method} ${path}.`);
  }

  #create(body: Json, fault: Fault | undefined): { status: number; body: Json } {
    const wrong = mistakesIn(messages, body, 'CreateNodePoolRequest');
    if (wrong[0] !== undefined) return problem(400, wrong[0]);
    const { nodePool } = body;
    if (body.parent !== this.#parent) return problem(400, `parent ${body.parent} is not ${this.#parent}`);
    if (this.pools.has(nodePool.name)) {
      return problem(409, `Already exists: ${this.#parent}/nodePools/${nodePool.name}.`);
    }
    if (this.#isBusy()) return this.#busy();
    for (const one of nodePool.config?.accelerators ?? []) {
      const sizes = Object.keys(partitionSizesOf(one.acceleratorType)).flatMap((size) => [
        size,
        size.replace('+', '.'),
      ]);
      if (one.gpuPartitionSize !== undefined && !sizes.includes(one.gpuPartitionSize)) {
        return problem(
          400,
          `Accelerator type ${one.acceleratorType} does not support GPU partition size ${one.gpuPartitionSize}.`,
        );
      }
      if (one.gpuSharingConfig !== undefined && !(Number(one.gpuSharingConfig.maxSharedClientsPerGpu) >= 2)) {
        return problem(400, 'Max shared clients per GPU must be at least 2.');
      }
    }
    const pool = {
      locations: [this.place.location],
      ...nodePool,
      ...ofServer(this.place, nodePool.name, 'PROVISIONING'),
    };
    this.pools.set(nodePool.name, pool);
    const nodes = [...this.pools.values()].reduce(
      (sum: number, one: Json) => sum + Number(one.initialNodeCount) * Number(one.locations.length),
      0,
    );
    const quota: Fault | undefined =
      nodes <= this.quotaNodes
        ? undefined
        : {
            kind: 'operation',
            said: 'error',
            message: "Google Compute Engine: Quota 'GPUS_ALL_REGIONS' exceeded. Limit: 100.0 globally.",
          };
    return this.#took('CREATE_NODE_POOL', nodePool.name, fault ?? quota, () => {
      pool.status = 'RUNNING';
      this.onPool(nodePool.name, pool);
    });
  }

  /** gcloud changes autoscaling by an update of the cluster that names the pool. */
  #updateCluster(body: Json, fault: Fault | undefined): { status: number; body: Json } {
    const {
      desiredNodePoolId: name,
      desiredNodePoolAutoscaling: autoscaling,
      ...others
    } = body?.update ?? {};
    const wrong = mistakesIn(messages, autoscaling, 'NodePoolAutoscaling');
    if (body?.name !== this.#parent || Object.keys(others).length > 0 || wrong.length > 0)
      return problem(400, wrong.join());
    const pool = this.pools.get(name);
    if (pool === undefined) return problem(404, `Not found: node pool ${name}.`);
    if (this.#isBusy()) return this.#busy();
    return this.#took('UPDATE_CLUSTER', name, fault, () => {
      if (autoscaling.enabled === true) pool.autoscaling = autoscaling;
      else delete pool.autoscaling;
    });
  }

  #took(
    type: string,
    target: string,
    fault: Fault | undefined,
    end: () => void,
  ): { status: number; body: Json } {
    return ok(this.#shown(this.#begin(type, `${this.#parent}/nodePools/${target}`, end, fault)));
  }

  #begin(type: string, target: string, end: () => void, fault: Fault | undefined): Operation {
    const operation: Operation = {
      name: `operation-${this.#operations.length + 1}`,
      type,
      target,
      looks: 0,
      status: 'PENDING',
      fault,
      end,
    };
    this.#operations.push(operation);
    return operation;
  }

  #look(name: string): { status: number; body: Json } {
    const operation = this.#operations.find((one) => one.name === name);
    if (operation === undefined) return problem(404, `Not found: ${name}.`);
    if (operation.status === 'DONE' || operation.fault?.kind === 'hangs') return ok(this.#shown(operation));
    operation.looks += 1;
    operation.status = operation.looks < this.looksPerOperation ? 'RUNNING' : 'DONE';
    if (operation.status === 'DONE' && operation.fault?.kind === 'operation') {
      const pool = this.pools.get(operation.target.split('/').at(-1) ?? '');
      if (pool !== undefined)
        Object.assign(pool, { status: 'ERROR', statusMessage: operation.fault.message });
    } else if (operation.status === 'DONE') operation.end();
    return ok(this.#shown(operation));
  }

  #shown({ name, type, target, status, fault }: Operation): object {
    const { location } = this.place;
    const failed = status === 'DONE' && fault?.kind === 'operation' ? fault : undefined;
    return {
      name,
      zone: location,
      location,
      operationType: type,
      status,
      selfLink: `https://fake/v1/projects/1/locations/${location}/operations/${name}`,
      targetLink: `https://fake/v1/${target}`,
      startTime: '2026-11-23T10:00:00Z',
      ...(failed?.said === 'error' && { error: { code: 8, message: failed.message } }),
      ...(failed?.said === 'statusMessage' && { statusMessage: failed.message }),
    };
  }

  #isBusy(): boolean {
    // Whatever goes on takes its time also for those who only ask whether they may begin.
    for (const one of this.#operations)
      if (one.status !== 'DONE' && one.fault?.kind !== 'hangs') this.#look(one.name);
    return this.#operations.some(({ status }) => status !== 'DONE');
  }

  #busy(): { status: number; body: Json } {
    const running = this.#operations.find(({ status }) => status !== 'DONE');
    return problem(409, `Cluster is running incompatible operation ${running?.name ?? ''}.`);
  }

  #clusterBody(): object {
    const { cluster, location } = this.place;
    const version = '1.35.2-gke.1485000';
    return {
      ...{ name: cluster, location, zone: location, status: 'RUNNING', locations: [location] },
      ...{ currentMasterVersion: version, currentNodeVersion: version, initialClusterVersion: version },
      nodePools: [...this.pools.values()],
    };
  }
}

function ofServer({ project, location, cluster }: GkePlace, name: string, status: string): object {
  const parent = `projects/${project}/locations/${location}/clusters/${cluster}`;
  return {
    status,
    etag: 'e1',
    version: '1.35.2-gke.1485000',
    podIpv4CidrSize: 24,
    selfLink: `https://container.googleapis.com/v1/${parent}/nodePools/${name}`,
    instanceGroupUrls: [
      `https://www.googleapis.com/compute/v1/projects/${project}/zones/${location}/instanceGroupManagers/${name}`,
    ],
  };
}

function ok(body: Json): { status: number; body: Json } {
  return { status: 200, body };
}

function problem(status: number, message: string): { status: number; body: Json } {
  return { status, body: { error: { code: status, message, status: 'X' } } };
}
