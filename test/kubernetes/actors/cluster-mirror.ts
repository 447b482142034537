/**
 * What actors see of a cluster at once, and change without waiting: a watch keeps it up to date, and what they wrote is
 * seen before the server has it. Writes of one object reach the server in their order.
 */
import { request as httpsRequest } from 'node:https';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { without, type Json } from '../api-server/json.js';
import { mergeApply, mergePatch } from '../cluster-hands.js';
import type { RawAnswer } from '../raw.js';
import type { TestCluster } from '../test-cluster.js';

const paths = { nodes: 'nodes', pods: 'pods', configmaps: 'configmaps' } as const;
type Plural = keyof typeof paths;

interface Known {
  readonly version: number;
  readonly object: Json;
}

interface Pending {
  count: number;
  last: Promise<void>;
  object: Json;
}

export class ClusterMirror {
  /** Writes that the server did not take. */
  readonly refused: string[] = [];
  readonly #cluster: TestCluster;
  readonly #known = new Map<string, Known>();
  readonly #pending = new Map<string, Pending>();
  readonly #watches = new Map<Plural, ClientRequest>();
  readonly #running: Promise<void>[] = [];
  #isClosed = false;

  private constructor(cluster: TestCluster) {
    this.#cluster = cluster;
  }

  static async open(cluster: TestCluster): Promise<ClusterMirror> {
    const mirror = new ClusterMirror(cluster);
    await Promise.all((Object.keys(paths) as Plural[]).map((plural) => mirror.#begin(plural)));
    return mirror;
  }

  get(plural: Plural, namespace: string, name: string): Json {
    return this.#shown(keyOf(plural, namespace, name));
  }

  all(plural: Plural): readonly Json[] {
    const keys = new Set([...this.#known.keys(), ...this.#pending.keys()]);
    return [...keys].filter((key) => key.startsWith(`${plural}/`)).flatMap((key) => this.#shown(key) ?? []);
  }

  create(plural: Plural, object: Json, onMade: (made: Json) => void): void {
    const { name, namespace = '' } = object.metadata;
    this.#write(keyOf(plural, namespace, name), object, async () => {
      const made = await this.#cluster.ask('POST', pathOf(plural, namespace), withoutUid(object));
      if (made.status !== 201) return made;
      onMade(made.body);
      if (object.status === undefined) return made;
      const full = { ...made.body, status: { ...made.body.status, ...object.status } };
      return this.#cluster.ask('PUT', `${pathOf(plural, namespace, name)}/status`, full);
    });
  }

  /** A merge patch; what it says of the status goes where that is written. */
  patch(plural: Plural, namespace: string, name: string, { status, ...patch }: Json): void {
    const key = keyOf(plural, namespace, name);
    const after = mergeApply(this.#shown(key), { ...patch, ...(status === undefined ? {} : { status }) });
    this.#write(key, after, async () => {
      const path = pathOf(plural, namespace, name);
      let answer: RawAnswer | undefined;
      if (Object.keys(patch as object).length > 0)
        answer = await this.#cluster.ask('PATCH', path, patch, mergePatch);
      if (status !== undefined && (answer === undefined || answer.status === 200))
        answer = await this.#cluster.ask('PATCH', `${path}/status`, { status }, mergePatch);
      return answer;
    });
  }

  /** At once, as a kubelet ends a pod; not another one of its name. */
  remove(plural: Plural, namespace: string, name: string, uid: () => string): void {
    this.#write(keyOf(plural, namespace, name), undefined, () => {
      const body = { gracePeriodSeconds: 0, preconditions: { uid: uid() } };
      return this.#cluster.ask('DELETE', pathOf(plural, namespace, name), body);
    });
  }

  /** When everything that was written so far has reached the server. */
  async settled(): Promise<void> {
    while (this.#pending.size > 0) await Promise.all([...this.#pending.values()].map(({ last }) => last));
  }

  /** Settled, and what others wrote is known as well. */
  async sync(): Promise<void> {
    await this.settled();
    await Promise.all((Object.keys(paths) as Plural[]).map((plural) => this.#list(plural)));
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.settled();
    for (const request of this.#watches.values()) request.destroy();
    await Promise.all(this.#running);
  }

  #shown(key: string): Json {
    const pending = this.#pending.get(key);
    return pending === undefined ? this.#known.get(key)?.object : pending.object;
  }

  #write(key: string, object: Json, send: () => Promise<RawAnswer | undefined>): void {
    if (this.#isClosed) return;
    const pending = this.#pending.get(key) ?? { count: 0, last: Promise.resolve(), object };
    pending.object = object;
    pending.count += 1;
    this.#pending.set(key, pending);
    pending.last = pending.last.then(async () => {
      const answer = await send().catch((error: unknown) => String(error));
      if (typeof answer === 'string') this.#note(`${key}: ${answer}`);
      // Gone meanwhile, or another of its name: so do kubelets find their pods.
      else if (answer !== undefined && ![200, 201, 404, 409].includes(answer.status))
        this.#note(`${key}: ${answer.status} ${String(answer.body.message)}`);
      else if (answer?.status === 200 || answer?.status === 201)
        this.#learn(key, object === undefined ? undefined : answer.body, versionOf(answer.body), true);
      pending.count -= 1;
      if (pending.count === 0) this.#pending.delete(key);
    });
  }

  #note(text: string): void {
    if (!this.#isClosed) this.refused.push(text);
  }

  #learn(key: string, object: Json, version: number, isAnswer: boolean): void {
    const before = this.#known.get(key)?.version ?? 0;
    if (version > before || (isAnswer && version === before)) this.#known.set(key, { version, object });
  }

  async #begin(plural: Plural): Promise<void> {
    this.#running.push(this.#follow(plural, await this.#list(plural)));
  }

  async #list(plural: Plural): Promise<string> {
    const { body } = await this.#cluster.ask('GET', pathOf(plural, ''));
    for (const object of body.items as readonly Json[]) this.#see(plural, 'ADDED', object);
    return body.metadata.resourceVersion;
  }

  async #follow(plural: Plural, from: string): Promise<void> {
    let version = from;
    while (!this.#isClosed) {
      try {
        for await (const { type, object } of this.#events(plural, version)) {
          if (type === 'ERROR') throw new Error(String(object.message));
          version = object.metadata.resourceVersion;
          if (type !== 'BOOKMARK') this.#see(plural, type, object);
        }
      } catch (error) {
        this.#note(`watch of ${plural}: ${String(error)}`);
        await wait(20);
      }
    }
  }

  async *#events(plural: Plural, version: string): AsyncGenerator<Json> {
    const { ca, admin, url } = this.#cluster;
    const query = `watch=true&allowWatchBookmarks=true&resourceVersion=${version}`;
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const options = { ca, cert: admin.certificate, key: admin.key, agent: false as const };
      const request = httpsRequest(`${url}${pathOf(plural, '')}?${query}`, options, resolve);
      this.#watches.set(plural, request.on('error', reject).end());
    });
    let rest = '';
    try {
      for await (const chunk of response.setEncoding('utf8')) {
        const lines = `${rest}${String(chunk)}`.split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) if (line !== '') yield JSON.parse(line);
      }
    } catch (error) {
      if (!this.#isClosed) throw error;
    }
  }

  #see(plural: Plural, type: string, object: Json): void {
    const { name, namespace = '' } = object.metadata;
    const key = keyOf(plural, namespace, name);
    this.#learn(key, type === 'DELETED' ? undefined : object, versionOf(object), false);
  }
}

const keyOf = (plural: Plural, namespace: string, name: string): string => `${plural}/${namespace}/${name}`;

const versionOf = ({ metadata }: Json): number => Number(metadata?.resourceVersion ?? 0);

function pathOf(plural: Plural, namespace: string, name?: string): string {
  const all = `/api/v1/${namespace === '' ? '' : `namespaces/${namespace}/`}${plural}`;
  return name === undefined ? all : `${all}/${name}`;
}

function withoutUid(object: Json): Json {
  return { ...object, metadata: without(object.metadata, 'uid') };
}
