/** deploy/kubernetes/controller: its rights are what the controller needs, with each and without any one; its pod may do nothing else. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { kubernetesApi } from '#adapters/kubernetes/cluster-api';
import { kubernetesLease } from '#adapters/kubernetes/leader-lease';
import { migPolicies } from '#adapters/kubernetes/mig-policies';
import { nodePods } from '#adapters/kubernetes/node-pods';
import { MicaError } from '#core/errors';
import type { ApiAnswer } from '#ports/cluster-api';
import { aStatus } from '#ports/mig-policies.contract';
import { hurriedClock } from '../../support/cluster-on-server.js';
import { mixedH100 } from '../../support/node-labels.js';
import { aPolicy } from '../../support/served-policies.js';
import { wireNode, wirePod } from '../../support/wire-objects.js';
import { root } from '../../tooling/clone.js';
import { requires } from '../../tooling/requires.js';
import type { Json } from '../api-server/json.js';
import type { ApiServer } from '../api-server/server.js';
import { built, deployed, inWords, rightsIn, without } from './deployed.js';

const kubectl = requires('kubectl');
const objects: readonly Json[] = kubectl.missing ? [] : await built('controller');
const rights = rightsIn(objects);
const of = (kind: string): Json => objects.find((object) => object.kind === kind);

const node = 'gpu-1';
const uid = '00000000-0000-4000-8000-000000000001';
const account = 'system:serviceaccount:mica-system:mica-controller';

async function serve(allowed: readonly Json[]): Promise<ApiServer> {
  const { server } = await deployed(allowed, [
    wireNode({ name: node, labels: mixedH100, capacity: { 'nvidia.com/mig-1g.10gb': 4 } }),
    wirePod({ name: 'bert', namespace: 'team', uid, node, wants: { 'nvidia.com/mig-1g.10gb': 1 } }),
    wirePod({ name: 'plugin', namespace: 'gpu-operator', uid, node }),
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { namespace: 'gpu-operator', name: 'mica-mig-config' },
      data: { 'other.yaml': '' },
    },
  ]);
  onTestFinished(() => server.close());
  server.seed([aPolicy('inference')]);
  return server;
}

/** Each call that the controller ever makes, as its account; answers what was refused. */
async function everyCall(server: ApiServer): Promise<readonly string[]> {
  const refused: string[] = [];
  const { kubeconfigPath } = server.users.add(account);
  const onNote = (note: string): void => void refused.push(note);
  const clock = hurriedClock;
  const api = kubernetesApi({ env: {}, clock, kubeconfig: kubeconfigPath, onNote });
  onTestFinished(() => api.close());
  const { connection } = api;
  const policies = migPolicies({ connection, clock });
  const said = (answer: ApiAnswer<unknown>): void => {
    if (!answer.ok) refused.push(answer.why.message);
  };
  const { signal } = new AbortController();
  const begun = await Promise.allSettled([api.watch(signal), policies.watch(signal)]);
  const watches = begun.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  const failures = begun.flatMap((one): unknown[] => (one.status === 'rejected' ? [one.reason] : []));
  for (const error of failures) {
    if (!(error instanceof MicaError)) throw error;
    refused.push(error.message);
  }
  const troubles = (): readonly string[] => watches.flatMap(({ trouble }) => trouble()?.message ?? []);
  await expect
    .poll(() => refused.length + troubles().length > 0 || server.openWatches() === 5, { interval: 5 })
    .toBe(true);
  refused.push(...troubles());
  await Promise.all(watches.map(({ close }) => close()));
  said(await nodePods(connection, clock).podsOn(node));
  said(await nodePods(connection, clock).nodes());
  const policy = server.get('migpolicies.mica.dev', 'inference').metadata;
  said(await policies.writeStatus({ name: 'inference', uid: policy.uid }, aStatus, 1000));
  const lease = kubernetesLease({
    connection,
    clock,
    namespace: 'mica-system',
    name: 'mica-controller',
    identity: 'mica-controller-x',
  });
  const held = [await lease.hold(), await lease.hold()];
  refused.push(...held.flatMap((answer) => (answer.kind === 'failed' ? [answer.why.message] : [])));
  await lease.release();
  said(await api.getNode(node));
  said(await api.patchNode(node, { cordoned: true, labels: { 'nvidia.com/mig.config': 'mica' } }));
  said(await api.evict({ namespace: 'team', name: 'bert', uid }, null));
  said(await api.getConfigMap('gpu-operator', 'mica-mig-config'));
  said(await api.applyConfigMap('gpu-operator', 'mica-mig-config', { 'config.yaml': 'version: v1' }));
  said(await api.deletePod({ namespace: 'gpu-operator', name: 'plugin', uid }));
  const event = { type: 'Normal', reason: 'Planned', message: 'm' } as const;
  const about = { kind: 'Pod', namespace: 'team', name: 'bert', uid };
  said(await api.recordEvent({ ...event, about }));
  for (const [kind, name] of [
    ['Node', node],
    ['MigPolicy', 'inference'],
  ] as const)
    said(await api.recordEvent({ ...event, about: { kind, namespace: null, name, uid } }));
  return refused;
}

describe.skipIf(kubectl.missing)(kubectl.title('the rights of the controller'), () => {
  it('are enough for all that it does, and none is without use', async () => {
    const server = await serve(objects);
    expect(await everyCall(server)).toEqual([]);
    const mine = (): typeof server.requests => server.requests.filter(({ user }) => user === account);
    expect(mine().filter(({ status }) => status === 403)).toEqual([]);
    const local = new Set(rights.filter(({ kind }) => kind === 'Role').map(inWords));
    const used = (): readonly string[] => [
      ...new Set(
        mine().map(({ verb, resource, namespace }) => {
          const there = `${verb} ${resource} in ${namespace}`;
          return local.has(there) ? there : `${verb} ${resource}`;
        }),
      ),
    ];
    // A watch is in the log once it has ended.
    await expect.poll(() => used().toSorted()).toEqual([...new Set(rights.map(inWords))].sort());
  });

  it.each(rights.map((right) => [inWords(right), right] as const))(
    'without "%s" it is told which one is missing',
    async (_, right) => {
      const refused = await everyCall(await serve(without(objects, right)));
      expect(refused.length).toBeGreaterThan(0);
      const words = new RegExp(
        `cannot ${right.verb} resource "${right.resource}"|may not ${right.verb} ${right.resource}`,
      );
      for (const message of refused) expect(message).toMatch(words);
    },
  );

  it('end where they should: no pod of users, no other map, no other lease, no policy of its own making', async () => {
    const server = await serve(objects);
    const { kubeconfigPath } = server.users.add(account);
    const api = kubernetesApi({ env: {}, clock: hurriedClock, kubeconfig: kubeconfigPath });
    onTestFinished(() => api.close());
    const send = async (method: 'POST' | 'PATCH', path: string, body: object): Promise<number> => {
      const contentType = method === 'POST' ? 'application/json' : 'application/merge-patch+json';
      return (await api.connection.send({ method, path, body, contentType })).status;
    };
    const policies = '/apis/mica.dev/v1alpha1/migpolicies';
    const leases = '/apis/coordination.k8s.io/v1/namespaces';
    const tried = [
      await api.deletePod({ namespace: 'team', name: 'bert', uid }),
      await api.applyConfigMap('gpu-operator', 'another', { a: '1' }),
      await api.getConfigMap('team', 'mica-mig-config'),
    ].map((answer) => (answer.ok ? 'allowed' : answer.why.kind));
    expect(tried).toEqual(tried.map(() => 'forbidden'));
    expect([
      await send('POST', policies, aPolicy('mine', { mode: 'Auto' })),
      await send('PATCH', `${policies}/inference`, { spec: { mode: 'Auto' } }),
      await send('PATCH', `${leases}/mica-system/leases/another`, { spec: {} }),
      await send('PATCH', `${leases}/kube-system/leases/mica-controller`, { spec: {} }),
    ]).toEqual([403, 403, 403, 403]);
  });
});

describe.skipIf(kubectl.missing)(kubectl.title('the Deployment of the controller'), () => {
  const deployment = kubectl.missing ? undefined : of('Deployment');
  const pod: Json = deployment?.spec.template.spec;
  const [container]: readonly Json[] = pod?.containers ?? [];

  it('meets the pod security level that its namespace enforces', () => {
    expect(of('Namespace').metadata.labels).toMatchObject({
      'pod-security.kubernetes.io/enforce': 'restricted',
    });
    expect(pod.containers).toHaveLength(1);
    expect(pod.securityContext).toEqual({
      runAsNonRoot: true,
      runAsUser: 65532,
      runAsGroup: 65532,
      seccompProfile: { type: 'RuntimeDefault' },
    });
    expect(container?.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
    for (const field of ['hostNetwork', 'hostPID', 'hostIPC', 'volumes', 'initContainers'])
      expect(pod[field], field).toBeUndefined();
    expect(container?.ports.map((port: Json) => port.hostPort)).toEqual([undefined]);
  });

  it('has its token where it needs it, and nowhere else', () => {
    expect(pod).toMatchObject({ serviceAccountName: 'mica-controller', automountServiceAccountToken: true });
    const own = objects.find(
      ({ kind, metadata }) => kind === 'ServiceAccount' && metadata.name === 'mica-controller',
    );
    expect(own.automountServiceAccountToken).toBe(false);
    expect(container?.envFrom).toBeUndefined();
    const env = new Map(container?.env.map((one: Json) => [one.name, one.valueFrom?.fieldRef.fieldPath]));
    expect([...env]).toEqual([
      ['POD_NAME', 'metadata.name'],
      ['NODE_OPTIONS', undefined],
      ['POD_NAMESPACE', 'metadata.namespace'],
    ]);
  });

  it('asks for what it listens on, and is bounded', () => {
    expect(container).toMatchObject({
      args: ['controller', '--listen', '0.0.0.0:9808'],
      ports: [{ name: 'http', containerPort: 9808 }],
      livenessProbe: { httpGet: { path: '/healthz', port: 'http' } },
      readinessProbe: { httpGet: { path: '/readyz', port: 'http' } },
      resources: { requests: { cpu: '50m', memory: '128Mi' }, limits: { memory: '512Mi' } },
    });
    expect(of('NetworkPolicy').spec).toMatchObject({
      policyTypes: ['Ingress'],
      ingress: [{ ports: [{ protocol: 'TCP', port: 9808 }] }],
    });
    expect(of('Service').spec.ports).toEqual([{ name: 'http', port: 9808, targetPort: 'http' }]);
  });

  it('two of them on different nodes, of which one may go at a time; the labels meet', () => {
    const { matchLabels } = deployment.spec.selector;
    expect(deployment.spec.replicas).toBe(2);
    expect(of('PodDisruptionBudget').spec).toEqual({ maxUnavailable: 1, selector: { matchLabels } });
    expect(of('NetworkPolicy').spec.podSelector).toEqual({ matchLabels });
    expect(of('Service').spec.selector).toEqual(matchLabels);
    expect(pod.topologySpreadConstraints[0]).toMatchObject({
      topologyKey: 'kubernetes.io/hostname',
      labelSelector: { matchLabels },
    });
  });

  it('is of this version, under a name that nobody else has published', () => {
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    expect(container?.image).toBe(`mica:${version}`);
  });

  it('waits for a policy: none comes with it', () => {
    expect(objects.map(({ kind }) => kind)).not.toContain('MigPolicy');
  });
});
