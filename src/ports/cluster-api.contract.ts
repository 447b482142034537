/** What every ClusterApi must do, as a suite that each adapter runs on a cluster of its own making. */
import { describe, expect, it, onTestFinished } from 'vitest';
import type { ClusterNode, ClusterPod } from '#core/cluster/objects';
import { mixedH100 } from '../../test/support/node-labels.js';
import type { ApiRefusal, ClusterApi, ClusterWatch } from './cluster-api.js';

/** What others do to the cluster meanwhile. */
export interface ClusterWorld {
  readonly putNode: (node: Partial<ClusterNode> & { readonly name: string }) => void;
  readonly putPod: (pod: Partial<ClusterPod> & { readonly name: string }) => void;
  readonly removeNode: (name: string) => Promise<void>;
  readonly removePod: (namespace: string, name: string) => Promise<void>;
  /** No pod of the namespace with the label may be evicted. */
  readonly forbidEviction: (namespace: string, label: readonly [string, string]) => void;
  readonly putConfigMap: (
    namespace: string,
    name: string,
    value: { readonly labels?: Record<string, string>; readonly data: Record<string, string> },
  ) => void;
  /** About what, and why. */
  readonly events: () => readonly (readonly [string, string])[];
}

export interface ClusterContractSetup {
  readonly api: ClusterApi;
  readonly world: ClusterWorld;
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
    world.putNode({ name: 'a', labels: mixedH100, capacity: offers });
    world.putNode({ name: 'plain' });
    world.putPod({ name: 'slice', node: 'a', wants: one });
    world.putPod({ name: 'daemon', node: 'a', namespace: 'kube-system' });
    world.putPod({ name: 'waits', wants: one, unschedulable: { message: 'no room', sinceMs: 1000 } });
    world.putPod({ name: 'web', node: 'plain' });
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
      world.putPod({ name: 'new', wants: one });
      await until(watch, () => names(watch.state().pods).includes('new'));
      world.putPod({ name: 'new', wants: one, node: 'a' });
      await until(watch, () => names(watch.podsOn('a')).includes('new'));
      world.putNode({ name: 'a', labels: mixedH100, capacity: offers, isCordoned: true });
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
      world.putPod({ name: 'new', wants: one });
      await until(watch, () => watch.state() !== before);
      const after = watch.state();
      expect(after.nodes).toBe(before.nodes);
      expect(after.pods.find((one) => one.name === 'slice')).toBe(pod);
      expect(watch.podsOn('a')).toBe(onNode);
    });

    it('a node that turns out to have GPUs brings its pods along', async () => {
      const { world, watch } = await beginWatch();
      world.putNode({ name: 'plain', labels: mixedH100, capacity: offers });
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
      world.putPod({ name: 'new', wants: one });
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
      world.putNode({ name: 'a', labels: mixedH100, taints: [theirs] });
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

    it('evicts the pod that is meant, and no other of its name', async () => {
      const { api, world } = await begin();
      const pod = { namespace: 'default', name: 'slice', uid: 'uid-slice' };
      expect(kindOf(await api.evict({ ...pod, uid: 'another' }, null))).toBe('gone');
      expect(kindOf(await api.evict({ ...pod, name: 'nobody' }, null))).toBe('gone');
      expect(kindOf(await api.deletePod({ ...pod, uid: 'another' }))).toBe('gone');
      const there = async () => (await api.read(never)).pods.find(({ name: called }) => called === 'slice');
      expect(await there()).toMatchObject({ isDeleting: false });
      valueOf(await api.evict(pod, 5));
      expect((await there())?.isDeleting ?? true).toBe(true);
      world.putPod({ name: 'operator', node: 'a', wants: one });
      valueOf(await api.deletePod({ ...pod, name: 'operator', uid: 'uid-operator' }));
    });

    it('a budget says not now', async () => {
      const { api, world } = await begin();
      world.putPod({ name: 'kept', node: 'a', wants: one, labels: { app: 'kept' } });
      world.forbidEviction('default', ['app', 'kept']);
      const pod = { namespace: 'default', name: 'kept', uid: 'uid-kept' };
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
      world.putConfigMap('default', 'theirs', { labels: { team: 'ml' }, data: { theirs: 'x' } });
      const both = valueOf(await api.applyConfigMap('default', 'theirs', { ours: 'y' }));
      expect(both.data).toEqual({ theirs: 'x', ours: 'y' });
      expect(valueOf(await api.getConfigMap('default', 'theirs'))).toEqual(both);
      expect(names(valueOf(await api.listConfigMaps('default', 'team=ml')))).toEqual(['theirs']);
      expect(valueOf(await api.listConfigMaps('kube-system', 'team=ml'))).toEqual([]);
    });

    it('records events about what is in a namespace, and what is in none', async () => {
      const { api, world } = await begin();
      const event = { type: 'Warning', reason: 'NoRoom', message: 'x'.repeat(5000) } as const;
      const node = { kind: 'Node', namespace: null, name: 'a', uid: 'uid-a' };
      const pod = { kind: 'Pod', namespace: 'default', name: 'waits', uid: 'uid-waits' };
      valueOf(await api.recordEvent({ ...event, about: node }));
      valueOf(await api.recordEvent({ ...event, about: pod, type: 'Normal' }));
      expect([...world.events()].sort()).toEqual([
        ['a', 'NoRoom'],
        ['waits', 'NoRoom'],
      ]);
    });
  });
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
