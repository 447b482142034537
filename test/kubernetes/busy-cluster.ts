/**
 * A process with a large cluster in a strict API server, and whoever else acts in it: a scheduler, a mig-manager that is
 * done at once, and users. Its first line is the kubeconfig; then a line of standard input is an order, and a line of
 * standard output its answer; it ends with its standard input.
 */
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import { parse } from 'yaml';
import { kubernetesApi } from '#adapters/kubernetes/cluster-api';
import { systemClock } from '#adapters/system/clock';
import type { Json } from './api-server/json.js';
import { startApiServer, type ApiServer } from './api-server/server.js';
import { wirePod } from '../support/wire-objects.js';
import { fillCluster } from '../../bench/big-cluster.js';
import { randomFrom } from '../../bench/random.js';

const [, , nodesText = '0', podsText = '0', idleText = '0'] = process.argv;
const size = { nodes: Number(nodesText), pods: Number(podsText), idle: Number(idleText) };
const { uniform: random } = randomFrom(6000);

const server = await startApiServer();
/** Of users who end pods. */
const hands = kubernetesApi({ kubeconfig: server.kubeconfigPath, clock: systemClock, env: {} });
const big = { nodes: size.nodes, pods: size.pods, gpuNodes: size.nodes, idleNodes: size.idle };
fillCluster(big, (objects) => server.seed(objects));
const idle = Array.from({ length: size.idle }, (_, index) => `node-${size.nodes - 1 - index}`);
seedOperator(server);
const pending = new Map<string, Json>();
const placed = new Map<string, Map<string, string>>(idle.map((name) => [name, new Map()]));
let made = 0;
let turns = 0;
let isOver = false;

function seedOperator(to: ApiServer): void {
  const meta = (name: string, namespace: string): Json => ({ name, namespace });
  const policy = {
    apiVersion: 'mica.dev/v1alpha1',
    kind: 'MigPolicy',
    metadata: { name: 'bench' },
    spec: { mode: 'Auto', pendingSeconds: 0, cooldownSeconds: 0, maxUnavailable: 50 },
  };
  const crd = new URL('../deploy/kubernetes/controller/mig-policy.yaml', bundleBase());
  to.seed([
    ...['gpu-operator', 'mica-system', 'apps'].map((name) => ({
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name },
    })),
    parse(readFileSync(crd, 'utf8')),
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: meta('mica-mig-config', 'gpu-operator'),
    },
    ...idle.map((node) =>
      wirePod({
        ...{
          name: `nvidia-mig-manager-${node}`,
          namespace: 'gpu-operator',
          node,
          labels: { app: 'nvidia-mig-manager' },
        },
        controller: { kind: 'DaemonSet', name: 'nvidia-mig-manager', uid: 'ds' },
      }),
    ),
  ]);
  to.seed([policy]);
}

/** The repository, from where the bundle lies. */
function bundleBase(): string {
  return new URL('../../../bench/', import.meta.url).href;
}

function nodeOf(name: string): Json {
  return structuredClone<Json>(server.get('nodes', name));
}

/** Does what the label says as soon as it says something else, and believes every configuration. */
async function migManager(): Promise<void> {
  const seen = new Map(idle.map((name) => [name, nodeOf(name)['metadata'].labels['nvidia.com/mig.config']]));
  while (!isOver) {
    await wait(20);
    for (const name of idle) {
      const at: Json = server.get('nodes', name);
      const config = at['metadata'].labels['nvidia.com/mig.config'];
      if (config === seen.get(name)) continue;
      seen.set(name, config);
      const node = structuredClone(at);
      const counts: Record<string, string> = {};
      for (const [, count = '0', profile = ''] of String(config).matchAll(/(\d+)x(\dg\.\d+gb)/g))
        counts[`nvidia.com/mig-${profile}`] = count;
      const labels = Object.entries(node['metadata'].labels).filter(
        ([key]) => !/^nvidia.com\/mig-\dg/.test(key),
      );
      node['metadata'].labels = { ...Object.fromEntries(labels), 'nvidia.com/mig.config.state': 'success' };
      for (const part of ['capacity', 'allocatable']) {
        const others = Object.entries(node['status'][part]).filter(([key]) => !key.startsWith('nvidia.com/'));
        node['status'][part] = { ...Object.fromEntries(others), ...counts };
      }
      server.seed([node]);
    }
  }
}

async function scheduler(): Promise<void> {
  while (!isOver) {
    await wait(30);
    for (const [uid, pod] of pending) {
      const [resource = ''] = Object.keys(pod['wants'] as Record<string, number>);
      const selected = pod['nodeSelector']['kubernetes.io/hostname'] as string | undefined;
      const node = idle.find(
        (name) => (selected === undefined || name === selected) && hasFree(name, resource),
      );
      if (node === undefined) continue;
      pending.delete(uid);
      placed.get(node)?.set(uid, resource);
      server.seed([wirePod({ ...pod, node, phase: 'Running', unschedulable: null })]);
    }
  }
}

function hasFree(name: string, resource: string): boolean {
  const node: Json = server.get('nodes', name);
  if (node['spec'].unschedulable === true) return false;
  const used = [...(placed.get(name)?.values() ?? [])].filter((one) => one === resource).length;
  return Number(node['status'].allocatable[resource] ?? 0) > used;
}

function addPending(profile: string, node: string | null): Json {
  made += 1;
  const pod: Json = {
    ...{
      name: `new-${made}`,
      namespace: 'apps',
      uid: `00000000-0000-4000-8000-${String(made).padStart(12, '0')}`,
    },
    wants: { [`nvidia.com/mig-${profile}`]: 1 },
    nodeSelector: node === null ? {} : { 'kubernetes.io/hostname': node },
    controller: { kind: 'ReplicaSet', name: `new-${made}`, uid: `rs-${made}` },
    unschedulable: {
      message: `0/${size.nodes} nodes are available: Insufficient nvidia.com/mig-${profile}.`,
      sinceMs: Date.now(),
    },
  };
  server.seed([wirePod(pod)]);
  pending.set(pod['uid'], pod);
  return pod;
}

function endPod(pod: Json): void {
  pending.delete(pod['uid']);
  for (const pods of placed.values()) pods.delete(pod['uid']);
  void remove(pod['name']);
}

async function remove(name: string): Promise<void> {
  const body = { apiVersion: 'v1', kind: 'DeleteOptions', gracePeriodSeconds: 0 };
  await hands.connection.send({ method: 'DELETE', path: `/api/v1/namespaces/apps/pods/${name}`, body });
}

/** From a pod that pends to the label of the node that is cut for it, again and again. */
async function react(rounds: number): Promise<Json> {
  const toRecordMs: number[] = [];
  const toLabelMs: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const turn = turns;
    turns += 1;
    const node = idle[turn % idle.length] ?? '';
    const before = nodeOf(node)['metadata'].labels['nvidia.com/mig.config'];
    const profile = turn % (2 * idle.length) < idle.length ? '3g.40gb' : '1g.10gb';
    await wait(300);
    const sentMs = performance.now();
    const pod = addPending(profile, node);
    let recordMs: number | null = null;
    for (;;) {
      const { labels, annotations = {} } = server.get('nodes', node)['metadata'];
      if (annotations['mica.dev/change'] !== undefined) recordMs ??= performance.now() - sentMs;
      if (labels['nvidia.com/mig.config'] !== before) break;
      if (performance.now() - sentMs > 60_000) throw new Error(`nothing was done on ${node} for ${profile}`);
      await wait(1);
    }
    toLabelMs.push(performance.now() - sentMs);
    toRecordMs.push(recordMs ?? Number.NaN);
    while (
      pending.size > 0 ||
      server.get('nodes', node)['metadata'].annotations?.['mica.dev/change'] !== undefined
    )
      await wait(5);
    endPod(pod);
  }
  return { toRecordMs, toLabelMs };
}

/** Users come and go: each second pods of all kinds, nodes that say something of themselves, a few that want slices. */
async function load(seconds: number): Promise<Json> {
  const endMs = performance.now() + seconds * 1000;
  const alive: Json[] = [];
  const plain: string[] = [];
  let writes = 0;
  let asked = 0;
  while (performance.now() < endMs) {
    const turnMs = performance.now();
    for (let index = 0; index < 40; index += 1) {
      const at = Math.floor(random() * size.nodes);
      const node = nodeOf(`node-${at}`);
      node['metadata'].annotations = {
        ...node['metadata'].annotations,
        'volumes.kubernetes.io/last': String(turnMs),
      };
      server.seed([node]);
      made += 1;
      const name = `web-${made}`;
      server.seed([
        wirePod({
          name,
          namespace: 'apps',
          node: `node-${at}`,
          controller: { kind: 'ReplicaSet', name: 'web', uid: 'web' },
        }),
      ]);
      plain.push(name);
      if (plain.length > 400) await remove(plain.shift() ?? '');
      writes += 3;
    }
    if (random() < 0.5) {
      alive.push(
        addPending(['1g.10gb', '2g.20gb', '3g.40gb', '7g.80gb'][Math.floor(random() * 4)] ?? '', null),
      );
      asked += 1;
    }
    while (alive.length > 20) endPod(alive.shift());
    await wait(Math.max(0, 1000 - (performance.now() - turnMs)));
  }
  for (const pod of alive) endPod(pod);
  return { writes, asked, stillPending: pending.size };
}

process.stdout.write(`${server.kubeconfigPath}\n`);
const actors = [migManager(), scheduler()];
for await (const line of createInterface({ input: process.stdin })) {
  const [order = '', argument = '0'] = line.split(' ');
  if (order === 'react') process.stdout.write(`${JSON.stringify(await react(Number(argument)))}\n`);
  if (order === 'load') process.stdout.write(`${JSON.stringify(await load(Number(argument)))}\n`);
}
isOver = true;
await Promise.all(actors);
await hands.close();
await server.close();
process.exit(0);
