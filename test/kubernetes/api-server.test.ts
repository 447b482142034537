/** What an API server refuses, each by a raw request: a real one says whether the one in memory is as strict. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Json } from './api-server/json.js';
import { countBudgets } from './actors/disruption-controller.js';
import { raw, type RawAnswer } from './raw.js';
import { openTestCluster, type TestCluster, type TestUser } from './test-cluster.js';

let cluster: TestCluster;
let jane: TestUser;
const pods = '/api/v1/namespaces/default/pods';
const maps = '/api/v1/namespaces/default/configmaps';
const types = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
};

beforeAll(async () => {
  cluster = await openTestCluster();
  jane = cluster.user('jane');
}, 60_000);
afterAll(() => cluster.close());

const ask = (method: string, path: string, body?: Json, headers = {}): Promise<RawAnswer> =>
  cluster.ask(method, path, body, headers);
const patch = (path: string, type: string, body: Json): Promise<RawAnswer> =>
  ask('PATCH', path, body, { 'content-type': type });
const map = (name: string, more: Json = {}): Json => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, ...more },
  data: { a: '1' },
});
const pod = (name: string, spec: Json = {}, more: Json = {}): Json => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'default', ...more },
  spec: { containers: [{ name: 'c', image: 'i:1' }], ...spec },
});
const ready = { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] };
const refused = (answer: RawAnswer): Json => ({
  code: answer.status,
  reason: answer.body.reason,
  message: answer.body.message,
});

/** Of a server that is older than what a test is about. */
function needs(skip: (why: string) => void, isThere: boolean, what: string): void {
  if (!isThere) skip(`${cluster.version} has it not: ${what}`);
}

describe('requests that are refused', () => {
  it.each([
    ['GET', `${pods}/none`, undefined, 404, 'NotFound', 'pods "none" not found'],
    ['GET', '/api/v1/nothing', undefined, 404, 'NotFound', 'could not find the requested resource'],
    ['POST', '/api/v1/namespaces/none/configmaps', map('x'), 404, 'NotFound', 'namespaces "none" not found'],
    ['POST', maps, '{', 400, 'BadRequest', 'json parse error'],
    ['POST', maps, { ...map('x'), kind: 'Secret' }, 400, 'BadRequest', 'cannot be handled as a ConfigMap'],
    [
      'POST',
      maps,
      map('x', { namespace: 'other' }),
      400,
      'BadRequest',
      'does not match the namespace sent on the request',
    ],
    ['POST', maps, map('x', { resourceVersion: '1' }), 500, undefined, 'resourceVersion should not be set'],
    ['POST', maps, map('Upper'), 422, 'Invalid', 'a lowercase RFC 1123 subdomain'],
    [
      'POST',
      maps,
      map('x', { labels: { p: '1g.24gb+me' } }),
      422,
      'Invalid',
      'a valid label must be an empty string',
    ],
    ['POST', `${maps}?dryRun=Some`, map('x'), 422, 'Invalid', 'supported values: "All"'],
    ['POST', pods, pod('x', { containers: [] }), 422, 'Invalid', 'spec.containers: Required value'],
    [
      'POST',
      pods,
      pod('x', {
        containers: [{ name: 'c', image: 'i', resources: { limits: { 'nvidia.com/mig-1g.24gb+me': '1' } } }],
      }),
      422,
      'Invalid',
      'name part must consist',
    ],
    ['POST', pods, pod('x', { nodeName: 1 }), 400, 'BadRequest', 'cannot be handled as a Pod'],
    ['PATCH', `${maps}/none?fieldManager=m`, {}, 415, 'UnsupportedMediaType', '415: Unsupported Media Type'],
    ['PUT', maps, map('x'), 405, 'MethodNotAllowed', 'does not allow this method'],
    [
      'GET',
      `${pods}?fieldSelector=spec.image%3Dx`,
      undefined,
      400,
      'BadRequest',
      'field label not supported: spec.image',
    ],
    ['GET', `${pods}?labelSelector=a%3D%3D%3Db`, undefined, 400, 'BadRequest', 'unable to parse requirement'],
    ['GET', `${pods}?resourceVersion=99999999`, undefined, 504, 'Timeout', 'Too large resource version'],
    ['GET', `${pods}?continue=x`, undefined, 400, 'BadRequest', 'continue key is not valid'],
  ])('%s %s', async (method, path, body, code, reason, words) => {
    expect(refused(await ask(method, path, body))).toEqual({
      code,
      reason,
      message: expect.stringContaining(words),
    });
  });

  it('by fields that its kind does not have, where a client asks for that', async ({ skip }) => {
    needs(skip, cluster.isAtLeast(25), 'fieldValidation is of Kubernetes 1.25');
    expect(refused(await ask('POST', `${maps}?fieldValidation=Strict`, { ...map('x'), dat: {} }))).toEqual({
      code: 400,
      reason: 'BadRequest',
      message: expect.stringContaining('unknown field "dat"'),
    });
  });

  it('by media type: 406', async () => {
    expect((await ask('GET', pods, undefined, { accept: 'text/csv' })).status).toBe(406);
  });

  it('by user: 401 for a wrong token, 403 for nobody and for jane, until a role says otherwise', async () => {
    expect((await raw(cluster, 'wrong', 'GET', pods)).status).toBe(401);
    const anonymous = await raw(cluster, '', 'GET', pods);
    expect(refused(anonymous)).toMatchObject({
      code: 403,
      message: expect.stringContaining('User "system:anonymous" cannot list'),
    });
    const words =
      'pods is forbidden: User "jane" cannot list resource "pods" in API group "" in the namespace "default"';
    expect(refused(await raw(cluster, jane, 'GET', pods))).toEqual({
      code: 403,
      reason: 'Forbidden',
      message: words,
    });
    const roles = '/apis/rbac.authorization.k8s.io/v1/namespaces/default';
    await ask('POST', `${roles}/roles`, {
      metadata: { name: 'r' },
      rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['list'] }],
    });
    await ask('POST', `${roles}/rolebindings`, {
      metadata: { name: 'r' },
      roleRef: { kind: 'Role', name: 'r' },
      subjects: [{ kind: 'User', name: 'jane' }],
    });
    expect((await raw(cluster, jane, 'GET', pods)).status).toBe(200);
    expect((await raw(cluster, jane, 'GET', `${pods}/x`)).status).toBe(403);
  });
});

describe('versions', () => {
  it('a stale PUT or PATCH, a second create and wrong preconditions are conflicts', async () => {
    const { body: made } = await ask('POST', maps, map('versions'));
    const { body: changed } = await ask('PUT', `${maps}/versions`, { ...made, data: { a: '2' } });
    expect(Number(changed.metadata.resourceVersion)).toBeGreaterThan(Number(made.metadata.resourceVersion));
    expect(refused(await ask('PUT', `${maps}/versions`, made))).toMatchObject({
      code: 409,
      reason: 'Conflict',
      message: expect.stringContaining('the object has been modified'),
    });
    const stale = { metadata: { resourceVersion: made.metadata.resourceVersion }, data: { a: '3' } };
    expect((await patch(`${maps}/versions`, types.merge, stale)).status).toBe(409);
    expect(refused(await ask('POST', maps, map('versions')))).toMatchObject({
      code: 409,
      reason: 'AlreadyExists',
    });
    expect((await ask('DELETE', `${maps}/versions`, { preconditions: { uid: 'other' } })).status).toBe(409);
    expect(
      (await ask('PUT', `${maps}/versions`, { ...changed, data: { a: '2' } })).body.metadata.resourceVersion,
    ).toBe(changed.metadata.resourceVersion);
    const { creationTimestamp } = made.metadata;
    const older = { ...changed.metadata, creationTimestamp: '2020-01-01T00:00:00Z' };
    const { body: same } = await ask('PUT', `${maps}/versions`, { ...changed, metadata: older });
    expect(same.metadata).toMatchObject({
      creationTimestamp,
      resourceVersion: changed.metadata.resourceVersion,
    });
  });

  it('a lease needs its version for a PUT', async () => {
    const leases = '/apis/coordination.k8s.io/v1/namespaces/default/leases';
    await ask('POST', leases, { metadata: { name: 'l' }, spec: { leaseDurationSeconds: 15 } });
    expect(refused(await ask('PUT', `${leases}/l`, { metadata: { name: 'l' }, spec: {} }))).toMatchObject({
      code: 422,
    });
    expect(
      (await ask('POST', leases, { metadata: { name: 'm' }, spec: { leaseDurationSeconds: 0 } })).status,
    ).toBe(422);
  });

  it('pages are of one version, and expire with history', async () => {
    for (const name of ['page-1', 'page-2', 'page-3'])
      await ask('POST', maps, map(name, { labels: { page: 'y' } }));
    const first = await ask('GET', `${maps}?limit=2&labelSelector=page`);
    await ask('POST', maps, map('page-4', { labels: { page: 'y' } }));
    const next = `${maps}?limit=2&labelSelector=page&continue=${String(first.body.metadata.continue)}`;
    expect((await ask('GET', next)).body.items.map((one: Json) => one.metadata.name)).toEqual(['page-3']);
    await cluster.forget();
    expect(refused(await ask('GET', next))).toMatchObject({ code: 410, reason: 'Expired' });
    const version = Number(first.body.metadata.resourceVersion);
    expect((await ask('GET', `${maps}?resourceVersion=${version}&resourceVersionMatch=Exact`)).status).toBe(
      410,
    );
  });
});

describe('patches', () => {
  it('of four kinds', async () => {
    await ask(
      'POST',
      pods,
      pod('patched', {
        containers: [
          { name: 'a', image: 'i:1' },
          { name: 'b', image: 'i:1' },
        ],
      }),
    );
    const at = `${pods}/patched`;
    const strategic = await patch(at, types.strategic, {
      spec: { containers: [{ name: 'b', image: 'i:2' }] },
    });
    expect(strategic.body.spec.containers.map((one: Json) => one.image)).toEqual(['i:1', 'i:2']);
    expect((await patch(at, types.merge, { metadata: { labels: { x: 'y' } } })).body.metadata.labels).toEqual(
      { x: 'y' },
    );
    expect(
      (await patch(at, types.json, [{ op: 'test', path: '/metadata/labels/x', value: 'z' }])).status,
    ).toBe(422);
    expect(
      (await patch(at, types.json, [{ op: 'remove', path: '/metadata/labels/x' }])).body.metadata.labels,
    ).toBeUndefined();
    expect(refused(await patch(at, types.strategic, { spec: { nodeName: 'n' } }))).toMatchObject({
      code: 422,
      message: expect.stringContaining('pod updates may not change fields other than'),
    });
  });

  it('server-side apply: owners, conflicts by name, force, and what is left out goes', async () => {
    const at = `${maps}/applied`;
    const apply = (manager: string, data: Json, more = ''): Promise<RawAnswer> =>
      patch(`${at}?fieldManager=${manager}${more}`, types.apply, {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'applied' },
        data,
      });
    expect((await patch(at, types.apply, map('applied'))).status).toBe(422);
    expect((await apply('one', { a: '1', b: '1' })).status).toBe(201);
    const clash = await apply('two', { a: '2' });
    expect(refused(clash)).toEqual({
      code: 409,
      reason: 'Conflict',
      message: 'Apply failed with 1 conflict: conflict with "one": .data.a',
    });
    expect(clash.body.details.causes[0]).toMatchObject({ reason: 'FieldManagerConflict', field: '.data.a' });
    expect((await apply('two', { a: '2' }, '&force=true')).body.data).toEqual({ a: '2', b: '1' });
    expect((await apply('one', {})).body.data).toEqual({ a: '2' });
    await patch(`${at}?fieldManager=three`, types.merge, { data: { a: '3' } });
    expect((await apply('two', { a: '2' })).body.message).toContain(
      'conflict with "three" using v1: .data.a',
    );
    expect((await apply('four', { a: '4' }, '&force=true&dryRun=All')).body.data).toEqual({ a: '4' });
    expect((await ask('GET', at)).body.data).toEqual({ a: '3' });
  });
});

describe('deletion and eviction', () => {
  it('a pod on a node stays until it is deleted without grace', async () => {
    await cluster.seed([pod('slow', { nodeName: 'n' })]);
    expect((await ask('DELETE', `${pods}/slow`)).body.metadata.deletionGracePeriodSeconds).toBe(30);
    expect((await ask('GET', `${pods}/slow`)).status).toBe(200);
    await ask('DELETE', `${pods}/slow?gracePeriodSeconds=0`);
    expect((await ask('GET', `${pods}/slow`)).status).toBe(404);
  });

  it('what somebody holds stays until he lets go; dependents go with their owner', async () => {
    const { body: owner } = await ask('POST', maps, map('owner', { finalizers: ['mica.dev/hold'] }));
    await ask(
      'POST',
      maps,
      map('owned', {
        ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'owner', uid: owner.metadata.uid }],
      }),
    );
    await ask('DELETE', `${maps}/owner`);
    expect((await ask('GET', `${maps}/owner`)).body.metadata.deletionTimestamp).toBeDefined();
    await patch(`${maps}/owner`, types.merge, { metadata: { finalizers: null } });
    expect((await ask('GET', `${maps}/owner`)).status).toBe(404);
    // The garbage collector is a controller.
    expect((await ask('GET', `${maps}/owned`)).status).toBe(cluster.hasControllers ? 404 : 200);
  });

  it('budgets are kept: 429 with the cause, 500 for two budgets, free for pods that do not run', async ({
    skip,
  }) => {
    needs(skip, cluster.serves('policy/v1'), 'policy/v1 is of Kubernetes 1.21, its Eviction of 1.22');
    const labels = { app: 'kept' };
    const budget = (name: string): Json => ({
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: { name },
      spec: { minAvailable: 1, selector: { matchLabels: labels } },
    });
    await cluster.seed(
      ['k1', 'k2'].map((name) => ({ ...pod(name, { nodeName: 'n' }, { labels }), status: ready })),
    );
    await cluster.seed([budget('b'), pod('waiting', {}, { labels })]);
    await countBudgets(cluster);
    const evict = (name: string, more = ''): Promise<RawAnswer> =>
      ask('POST', `${pods}/${name}/eviction${more}`, {
        apiVersion: 'policy/v1',
        kind: 'Eviction',
        metadata: { name, namespace: 'default' },
      });
    expect((await evict('k1', '?dryRun=All')).status).toBe(201);
    expect((await evict('k1')).status).toBe(201);
    await countBudgets(cluster);
    const no = await evict('k2');
    expect(refused(no)).toEqual({
      code: 429,
      reason: 'TooManyRequests',
      message: "Cannot evict pod as it would violate the pod's disruption budget.",
    });
    expect(no.body.details.causes).toEqual([
      {
        reason: 'DisruptionBudget',
        message: 'The disruption budget b needs 1 healthy pods and has 1 currently',
      },
    ]);
    expect((await evict('waiting')).status).toBe(201);
    await cluster.seed([budget('b2')]);
    expect((await evict('k2')).status).toBe(500);
  });
});

describe('custom resources', () => {
  it('are checked against their schema, defaulted and pruned, with a status of their own', async () => {
    const size = { type: 'integer', minimum: 1 };
    const spec = {
      type: 'object',
      required: ['size'],
      properties: { size, mode: { type: 'string', enum: ['Recommend', 'Auto'], default: 'Recommend' } },
    };
    const status = { type: 'object', properties: { seen: { type: 'integer' } } };
    const version = {
      name: 'v1',
      served: true,
      storage: true,
      subresources: { status: {} },
      schema: { openAPIV3Schema: { type: 'object', properties: { spec, status } } },
    };
    const definition = {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: 'things.mica.dev' },
      spec: {
        group: 'mica.dev',
        scope: 'Cluster',
        names: { plural: 'things', kind: 'Thing' },
        versions: [version],
      },
    };
    const crds = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
    expect((await ask('POST', crds, { ...definition, metadata: { name: 'wrong' } })).status).toBe(422);
    const { body: begun } = await ask('POST', crds, definition);
    // It is served a moment later.
    expect(begun.status.conditions ?? []).toEqual([]);
    const established = expect.objectContaining({ type: 'Established', status: 'True' });
    await expect
      .poll(async () => (await ask('GET', `${crds}/things.mica.dev`)).body.status.conditions)
      .toContainEqual(established);
    const things = '/apis/mica.dev/v1/things';
    const thing = (of: Json): Json => ({
      apiVersion: 'mica.dev/v1',
      kind: 'Thing',
      metadata: { name: 't' },
      spec: of,
      status: { seen: 1 },
    });
    expect((await ask('POST', things, thing({}))).body.message).toContain('spec.size: Required value');
    expect((await ask('POST', things, thing({ size: 0 }))).body.message).toContain(
      'spec.size in body should be greater than or equal to 1',
    );
    expect((await ask('POST', things, thing({ size: 1, mode: 'x' }))).body.message).toContain(
      'supported values: "Recommend", "Auto"',
    );
    const { body: made } = await ask('POST', things, thing({ size: 1, extra: 1 }));
    expect(made).toMatchObject({ spec: { size: 1, mode: 'Recommend' }, metadata: { generation: 1 } });
    expect(made.status).toBeUndefined();
    expect(made.spec.extra).toBeUndefined();
    const after = await patch(`${things}/t/status`, types.merge, { spec: { size: 9 }, status: { seen: 2 } });
    expect(after.body).toMatchObject({ spec: { size: 1 }, status: { seen: 2 }, metadata: { generation: 1 } });
    expect((await patch(`${things}/t`, types.strategic, {})).status).toBe(415);
    expect((await patch(`${things}/t`, types.merge, { spec: { size: 2 } })).body.metadata.generation).toBe(2);
  });
});

describe('watches', () => {
  const watch = (query: string, all = maps): Promise<RawAnswer> => ask('GET', `${all}?watch=true&${query}`);
  const told = (answer: RawAnswer): Json =>
    answer.body.map((event: Json) => [event.type, event.object.metadata?.name ?? event.object.code]);

  it('tell changes since a version, selectors as coming and going, and bookmark the end', async () => {
    const { body } = await ask('GET', `${maps}?limit=1`);
    const running = watch(
      `resourceVersion=${String(body.metadata.resourceVersion)}&labelSelector=w%3D1&allowWatchBookmarks=true&timeoutSeconds=3`,
    );
    await ask('POST', maps, map('w', { labels: { w: '1' } }));
    await patch(`${maps}/w`, types.merge, { data: { b: '2' } });
    await patch(`${maps}/w`, types.merge, { metadata: { labels: { w: '2' } } });
    const seen = await running;
    expect(told(seen).slice(0, 3)).toEqual([
      ['ADDED', 'w'],
      ['MODIFIED', 'w'],
      ['DELETED', 'w'],
    ]);
    const bookmark = seen.body.at(-1);
    expect(bookmark).toMatchObject({ type: 'BOOKMARK', object: { kind: 'ConfigMap', apiVersion: 'v1' } });
    expect(bookmark.object.metadata.resourceVersion).toMatch(/^\d+$/);
  });

  it('that are too old end with 410', async () => {
    const leases = '/apis/coordination.k8s.io/v1/namespaces/default/leases';
    const { body } = await ask('GET', leases);
    await ask('POST', leases, { metadata: { name: 'later' }, spec: {} });
    const since = `timeoutSeconds=1&resourceVersion=${String(body.metadata.resourceVersion)}`;
    expect(told(await watch(since, leases))).toEqual([['ADDED', 'later']]);
    await ask('POST', leases, { metadata: { name: 'last' }, spec: {} });
    await cluster.forget();
    expect(told(await watch(since, leases))).toEqual([['ERROR', 410]]);
  });

  it('that begin with what is there say when that is all', async ({ skip }) => {
    needs(skip, cluster.isAtLeast(32), 'watches that begin with a list are of Kubernetes 1.32');
    const initial = await watch(
      'sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&fieldSelector=metadata.name%3Dw&timeoutSeconds=1',
    );
    expect(initial.body[1].object.metadata.annotations).toEqual({ 'k8s.io/initial-events-end': 'true' });
    expect((await watch('sendInitialEvents=true')).status).toBe(422);
  });
});
