/** Policies on an API server that cuts, forgets, refuses, and whose other users write as well. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { MicaError } from '#core/errors';
import { aStatus, until } from '#ports/mig-policies.contract';
import type { Json } from '../../../test/kubernetes/api-server/json.js';
import {
  aPolicy,
  defineKind,
  dropKind,
  policiesPath,
  servePolicies,
} from '../../../test/support/served-policies.js';
import { hurriedClock } from '../../../test/support/cluster-on-server.js';
import { connect } from './connection.js';
import { migPolicies } from './mig-policies.js';
import { longestText, mostListed } from './policy-status.js';

const { signal } = new AbortController();
const merge = { 'content-type': 'application/merge-patch+json' };

async function served(options: Parameters<typeof servePolicies>[0] = {}) {
  const made = await servePolicies(options);
  onTestFinished(() => made.close());
  const { cluster } = made;
  const asked = (verb: string): number =>
    cluster.requests().filter((one) => one.verb === verb && one.resource.startsWith('migpolicies')).length;
  return { ...made, asked };
}

async function watched() {
  const made = await served();
  await made.world.put('a', {});
  const watch = await made.policies.watch(signal);
  onTestFinished(() => watch.close());
  const names = () => watch.policies().map(({ policy }) => policy.name);
  const policyOf = (name: string) => {
    const found = watch.policies().find(({ policy }) => policy.name === name);
    if (found === undefined) throw new Error(`no policy ${name}`);
    return found.policy;
  };
  const statusOf = async (): Promise<Json> =>
    (await made.cluster.ask('GET', `${policiesPath}/a`)).body.status ?? null;
  return { ...made, watch, names, policyOf, statusOf };
}

async function failureOf(what: Promise<unknown>): Promise<MicaError> {
  const error: unknown = await what.catch((thrown: unknown) => thrown);
  if (!(error instanceof MicaError)) throw new Error('it did not fail as it should');
  return error;
}

describe('the kind', () => {
  it('is not there: says so, and what to do', async () => {
    const { policies } = await served({ hasKind: false });
    const { code, message, next } = await failureOf(policies.watch(signal));
    expect(code).toBe('no-policies-kind');
    expect(message).toContain('has no migpolicies of mica.dev/v1alpha1');
    expect(next).toContain('kubectl apply -k deploy/kubernetes/controller');
  });

  it('may not be read: says which right is missing', async () => {
    const { cluster } = await served();
    const { kubeconfigPath } = cluster.user('jane');
    const connection = connect({ kubeconfig: kubeconfigPath, env: {} });
    onTestFinished(() => connection.close());
    const { code, message, next } = await failureOf(
      migPolicies({ connection, clock: hurriedClock }).watch(signal),
    );
    expect(code).toBe('access-refused');
    expect(message).toContain('cannot list resource "migpolicies"');
    expect(next).toContain('deploy/kubernetes/controller');
  });

  it('goes while it is watched, and comes again', async () => {
    const { watch, cluster, world, names } = await watched();
    await cluster.ask('DELETE', `${policiesPath}/a`);
    await dropKind(cluster.ask);
    if (cluster.kind === 'in-memory') cluster.double().cutWatches();
    await until(watch, () => names().length === 0 && watch.trouble() !== null);
    expect(watch.trouble()?.kind).toBe('gone');
    await defineKind(cluster.ask);
    await world.put('b', {});
    await until(watch, () => names().includes('b') && watch.trouble() === null);
  });
});

describe('the watch of policies', () => {
  it('that is cut goes on from where it was; whose version is forgotten lists again', async () => {
    const { watch, cluster, world, names } = await watched();
    if (cluster.kind === 'real') return;
    const server = cluster.double();
    const lists = () =>
      server.requests.filter(({ verb, query }) => verb === 'list' && query.includes('limit'));
    const before = lists().length;
    server.cutWatches();
    await world.put('b', {});
    await until(watch, () => names().includes('b'));
    expect(lists()).toHaveLength(before);
    const back = server.fault(({ verb }) => (verb === 'watch' ? { kind: 'answer', code: 503 } : undefined));
    server.cutWatches();
    await world.remove('a');
    await world.put('c', {});
    server.compact();
    back();
    await until(watch, () => names().join() === 'b,c');
    expect(lists().length).toBeGreaterThan(before);
  });

  it('that is refused says so, and goes on when it may again', async () => {
    const { watch, cluster, world, names } = await watched();
    if (cluster.kind === 'real') return;
    const server = cluster.double();
    const back = server.fault(({ verb }) =>
      verb === 'watch' ? { kind: 'answer', code: 403, message: 'not any more' } : undefined,
    );
    server.cutWatches();
    await until(watch, () => watch.trouble()?.kind === 'forbidden');
    back();
    await world.put('b', {});
    await until(watch, () => names().includes('b') && watch.trouble() === null);
  });

  it('a policy that is being deleted allows nothing, though a finalizer holds it', async () => {
    const { watch, cluster, names } = await watched();
    const finalizers = ['example.com/audit'];
    await cluster.ask('PATCH', `${policiesPath}/a`, { metadata: { finalizers } }, merge);
    await cluster.ask('DELETE', `${policiesPath}/a`);
    await until(watch, () => names().length === 0);
    expect((await cluster.ask('GET', `${policiesPath}/a`)).status).toBe(200);
    await cluster.ask('PATCH', `${policiesPath}/a`, { metadata: { finalizers: null } }, merge);
    expect((await cluster.ask('GET', `${policiesPath}/a`)).status).toBe(404);
  });
});

describe('writing the status', () => {
  it('as it is already: nothing is sent, not even a question', async () => {
    const { watch, policies, policyOf, asked } = await watched();
    await policies.writeStatus(policyOf('a'), aStatus, 1000);
    await expect.poll(() => watch.policies()[0]?.status).toEqual(aStatus);
    const before = [asked('get'), asked('patch')];
    for (const nowMs of [1000, 5000, 100_000]) {
      expect(await policies.writeStatus(policyOf('a'), aStatus, nowMs)).toEqual({ ok: true, value: null });
    }
    expect([asked('get'), asked('patch')]).toEqual(before);
  });

  it('as it is already, where nobody watches: read, and not written', async () => {
    const { world, policies, cluster, asked } = await served();
    await world.put('a', {});
    const { body } = await cluster.ask('GET', `${policiesPath}/a`);
    const policy = { name: 'a', uid: body.metadata.uid };
    await policies.writeStatus(policy, aStatus, 1000);
    expect(await policies.writeStatus(policy, aStatus, 2000)).toEqual({ ok: true, value: null });
    expect(asked('patch')).toBe(1);
  });

  it('over a change of somebody else: read anew, and nothing of theirs is lost', async () => {
    const { policies, policyOf, cluster, statusOf, asked } = await watched();
    if (cluster.kind === 'real') return;
    let isFirst = true;
    const server = cluster.double();
    server.fault(({ verb }) => {
      if (verb !== 'patch' || !isFirst) return undefined;
      isFirst = false;
      return { kind: 'answer', code: 409, message: 'the object has been modified' };
    });
    expect(await policies.writeStatus(policyOf('a'), aStatus, 1000)).toEqual({ ok: true, value: null });
    expect(asked('patch')).toBe(2);
    expect((await statusOf()).nodes).toBe(aStatus.nodes);
  });

  it('conditions of others stay, with their times; ours have whole seconds and the generation', async () => {
    const { policies, policyOf, cluster, statusOf } = await watched();
    const theirs = {
      type: 'example.com/Audited',
      status: 'True',
      reason: 'Seen',
      message: 'by the auditors',
      lastTransitionTime: '2020-02-02T02:02:02Z',
    };
    await cluster.ask('PATCH', `${policiesPath}/a/status`, { status: { conditions: [theirs] } }, merge);
    await policies.writeStatus(policyOf('a'), aStatus, 1_790_000_000_999);
    const { conditions, lastChange } = await statusOf();
    expect(conditions.map(({ type }: Json) => type)).toEqual(['Ready', 'Satisfied', theirs.type]);
    expect(conditions[2]).toEqual(theirs);
    expect(conditions[0]).toMatchObject({
      lastTransitionTime: '2026-09-21T14:13:20Z',
      observedGeneration: 1,
    });
    expect(lastChange.time).toBe('2026-09-21T14:13:20.123Z');
  });

  it('what somebody else wrote over it is set right', async () => {
    const { watch, policies, policyOf, cluster } = await watched();
    await policies.writeStatus(policyOf('a'), aStatus, 1000);
    await cluster.ask('PATCH', `${policiesPath}/a/status`, { status: { nodes: 99 } }, merge);
    await expect.poll(() => watch.policies()[0]?.status?.nodes).toBe(99);
    await policies.writeStatus(policyOf('a'), aStatus, 2000);
    await expect.poll(() => watch.policies()[0]?.status).toEqual(aStatus);
  });

  it('longer than an object may be: cut, and the same again is no change', async () => {
    const { policies, policyOf, statusOf, asked } = await watched();
    const long = '🦆'.repeat(5000);
    const { recommendation } = aStatus;
    if (recommendation === null) throw new Error('no recommendation');
    const advice = { node: 'gpu', before: long, after: 'x' };
    const unplaced = { workload: long, count: 1, why: long };
    const status = {
      ...aStatus,
      conditions: aStatus.conditions.map((one) => ({ ...one, message: long })),
      recommendation: {
        summary: long,
        movedPods: 1,
        nodes: Array.from({ length: 5000 }, () => advice),
        unplaced: Array.from({ length: 5000 }, () => unplaced),
      },
      lastChange: { node: 'gpu', outcome: long, message: long, atMs: 1e300 },
    };
    expect(await policies.writeStatus(policyOf('a'), status, 1000)).toEqual({ ok: true, value: null });
    const stored = await statusOf();
    expect(stored.recommendation.nodes).toHaveLength(mostListed);
    expect(stored.recommendation.unplaced).toHaveLength(mostListed);
    expect(stored.conditions[0].message.length).toBeLessThanOrEqual(longestText);
    expect(JSON.stringify(stored)).not.toContain('\uFFFD');
    await policies.writeStatus(policyOf('a'), status, 2000);
    expect(asked('patch')).toBe(1);
  });

  it('is refused: an answer with the words of the server', async () => {
    const { policyOf, cluster } = await watched();
    const { kubeconfigPath } = cluster.user('jane');
    const connection = connect({ kubeconfig: kubeconfigPath, env: {} });
    onTestFinished(() => connection.close());
    const asJane = migPolicies({ connection, clock: hurriedClock });
    expect(await asJane.writeStatus(policyOf('a'), aStatus, 0)).toMatchObject({
      ok: false,
      why: { kind: 'forbidden', message: expect.stringContaining('cannot get resource "migpolicies"') },
    });
  });

  it('a status that nobody can read is written over', async () => {
    const { watch, policies, cluster } = await watched();
    const odd = { ...aPolicy('a'), status: { conditions: 'none', nodes: 'many' } };
    if (cluster.kind === 'real') return;
    const { uid } = cluster.double().get('migpolicies.mica.dev', 'a').metadata;
    cluster.double().seed([{ ...odd, metadata: { name: 'a', uid, generation: 1 } }]);
    const policy = { name: 'a', uid };
    expect(await policies.writeStatus(policy, aStatus, 1000)).toEqual({ ok: true, value: null });
    await expect.poll(() => watch.policies()[0]?.status).toEqual(aStatus);
  });
});
