/** A GKE node pool that goes for good, against strict doubles of the Container API and of a cluster. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { deletePool } from '#engines/pools/delete-pool';
import { cordonedFor, type PoolChangeOptions } from '#engines/pools/ports';
import { GkeWorld, oldPool } from './gke-world.js';

let world: GkeWorld;
beforeEach(async () => {
  world = await new GkeWorld().open();
});
afterEach(() => world.close());

const { name } = oldPool;
const node = `gke-${name}-0`;

function remove(options: Partial<PoolChangeOptions> = {}) {
  const { pools, cluster, clock } = world;
  const { signal } = new AbortController();
  return deletePool({ pools, cluster, clock }, name, { signal, say: () => undefined, ...options });
}

/** Another pool, with room for so many slices. */
function room(slices: number, labels: Readonly<Record<string, string>> = {}): void {
  world.cluster.addNode({ name: 'spare', labels, allocatable: { 'nvidia.com/gpu': slices } }, 0);
}

function expectAsBefore(): void {
  expect([...world.api.pools.keys()]).toEqual([name]);
  expect(world.api.pools.get(name).autoscaling).toEqual(oldPool.autoscaling);
  expect(world.cluster.node(node)).toMatchObject({ isCordoned: false, annotations: {} });
}

describe('a pool that is deleted', () => {
  it('is emptied first: its pods run elsewhere, each told once', async () => {
    world.addWorkload('bert', 3);
    room(4);
    expect(await remove()).toMatchObject({
      outcome: 'done',
      evicted: expect.objectContaining({ length: 3 }),
    });
    expect([...world.api.pools.keys()]).toEqual([]);
    expect(world.api.changes).toEqual([`DELETE nodePools/${name}`]);
    expect(world.cluster.pods.map((pod) => pod.node)).toEqual(['spare', 'spare', 'spare']);
  });

  it('says with a dry run what would be sent, who moves, and who loses data', async () => {
    world.addWorkload('bert', 1, { hasEmptyDir: true });
    room(1);
    const answer = await remove({ dryRun: true });
    expect(answer).toMatchObject({ outcome: 'planned', evicted: [] });
    expect(answer.requests.map(({ method }) => method)).toEqual(['DELETE']);
    expect(answer.notes).toEqual([
      'these pods move: default/bert-0',
      'what these pods keep in emptyDir volumes is lost: default/bert-0',
    ]);
    expect(world.api.changes).toEqual([]);
    expectAsBefore();
  });

  it.each<[string, () => void, RegExp]>([
    ['nowhere else', () => undefined, /no place.*bert-0, default\/bert-1, default\/bert-2/],
    ['too little elsewhere', () => room(2), /no place on the nodes that stay: default\/bert-\d$/],
    [
      'room on nodes that are cordoned',
      () => {
        room(4);
        void world.cluster.patchNode('spare', { cordoned: true });
      },
      /no place/,
    ],
  ])('is refused where its pods find %s', async (_, prepare, message) => {
    world.addWorkload('bert', 3);
    prepare();
    expect(await remove()).toMatchObject({
      outcome: 'refused',
      why: { message: expect.stringMatching(message) },
    });
    expectAsBefore();
    expect(await remove({ leavePending: true })).toMatchObject({ outcome: 'done' });
  });

  it('is refused for pods that nobody makes again, and where there is none', async () => {
    world.addWorkload('alone', 1, { controller: null });
    room(4);
    expect(await remove()).toMatchObject({
      outcome: 'refused',
      why: { message: expect.stringContaining('alone-0') },
    });
    expect(await remove({ evictBare: true })).toMatchObject({ outcome: 'done' });
    expect(await remove()).toMatchObject({
      outcome: 'refused',
      why: { message: expect.stringContaining('no node pool') },
    });
  });

  it('takes pods again where a budget does not let go, but for a node that somebody else cordoned', async () => {
    await world.cluster.patchNode(`gke-${name}-1`, { cordoned: true });
    world.addWorkload('held', 1);
    world.cluster.heldUntilMs.set('held', Infinity);
    room(4);
    expect(await remove()).toMatchObject({
      outcome: 'rolled-back',
      why: { message: expect.stringContaining('PodDisruptionBudget holds default/held-0') },
    });
    expectAsBefore();
    expect(world.cluster.node(`gke-${name}-1`)).toMatchObject({ isCordoned: true });
  });

  it('is not given back on a silence, and is named where the cloud does not take it', async () => {
    world.addWorkload('bert', 2);
    room(4);
    for (const call of ['look', 'patch', 'evict', 'look'] as const) {
      world.cluster.failures.push({ call, why: { kind: 'unreachable', message: 'x', retryAfterMs: null } });
    }
    world.api.fail('DELETE', /nodePools/, { kind: 'operation', said: 'error', message: 'internal error' });
    expect(await remove()).toMatchObject({
      outcome: 'failed',
      left: [expect.stringContaining('empty and cordoned')],
    });
    expect(await remove()).toMatchObject({ outcome: 'done' });
    expect(world.cluster.evictions).toHaveLength(2);
  });
});

describe('a change that meets what others left', () => {
  it('makes the new pool anew where it was on its way out', async () => {
    world.addWorkload('bert', 1);
    const labels = { 'mica.dev/replaces': name };
    world.api.addPool({ ...oldPool, name: 'gpu-2g-48gb', config: { ...oldPool.config, labels } });
    void world.pools.remove('gpu-2g-48gb', { signal: new AbortController().signal, say: () => undefined });
    await world.clock.sleep(1);
    expect(await world.change()).toMatchObject({ outcome: 'done' });
    expect([...world.api.pools.keys()]).toEqual(['gpu-2g-48gb']);
  });

  it('gives its nodes back through a stutter of the API server', async () => {
    world.addWorkload('held', 1);
    world.cluster.heldUntilMs.set('held', Infinity);
    const { cluster } = world;
    const patchNode = cluster.patchNode.bind(cluster);
    let refusals = 3;
    Object.assign(cluster, {
      patchNode: async (...[at, edit, version]: Parameters<typeof patchNode>) => {
        const isBack = edit.cordoned === false && (refusals -= 1) >= 0;
        if (!isBack) return patchNode(at, edit, version);
        return { ok: false, why: { kind: 'unreachable', message: 'x', retryAfterMs: 1e9 } } as const;
      },
    });
    expect(await world.change()).toMatchObject({ outcome: 'rolled-back' });
    expect(cluster.node(node)?.annotations[cordonedFor]).toBeUndefined();
    expectAsBefore();
  });
});
