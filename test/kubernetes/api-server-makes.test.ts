/** What an API server makes of what it was sent: fields of its own, answers that say more than was asked. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Json } from './api-server/json.js';
import { openTestCluster, type TestCluster } from './test-cluster.js';

let cluster: TestCluster;
const pods = '/api/v1/namespaces/default/pods';
const maps = '/api/v1/namespaces/default/configmaps';
const type = (name: string) => ({ 'content-type': `application/${name}` });
const pod = (name: string, more: Json = {}): Json => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name },
  spec: { containers: [{ name: 'c', image: 'i:1' }], ...more },
});

beforeAll(async () => {
  cluster = await openTestCluster();
}, 60_000);
afterAll(() => cluster.close());

describe('a new object', () => {
  it('has a uid and a time of the server, whatever was sent', async () => {
    const sent = { name: 'own', uid: 'mine', creationTimestamp: '2020-01-01T00:00:00Z' };
    const { body } = await cluster.ask('POST', maps, { metadata: sent });
    expect(body.metadata.uid).toMatch(/^[\da-f]{8}-/);
    expect(body.metadata.creationTimestamp).not.toContain('2020-');
  });

  it('is without lists and maps that are empty', async () => {
    const metadata = { name: 'empty', labels: {}, annotations: {}, finalizers: [] };
    const { body } = await cluster.ask('POST', maps, { metadata, data: {} });
    expect(Object.keys(body as object).sort()).toEqual(['apiVersion', 'kind', 'metadata']);
    for (const field of ['labels', 'annotations', 'finalizers'])
      expect(body.metadata).not.toHaveProperty(field);
  });

  it('is not ready, as a node; a pod leaves such nodes after a while', async () => {
    const key = 'node.kubernetes.io/not-ready';
    const { body: node } = await cluster.ask('POST', '/api/v1/nodes', { metadata: { name: 'new' } });
    expect(node.spec.taints).toEqual([{ key, effect: 'NoSchedule' }]);
    const { body } = await cluster.ask('POST', pods, pod('tolerant'));
    expect(body.spec.tolerations).toContainEqual({
      key,
      operator: 'Exists',
      effect: 'NoExecute',
      tolerationSeconds: 300,
    });
    expect(body.spec).toMatchObject({ priority: 0, preemptionPolicy: 'PreemptLowerPriority' });
    expect(body.status).toMatchObject({ phase: 'Pending' });
  });
});

describe('answers', () => {
  it('to the deletion of a pod say when it ends', async () => {
    await cluster.ask('POST', pods, pod('nowhere'));
    const { metadata } = (await cluster.ask('DELETE', `${pods}/nowhere`)).body;
    expect(metadata).toMatchObject({ deletionGracePeriodSeconds: 0, deletionTimestamp: expect.any(String) });
    await cluster.ask('POST', pods, pod('placed', { nodeName: 'new' }));
    const first = (await cluster.ask('DELETE', `${pods}/placed`)).body.metadata;
    expect((await cluster.ask('DELETE', `${pods}/placed`)).body.metadata).toMatchObject({
      deletionGracePeriodSeconds: 30,
      deletionTimestamp: first.deletionTimestamp,
    });
    const last = await cluster.ask('DELETE', `${pods}/placed`, { gracePeriodSeconds: 0 });
    expect(last.body.metadata).toMatchObject({ deletionGracePeriodSeconds: 0 });
  });

  it('to a deletion of another of its name name the kind', async () => {
    await cluster.ask('POST', pods, pod('named'));
    const { status, body } = await cluster.ask('DELETE', `${pods}/named`, { preconditions: { uid: 'x' } });
    expect({ status, reason: body.reason }).toEqual({ status: 409, reason: 'Conflict' });
    expect(body.message).toContain(
      'Operation cannot be fulfilled on Pod "named": the UID in the precondition (x) does not match',
    );
  });

  it.each([
    ['PUT', maps, { metadata: {} }, 'application/json', 400, 'was undeterminable: name must be provided'],
    [
      'PATCH',
      maps,
      { metadata: {} },
      'application/apply-patch+yaml',
      400,
      'Specified patch version: , expected: v1',
    ],
    [
      'PATCH',
      '/apis/coordination.k8s.io/v1/namespaces/default/leases',
      { spec: { renewTime: '2026-01-01' } },
      'application/merge-patch+json',
      422,
      ' "" is invalid: patch: Invalid value',
    ],
    [
      'PATCH',
      '/api/v1/nodes',
      { spec: { taints: [{ key: 'a', effect: 'Never' }] } },
      'application/merge-patch+json',
      422,
      'metadata.taints[0].effect: Unsupported value: "Never"',
    ],
    [
      'PUT',
      maps,
      { metadata: { name: 'there', uid: 'x' } },
      'application/json',
      409,
      'Precondition failed: UID in precondition: x',
    ],
  ])('%s %s %j: %s, %s', async (method, all, body, contentType, code, words) => {
    await cluster.ask('POST', all, {
      metadata: { name: 'there' },
      ...(all.includes('leases') ? { spec: {} } : {}),
    });
    const path = `${all}/there?fieldManager=test`;
    const answer = await cluster.ask(method, path, body, { 'content-type': contentType });
    expect({ status: answer.status, message: answer.body.message }).toEqual({
      status: code,
      message: expect.stringContaining(words),
    });
  });

  it('to an eviction that does not say what it is', async ({ skip }) => {
    if (!cluster.serves('policy/v1')) skip(`${cluster.version} has no policy/v1`);
    await cluster.ask('POST', pods, pod('plain', { nodeName: 'new' }));
    const evict = (body: Json) => cluster.ask('POST', `${pods}/plain/eviction`, body);
    const wrong = await evict({ apiVersion: 'policy/v9', kind: 'Eviction', metadata: { name: 'plain' } });
    expect(wrong.status).toBe(400);
    expect(wrong.body.message).toContain('no kind "Eviction" is registered for version "policy/v9"');
    expect((await evict({ metadata: { name: 'plain' } })).status).toBe(201);
  });
});

it('a null in a custom resource is as good as nothing', async () => {
  const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
  const size = { type: 'integer' };
  const spec = { type: 'object', properties: { size, mode: { type: 'string', default: 'a' } } };
  await cluster.ask('POST', definitions, {
    metadata: { name: 'nulls.mica.dev' },
    spec: {
      group: 'mica.dev',
      scope: 'Cluster',
      names: { plural: 'nulls', kind: 'Null' },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { type: 'object', properties: { spec } } },
        },
      ],
    },
  });
  const all = '/apis/mica.dev/v1/nulls';
  await expect.poll(async () => (await cluster.ask('GET', all)).status).toBe(200);
  const object = { apiVersion: 'mica.dev/v1', kind: 'Null', metadata: { name: 'n', labels: {} } };
  const { body } = await cluster.ask('POST', all, { ...object, spec: { size: null, mode: null } });
  expect(body.spec).toEqual({ mode: 'a' });
  expect(body.metadata).not.toHaveProperty('labels');
  const strategic = await cluster.ask('PATCH', `${all}/n`, {}, type('strategic-merge-patch+json'));
  expect(strategic.body.message).toContain('accepted media types include: application/json-patch+json');
});
