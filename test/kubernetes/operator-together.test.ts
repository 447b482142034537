/** Several processes at the same nodes at once, clocks that do not agree, and people who work on the same nodes. */
import { afterEach, describe, expect, it } from 'vitest';
import { entriesFor, spelledName } from '#core/cluster/operator/mig-config';
import type { NodesAnswer } from '#engines/cluster/answer';
import { changeNodes } from '#engines/cluster/change-nodes';
import { ConfigBook } from '#engines/cluster/config-book';
import type { NodesOptions } from '#engines/cluster/options';
import type { ClusterPorts } from '#engines/cluster/ports';
import { operatorNamespace } from '../support/operator-cluster.js';
import { OperatorWorld, type WorldOptions } from './actors/operator-world.js';

const worlds: OperatorWorld[] = [];
const worldOf = (options: WorldOptions = {}): OperatorWorld => {
  const world = new OperatorWorld(options);
  worlds.push(world);
  return world;
};
afterEach(() => {
  for (const world of worlds.splice(0)) world.stop();
});

/** Every call takes a while, as it does: so that processes meet between two of them. */
function slow(world: OperatorWorld, ms: number, aheadMs = 0): ClusterPorts {
  const { api, clock } = world.ports();
  const late = new Proxy(api, {
    get:
      (target, key) =>
      async (...args: unknown[]): Promise<unknown> => {
        await clock.sleep(ms);
        return (Reflect.get(target, key) as (...given: unknown[]) => Promise<unknown>)(...args);
      },
  });
  return { api: late, clock: { nowMs: () => clock.nowMs() + aheadMs, sleep: clock.sleep } };
}

function change(
  world: OperatorWorld,
  ports: ClusterPorts,
  options: Partial<NodesOptions> = {},
  nodes = world.wanted(),
): Promise<NodesAnswer> {
  return changeNodes(ports, nodes, world.nodesOptions(options));
}

const evictions = ({ cluster }: OperatorWorld): readonly string[] =>
  cluster.log.filter((line) => / evict \S+$/.test(line)).map((line) => line.slice(6));

describe('two processes', () => {
  it.each([
    [100, 100],
    [100, 130],
    [70, 200],
  ])('take no more nodes out of service than one may (%i and %i ms a call)', async (one, other) => {
    const world = worldOf({ nodes: 3 });
    const wanted = world.wanted();
    const [first, second] = await Promise.all([
      change(world, slow(world, one), {}, wanted),
      change(world, slow(world, other), {}, [...wanted].reverse()),
    ]);
    expect(world.cluster.broken).toEqual([]);
    expect(world.cluster.mostAway).toBe(1);
    expect(evictions(world).length).toBe(new Set(evictions(world)).size);
    // Whoever found no room says who has it; whoever comes after gets there.
    const whys = [first, second].flatMap(({ nodes }) => nodes.flatMap(({ why }) => why?.kind ?? []));
    expect(new Set(whys)).toEqual(whys.length === 0 ? new Set() : new Set(['other-node']));
    expect((await change(world, world.ports())).outcome).toMatch(/done|unchanged/);
  });

  it('evict a pod of one node once, and both say how it ended', async () => {
    const world = worldOf({ minAvailable: 0 });
    const both = await Promise.all([change(world, slow(world, 100)), change(world, slow(world, 100))]);
    expect(both.map(({ outcome }) => outcome)).toEqual(['done', 'done']);
    expect(evictions(world)).toEqual(['evict default/train-gpu-1']);
    expect(world.cluster.broken).toEqual([]);
  });

  it('say the same where it is taken back', async () => {
    const world = worldOf({ traps: { fails: (config) => config.startsWith('mica-') } });
    const both = await Promise.all([change(world, slow(world, 100)), change(world, slow(world, 170))]);
    expect(both.map(({ outcome }) => outcome)).toEqual(['rolled-back', 'rolled-back']);
    expect(world.cluster.node('gpu-1').isCordoned).toBe(false);
  });

  it('write two configurations at once, and lose none', async () => {
    const world = worldOf();
    const place = { namespace: operatorNamespace, configMap: 'mica-mig-config' };
    const books = [40, 40, 55].map((ms) => new ConfigBook(slow(world, ms), place));
    const written = await Promise.all(
      books.map((book, index) =>
        book.write(`mica-${index}-off`, [{ devices: [index], 'mig-enabled': false }]),
      ),
    );
    expect(written.map(({ ok }) => ok)).toEqual([true, true, true]);
    const file = world.cluster.configFile('mica-mig-config');
    for (const name of ['start', 'mica-0-off', 'mica-1-off', 'mica-2-off'])
      expect(file).toContain(`${name}:`);
  });
});

it('a ConfigMap grows no further than 100 configurations of ours, and keeps what a node needs', async () => {
  const world = worldOf();
  const book = new ConfigBook(world.ports(), { namespace: operatorNamespace, configMap: 'mica-mig-config' });
  const cuts = Array.from({ length: 110 }, (_, index) => entriesFor(new Map([[index, { mig: false }]])));
  world.cluster.editNode('gpu-1', { labels: { 'nvidia.com/mig.config': spelledName(cuts[0]!) } });
  for (const entries of cuts) await book.write(spelledName(entries), entries);
  const names = [...world.cluster.configFile('mica-mig-config').matchAll(/^ {2}([\w.-]+):/gm)].map(
    ([, name]) => name,
  );
  expect(names).toContain('start');
  expect(names).toContain('all-disabled');
  const own = names.filter((name) => name?.startsWith('mica-') === true);
  expect(own).toHaveLength(100);
  expect(own.slice(0, 2)).toEqual(['mica-0-off', 'mica-11-off']);
});

it('a claim of a process that died is in nobody’s way for long', async () => {
  const world = worldOf({ nodes: 2 });
  const { api, clock } = world.ports();
  let isDead = false;
  const dying = new Proxy(api, {
    get: (target, key) =>
      isDead
        ? () => new Promise(() => undefined)
        : async (...args: unknown[]): Promise<unknown> => {
            const answer = await (Reflect.get(target, key) as (...given: unknown[]) => Promise<unknown>)(
              ...args,
            );
            isDead ||= key === 'patchNode';
            return answer;
          },
  });
  void change(world, { api: dying, clock });
  await clock.sleep(1_000);
  expect(world.cluster.node('gpu-1').annotations['mica.dev/change']).toContain('claimed');
  const [, second] = world.wanted();
  expect(await change(world, world.ports(), {}, second === undefined ? [] : [second])).toMatchObject({
    outcome: 'done',
  });
  expect(world.cluster.node('gpu-1')).toMatchObject({ isCordoned: false, annotations: {} });
});

describe('clocks', () => {
  it.each([
    ['a year ahead', 31_536_000_000],
    ['an hour ahead', 3_600_000],
    ['a year behind', -31_536_000_000],
  ])('of a process that died %s: the next one brings it to an end', async (_, aheadMs) => {
    const world = worldOf({ minAvailable: 1 });
    const stop = new AbortController();
    const first = change(world, slow(world, 10, aheadMs), { signal: stop.signal });
    await world.clock.sleep(20_000);
    stop.abort();
    await first;
    expect(world.cluster.node('gpu-1').isCordoned).toBe(true);
    const beganMs = world.clock.nowMs();
    expect(await change(world, world.ports())).toMatchObject({ outcome: 'rolled-back' });
    expect(world.clock.nowMs() - beganMs).toBeLessThan(11 * 60_000);
    expect(world.cluster.node('gpu-1').isCordoned).toBe(false);
  });

  it('put back by a day while it waits: it waits no longer for that', async () => {
    const world = worldOf({ traps: { hangsPending: 'always' } });
    const { api, clock } = world.ports();
    let backMs = 0;
    clock.sleep(120_000).then(
      () => (backMs = 86_400_000),
      () => undefined,
    );
    const answer = await change(world, {
      api,
      clock: { nowMs: () => clock.nowMs() - backMs, sleep: clock.sleep },
    });
    expect(answer).toMatchObject({ outcome: 'rolled-back', nodes: [{ why: { kind: 'pending' } }] });
    expect(clock.nowMs() - 1_790_000_000_000).toBeLessThan(2 * 3_600_000);
  });
});

describe('people', () => {
  it('who take the record away find the reason on the node, which stays cordoned', async () => {
    const world = worldOf();
    world.clock.in(100_000, () => {
      const node = world.cluster.node('gpu-1');
      world.cluster.nodes.set('gpu-1', { ...node, annotations: {}, resourceVersion: 'x' });
    });
    expect(await change(world, world.ports())).toMatchObject({
      outcome: 'failed',
      nodes: [{ why: { kind: 'record-removed' } }],
    });
    const { isCordoned, annotations } = world.cluster.node('gpu-1');
    expect(isCordoned).toBe(true);
    expect(annotations['mica.dev/reason']).toContain('took the annotation');
  });

  it('who start a pod that nothing makes again on the node: it is not ended', async () => {
    const world = worldOf();
    world.clock.in(2_000, () =>
      world.cluster.addPod({ name: 'mine', node: 'gpu-1', wants: { 'nvidia.com/mig-3g.40gb': 1 } }),
    );
    const answer = await change(world, world.ports());
    expect(answer).toMatchObject({
      outcome: 'rolled-back',
      nodes: [{ why: { kind: 'pods-stay', message: expect.stringContaining('default/mine') } }],
    });
    expect(world.cluster.allPods().some(({ name }) => name === 'mine')).toBe(true);
  });

  it('whose DaemonSet holds a slice that is to be cut hear no, before anything is touched', async () => {
    const world = worldOf();
    world.cluster.addPod({
      name: 'tracer',
      node: 'gpu-1',
      wants: { 'nvidia.com/mig-3g.40gb': 1 },
      controller: { kind: 'DaemonSet', name: 'tracer', uid: 't' },
      annotations: { 'test/gpu': '1' },
    });
    expect(await change(world, world.ports())).toMatchObject({
      outcome: 'refused',
      nodes: [{ why: { kind: 'fixed-pods', message: expect.stringContaining('default/tracer') } }],
    });
    expect(world.cluster.log).toEqual([]);
  });

  it('who mended nothing: a node that got stuck is not given back because its pods do not go', async () => {
    const world = worldOf({ traps: { fails: () => true } });
    expect((await change(world, world.ports())).outcome).toBe('failed');
    const held = {
      name: 'held',
      node: 'gpu-1',
      labels: { app: 'held' },
      wants: { 'nvidia.com/mig-1g.10gb': 1 },
    };
    world.cluster.addPod({ ...held, controller: { kind: 'ReplicaSet', name: 'held', uid: 'h' } });
    world.cluster.budgets.push({ name: 'held', app: 'held', minAvailable: 1 });
    expect(await change(world, world.ports())).toMatchObject({
      outcome: 'failed',
      nodes: [{ why: { kind: 'pods-stay' } }],
    });
    const { isCordoned, annotations } = world.cluster.node('gpu-1');
    expect(isCordoned).toBe(true);
    expect(annotations['mica.dev/reason']).toMatch(/default\/held.*the change before: .*mig-manager failed/);
  });

  it('hear which pods lose what they keep on the node', async () => {
    const world = worldOf();
    const train = world.cluster.podsOn('gpu-1').find(({ name }) => name.startsWith('train'));
    world.cluster.editPod(train?.uid ?? '', { hasEmptyDir: true });
    const [node] = (await change(world, world.ports(), { dryRun: true })).nodes;
    expect(node?.notes).toContain('What these pods keep in emptyDir volumes is lost: default/train-gpu-1.');
  });

  it.each([
    ['before it is cut', 40_000],
    ['while it is cut', 95_000],
  ])('take the configuration away %s: it is written again', async (_, atMs) => {
    const world = worldOf({ traps: { startedWithoutDriver: true } });
    world.clock.in(atMs, () => {
      const key = `${operatorNamespace}/mica-mig-config`;
      const map = world.cluster.configMaps.get(key);
      const data = { 'config.yaml': 'version: v1\nmig-configs: {}\n' };
      if (map !== undefined) world.cluster.configMaps.set(key, { ...map, data, resourceVersion: 'x' });
    });
    expect((await change(world, world.ports())).outcome).toBe('done');
    expect(world.cluster.log.filter((line) => line.includes('apply configmap'))).toHaveLength(2);
  });
});

it('a pod that comes back under its name is not taken for the one that held another GPU', async () => {
  const world = worldOf({ nodes: 1 });
  const holders = world.holders();
  const [small] = world.cluster.podsOn('gpu-1').filter(({ name }) => name === 'small-gpu-1');
  world.cluster.removePod(small?.uid ?? '');
  world.cluster.addPod({ ...small, name: 'small-gpu-1', uid: 'another', annotations: { 'test/gpu': '1' } });
  expect((await change(world, world.ports(), { holders })).outcome).toBe('done');
  expect(world.cluster.broken).toEqual([]);
  expect(evictions(world)).toContain('evict default/small-gpu-1');
});
