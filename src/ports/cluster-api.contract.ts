/** What every ClusterApi must do, as a suite that each adapter runs on a cluster of its own making. */
import { describe, expect, it, onTestFinished } from 'vitest';
import type { ClusterNode, ClusterPod } from '#core/cluster/objects';
import { mixedH100 } from '../../test/support/node-labels.js';
import type { ApiRefusal, ClusterApi, ClusterWatch, PodName } from './cluster-api.js';

/** At once, or when the cluster has it. */
type Done = void | Promise<void>;

/** What others do to the cluster meanwhile. Uids are the cluster's own to give. */
export interface ClusterWorld {
  readonly putNode: (node: Partial<ClusterNode> & { readonly name: string }) => Done;
  readonly putPod: (pod: Partial<ClusterPod> & { readonly name: string }) => Done;
  readonly removeNode: (name: string) => Promise<void>;
  readonly removePod: (namespace: string, name: string) => Promise<void>;
  /** No pod of the namespace with the label may be evicted. */
  readonly forbidEviction: (namespace: string, label: readonly [string, string]) => Done;
  readonly putConfigMap: (
    namespace: string,
    name: string,
    value: { readonly labels?: Record<string, string>; readonly data: Record<string, string> },
  ) => Done;
  /** About what, and why. */
  readonly events: () =>
    readonly (readonly [string, string])[] | Promise<readonly (readonly [string, string])[]>;
}

export interface ClusterContractSetup {
  readonly api: ClusterApi;
  readonly world: ClusterWorld;
  /** Why this cluster cannot evict as the port means it; left out where it can. */
  readonly withoutEviction?: string | undefined;
  readonly close: () => Promise<void>;
}

const never = new AbortController().signal;
const offers = { 'nvidia.com/mig-1g.10gb': 2 };
const one = { 'nvidia.com/mig-1g.10gb': 1 };

export function clusterApiContract(name: string, setup: () => Promise<ClusterContractSetup>): void {
  const begin = async () => {
    const made = await setup();
    onTestFinished(() => made.close());
    const { world } = made;
    await world.putNode({ name: 'a', labels: mixedH100, capacity: offers });
    await world.putNode({ name: 'plain' });
    await world.putPod({ name: 'slice', node: 'a', wants: one });
    await world.putPod({ name: 'daemon', node: 'a', namespace: 'kube-system' });
    await world.putPod({ name: 'waits', wants: one, unschedulable: { message: 'no room', sinceMs: 1000 } });
    await world.putPod({ name: 'web', node: 'plain' });
    return made;
  };

  const beginWatch = async () => {
    const made = await begin();
    const watch = await made.api.watch(never);
    onTestFinished(() => watch.close());
    return { ...made, watch };
  };

  describe(`${name}: the contract of a cluster`, () => {
    it('one look: all nodes, and the pods that want GPUs or are on GPU nodes', async () => {
      const { api } = await begin();
      const { nodes, pods } = await api.read(never);
      expect(names(nodes)).toEqual(['a', 'plain']);
      expect(names(pods)).toEqual(['daemon', 'slice', 'waits']);
      expect(nodes.find((node) => node.name === 'a')).toMatchObject({
        labels: mixedH100,
        capacity: offers,
        allocatable: offers,
        isReady: true,
        isCordoned: false,
      });
      expect(pods.find((pod) => pod.name === 'waits')).toMatchObject({
        node: null,
        phase: 'Pending',
        wants: one,
        unschedulable: { message: 'no room', sinceMs: 1000 },
      });
    });

    it('a watch begins with all of it, and sees what comes, changes and goes', async () => {
      const { world, watch } = await beginWatch();
      expect(names(watch.state().pods)).toEqual(['daemon', 'slice', 'waits']);
      await world.putPod({ name: 'new', wants: one });
      await until(watch, () => names(watch.state().pods).includes('new'));
      await world.putPod({ name: 'new', wants: one, node: 'a' });
      await until(watch, () => names(watch.podsOn('a')).includes('new'));
      await world.putNode({ name: 'a', labels: mixedH100, capacity: offers, isCordoned: true });
      await until(watch, () => watch.node('a')?.isCordoned === true);
      await world.removePod('default', 'waits');
      await until(watch, () => !names(watch.state().pods).includes('waits'));
      await world.removeNode('plain');
      await until(watch, () => watch.node('plain') === null);
      expect(names(watch.state().nodes)).toEqual(['a']);
      expect(names(watch.podsOn('a'))).toEqual(['daemon', 'new', 'slice']);
    });

    it('what did not change is the same object as before', async () => {
      const { world, watch } = await beginWatch();
      const before = watch.state();
      expect(watch.state()).toBe(before);
      const pod = before.pods.find((one) => one.name === 'slice');
      const onNode = watch.podsOn('a');
      await world.putPod({ name: 'new', wants: one });
      await until(watch, () => watch.state() !== before);
      const after = watch.state();
      expect(after.nodes).toBe(before.nodes);
      expect(after.pods.find((one) => one.name === 'slice')).toBe(pod);
      expect(watch.podsOn('a')).toBe(onNode);
    });

    it('a node that turns out to have GPUs brings its pods along', async () => {
      const { world, watch } = await beginWatch();
      await world.putNode({ name: 'plain', labels: mixedH100, capacity: offers });
      await until(watch, () => names(watch.podsOn('plain')).includes('web'));
    });

    it('`changed` waits for a change, and ends quietly when nobody wants to know any more', async () => {
      const { world, watch } = await beginWatch();
      const since = watch.version();
      await watch.changed(since - 1, never);
      let isDone = false;
      const waiting = watch.changed(since, never).then(() => (isDone = true));
      await Promise.resolve();
      expect(isDone).toBe(false);
      await world.putPod({ name: 'new', wants: one });
      await waiting;
      expect(watch.version()).toBeGreaterThan(since);
      const enough = new AbortController();
      const ended = watch.changed(watch.version() + 1000, enough.signal);
      enough.abort();
      await ended;
      const closed = watch.changed(watch.version() + 1000, never);
      await watch.close();
      await closed;
    });

    it('changes of a node leave alone what they do not name', async () => {
      const { api } = await begin();
      const before = valueOf(await api.getNode('a'));
      const key = 'nvidia.com/mig.config';
      const added = { key: 'mica.dev/changing', value: 'yes', effect: 'NoSchedule' };
      const node = valueOf(
        await api.patchNode('a', {
          labels: { [key]: 'mica', 'nvidia.com/mig.config.state': null },
          annotations: { 'mica.dev/step': '1' },
          cordoned: true,
          addTaints: [added],
        }),
      );
      const { 'nvidia.com/mig.config.state': gone, ...kept } = before.labels;
      expect(gone).toBe('success');
      expect(node).toMatchObject({
        isCordoned: true,
        annotations: { 'mica.dev/step': '1' },
        taints: [added],
      });
      expect(node.labels).toEqual({ ...kept, [key]: 'mica' });
      const back = valueOf(await api.patchNode('a', { cordoned: false, removeTaints: [added] }));
      expect(back).toMatchObject({ isCordoned: false, taints: [] });
      expect(valueOf(await api.getNode('a'))).toEqual(back);
    });

    it('taints of others stay, and the same taint is there once', async () => {
      const { api, world } = await begin();
      const theirs = { key: 'team', value: 'ml', effect: 'NoSchedule' };
      const ours = { key: 'mica.dev/changing', value: '1', effect: 'NoSchedule' };
      await world.putNode({ name: 'a', labels: mixedH100, taints: [theirs] });
      await api.patchNode('a', { addTaints: [ours] });
      const twice = valueOf(await api.patchNode('a', { addTaints: [{ ...ours, value: '2' }] }));
      expect(twice.taints).toEqual([theirs, { ...ours, value: '2' }]);
    });

    it('a change on the condition that nobody else changed the node', async () => {
      const { api } = await begin();
      const { resourceVersion } = valueOf(await api.getNode('a'));
      valueOf(await api.patchNode('a', { annotations: { x: '1' } }, resourceVersion));
      const late = await api.patchNode('a', { annotations: { x: '2' } }, resourceVersion);
      expect(kindOf(late)).toBe('conflict');
      const taints = [{ key: 'k', value: '', effect: 'NoSchedule' }];
      expect(kindOf(await api.patchNode('a', { addTaints: taints }, resourceVersion))).toBe('conflict');
      expect(valueOf(await api.getNode('a'))).toMatchObject({ annotations: { x: '1' }, taints: [] });
      expect(kindOf(await api.patchNode('nowhere', { cordoned: true }))).toBe('gone');
      expect(kindOf(await api.getNode('nowhere'))).toBe('gone');
    });

    it('evicts the pod that is meant, and no other of its name', async ({ skip }) => {
      const { api, world, withoutEviction } = await begin();
      if (withoutEviction !== undefined) skip(withoutEviction);
      const pod = await podName(api, 'slice');
      expect(kindOf(await api.evict({ ...pod, uid: 'another' }, null))).toBe('gone');
      expect(kindOf(await api.evict({ ...pod, name: 'nobody' }, null))).toBe('gone');
      expect(kindOf(await api.deletePod({ ...pod, uid: 'another' }))).toBe('gone');
      const there = async () => (await api.read(never)).pods.find(({ name: called }) => called === 'slice');
      expect(await there()).toMatchObject({ isDeleting: false });
      valueOf(await api.evict(pod, 5));
      expect((await there())?.isDeleting ?? true).toBe(true);
      await world.putPod({ name: 'operator', node: 'a', wants: one });
      valueOf(await api.deletePod(await podName(api, 'operator')));
    });

    it('evicts no pod that changed since it was looked at, nor one that was told to go', async ({ skip }) => {
      const { api, world, withoutEviction } = await begin();
      if (withoutEviction !== undefined) skip(withoutEviction);
      const seen = async () => (await api.read(never)).pods.find(({ name: called }) => called === 'slice');
      const before = await seen();
      const pod = await podName(api, 'slice');
      await world.putPod({ name: 'slice', node: 'a', wants: one, labels: { team: 'ml' } });
      const late = { ...pod, resourceVersion: before?.resourceVersion ?? '' };
      expect(kindOf(await api.evict(late, 30))).toBe('conflict');
      expect(await seen()).toMatchObject({ isDeleting: false });
      const now = { ...pod, resourceVersion: (await seen())?.resourceVersion ?? '' };
      valueOf(await api.evict(now, 30));
      expect(kindOf(await api.evict(now, 30))).toBe('gone');
    });

    it('a budget says not now', async ({ skip }) => {
      const { api, world, withoutEviction } = await begin();
      if (withoutEviction !== undefined) skip(withoutEviction);
      await world.putPod({ name: 'kept', node: 'a', wants: one, labels: { app: 'kept' } });
      await world.forbidEviction('default', ['app', 'kept']);
      const pod = await podName(api, 'kept');
      expect(kindOf(await api.evict(pod, null))).toBe('too-many');
      const after = (await api.read(never)).pods.find(({ name: called }) => called === 'kept');
      expect(after?.isDeleting).toBe(false);
    });

    it('writes its own keys of a ConfigMap, and takes back those that it leaves out', async () => {
      const { api, world } = await begin();
      expect(valueOf(await api.getConfigMap('default', 'layouts'))).toBeNull();
      const made = valueOf(await api.applyConfigMap('default', 'layouts', { one: '1', two: '2' }));
      expect(made.data).toEqual({ one: '1', two: '2' });
      const less = valueOf(await api.applyConfigMap('default', 'layouts', { two: '3' }));
      expect(less.data).toEqual({ two: '3' });
      await world.putConfigMap('default', 'theirs', { labels: { team: 'ml' }, data: { theirs: 'x' } });
      const both = valueOf(await api.applyConfigMap('default', 'theirs', { ours: 'y' }));
      expect(both.data).toEqual({ theirs: 'x', ours: 'y' });
      expect(valueOf(await api.getConfigMap('default', 'theirs'))).toEqual(both);
      expect(names(valueOf(await api.listConfigMaps('default', 'team=ml')))).toEqual(['theirs']);
      expect(valueOf(await api.listConfigMaps('kube-system', 'team=ml'))).toEqual([]);
    });

    it('writes a ConfigMap on the condition that nobody else changed it', async () => {
      const { api } = await begin();
      const made = valueOf(await api.applyConfigMap('default', 'layouts', { one: '1' }));
      const next = valueOf(
        await api.applyConfigMap('default', 'layouts', { one: '2' }, made.resourceVersion),
      );
      const late = await api.applyConfigMap('default', 'layouts', { one: '3' }, made.resourceVersion);
      expect(kindOf(late)).toBe('conflict');
      expect(valueOf(await api.getConfigMap('default', 'layouts'))).toEqual(next);
    });

    it('records events about what is in a namespace, and what is in none', async () => {
      const { api, world } = await begin();
      const event = { type: 'Warning', reason: 'NoRoom', message: 'x'.repeat(5000) } as const;
      const node = { kind: 'Node', namespace: null, name: 'a', uid: 'uid-a' };
      const pod = { kind: 'Pod', namespace: 'default', name: 'waits', uid: 'uid-waits' };
      valueOf(await api.recordEvent({ ...event, about: node }));
      valueOf(await api.recordEvent({ ...event, about: pod, type: 'Normal' }));
      expect([...(await world.events())].sort()).toEqual([
        ['a', 'NoRoom'],
        ['waits', 'NoRoom'],
      ]);
    });
  });
}

async function podName(api: ClusterApi, name: string): Promise<PodName> {
  const pod = (await api.read(never)).pods.find((one) => one.name === name);
  if (pod === undefined) throw new Error(`there is no pod ${name}`);
  return { namespace: pod.namespace, name, uid: pod.uid };
}

function names(all: readonly { readonly name: string }[]): readonly string[] {
  return all.map(({ name }) => name).sort();
}

type Answer<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly why: ApiRefusal };

function valueOf<T>(answer: Answer<T>): T {
  if (!answer.ok) throw new Error(`${answer.why.kind}: ${answer.why.message}`);
  return answer.value;
}

function kindOf(answer: Answer<unknown>): ApiRefusal['kind'] | 'done' {
  return answer.ok ? 'done' : answer.why.kind;
}

/** The test's own time limit is the only one. */
export async function until(watch: ClusterWatch, isSo: () => boolean): Promise<void> {
  while (!isSo()) await watch.changed(watch.version(), never);
}
