/** The safe change of a GKE node pool's size, against strict doubles of the Container API and of a cluster. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cordonedFor } from '#engines/pools/ports';
import { GkeWorld, oldPool } from './gke-world.js';

let world: GkeWorld;
beforeEach(async () => {
  world = await new GkeWorld().open();
});
afterEach(() => world.close());

const wanted = 'gpu-2g-48gb';

/** Nothing of the old pool is left but what is right, or nothing of the new one. */
function poolsThere(): readonly string[] {
  return [...world.api.pools.keys()].sort();
}

function runningOn(part: string): number {
  return world.cluster.pods.filter(({ node, isDeleting }) => node?.includes(part) === true && !isDeleting)
    .length;
}

/** No cordon of ours, all slices there. */
function expectAsBefore(): void {
  expect(poolsThere()).toEqual([oldPool.name]);
  expect(world.api.pools.get(oldPool.name).autoscaling).toEqual(oldPool.autoscaling);
  for (const index of [0, 1]) {
    const node = world.cluster.node(`gke-${oldPool.name}-${index}`);
    expect(node).toMatchObject({ isCordoned: false, isReady: true });
    expect(node?.annotations[cordonedFor]).toBeUndefined();
  }
}

describe('a change of size', () => {
  it('makes a pool like the old one, moves the pods, and takes the old pool away', async () => {
    world.addWorkload('bert', 3);
    const answer = await world.change();
    expect(answer).toMatchObject({ outcome: 'done', pool: oldPool.name, newPool: wanted, left: [] });
    expect([...answer.evicted].sort()).toEqual(['default/bert-0', 'default/bert-1', 'default/bert-2']);
    expect(world.api.changes).toEqual(['POST nodePools', 'PUT cluster', `DELETE nodePools/${oldPool.name}`]);
    expect(poolsThere()).toEqual([wanted]);
    expect(runningOn(wanted)).toBe(3);
    expect(world.cluster.evictions).toHaveLength(3);
  });

  it('copies everything that is set, and nothing that the server says', async () => {
    await world.change();
    const { name, initialNodeCount, config, ...others } = world.api.asked.find(
      ({ method }) => method === 'POST',
    )!.body.nodePool;
    const { labels, ...kept } = { ...oldPool.config, effectiveCgroupMode: undefined };
    expect({ name, initialNodeCount }).toEqual({ name: wanted, initialNodeCount: 2 });
    expect(config).toEqual({
      oauthScopes: ['https://www.googleapis.com/auth/cloud-platform'],
      ...kept,
      labels: { ...labels, 'mica.dev/replaces': oldPool.name },
      accelerators: [{ ...oldPool.config.accelerators[0], gpuPartitionSize: '2g.48gb' }],
    });
    expect(others).toEqual({
      locations: oldPool.locations,
      autoscaling: oldPool.autoscaling,
      management: { autoRepair: true, autoUpgrade: true },
      maxPodsConstraint: oldPool.maxPodsConstraint,
      upgradeSettings: oldPool.upgradeSettings,
    });
  });

  it('keeps the version of a pool that does not follow the control plane', async () => {
    world.api.pools.get(oldPool.name).management = { autoUpgrade: false, autoRepair: true };
    await world.change();
    const { nodePool } = world.api.asked.find(({ method }) => method === 'POST')!.body;
    expect(nodePool).toMatchObject({ version: '1.35.2-gke.1485000', management: { autoUpgrade: false } });
  });

  it('waits for budgets, and evicts nobody twice', async () => {
    world.addWorkload('bert', 3);
    world.cluster.heldUntilMs.set('bert', world.clock.nowMs() + 300_000);
    expect(await world.change()).toMatchObject({ outcome: 'done' });
    expect(new Set(world.cluster.evictions).size).toBe(3);
  });

  it('does nothing where the size is right already', async () => {
    expect(await world.change({ cut: '1g.24gb' })).toMatchObject({ outcome: 'unchanged' });
    expect(world.api.changes).toEqual([]);
  });

  it('says with a dry run what it would send, and sends nothing', async () => {
    const answer = await world.change({ sharers: 4 }, { dryRun: true });
    expect(answer.outcome).toBe('planned');
    expect(answer.slices).toEqual([{ profile: '2g.48gb', perNode: 8 }]);
    expect(answer.requests.map(({ method, path }) => `${method} ${path.split('/').at(-1)}`)).toEqual([
      'POST nodePools',
      'PUT c1',
      `DELETE ${oldPool.name}`,
    ]);
    expect(answer.requests[0]?.command?.join(' ')).toContain(
      'type=nvidia-rtx-pro-6000,count=1,gpu-partition-size=2g.48gb,gpu-sharing-strategy=time-sharing,max-shared-clients-per-gpu=4,gpu-driver-version=latest',
    );
    expect(answer.notes.join()).toContain('config.kubeletConfig');
    expect(world.api.changes).toEqual([]);
  });
});

describe('a refusal comes before anything is touched', () => {
  it.each([
    ['a size that GKE does not offer', { cut: '3g.72gb' }, /does not list 3g\.72gb.*it lists 1g\.24gb, /],
    [
      'an attribute whose spelling is not known',
      { cut: '1g.24gb+gfx' },
      /either 1g\.24gb\.gfx or 1g\.24gb\+gfx/,
    ],
    ['two sizes on a GPU', { cut: [['2g.48gb', '1g.24gb']] }, /one size/],
    ['too many sharers', { sharers: 49 }, /at most 48/],
    ['no such pool', { pool: 'x' }, /has no node pool x/],
    ['a name that is none', { name: 'A_b' }, /no name for a node pool/],
  ])('%s', async (_, change, message) => {
    const answer = await world.change(change);
    expect(answer).toMatchObject({ outcome: 'refused', why: { message: expect.stringMatching(message) } });
    expect(world.api.changes).toEqual([]);
  });

  it('a part of a GPU', async () => {
    world.api.pools.get(oldPool.name).config.machineType = 'g4-standard-12';
    expect(await world.change()).toMatchObject({
      outcome: 'refused',
      why: { message: expect.stringMatching(/cut again/) },
    });
  });

  it('pods that select the old size, a name for each; allowed, they pend', async () => {
    world.addWorkload('tied', 2, { nodeSelector: { 'cloud.google.com/gke-gpu-partition-size': '1g.24gb' } });
    expect(await world.change()).toMatchObject({
      outcome: 'refused',
      why: { message: expect.stringContaining('default/tied-0, default/tied-1') },
    });
    expect(world.api.changes).toEqual([]);
    expect(await world.change({}, { leavePending: true })).toMatchObject({ outcome: 'done' });
    expect(world.cluster.pods.map(({ phase }) => phase)).toEqual(['Pending', 'Pending']);
  });

  it('fewer slices than are in use', async () => {
    delete world.api.pools.get(oldPool.name).autoscaling;
    world.addWorkload('bert', 7);
    expect(await world.change()).toMatchObject({
      outcome: 'refused',
      why: {
        message: expect.stringContaining('2 new nodes have 4'),
        next: expect.stringContaining('4 nodes'),
      },
    });
    expect(await world.change({ nodes: 4 })).toMatchObject({ outcome: 'done' });
    expect(runningOn(wanted)).toBe(7);
  });

  it('pods that nobody makes again', async () => {
    world.addWorkload('alone', 1, { controller: null });
    expect(await world.change()).toMatchObject({
      outcome: 'refused',
      why: { message: expect.stringContaining('default/alone-0') },
    });
    world.addWorkload('agent', 1, { controller: { kind: 'DaemonSet', name: 'agent', uid: 'a' } });
    expect(await world.change({}, { evictBare: true })).toMatchObject({
      outcome: 'done',
      evicted: ['default/alone-0'],
    });
  });

  it('a name that somebody else has', async () => {
    world.api.addPool({ ...oldPool, name: wanted });
    expect(await world.change()).toMatchObject({
      outcome: 'refused',
      why: { message: expect.stringContaining('made otherwise') },
    });
    expect(world.api.changes).toEqual([]);
  });
});

describe('what goes wrong ends in the pool as it was', () => {
  it.each(['error', 'statusMessage'] as const)('an operation that fails, said in %s', async (said) => {
    world.addWorkload('bert', 3);
    world.api.fail('POST', /nodePools$/, { kind: 'operation', said, message: 'GCE_STOCKOUT: out of stock' });
    const answer = await world.change();
    expect(answer).toMatchObject({
      outcome: 'rolled-back',
      why: { message: expect.stringContaining('out of stock') },
    });
    expectAsBefore();
    expect(world.cluster.evictions).toEqual([]);
  });

  it('a quota', async () => {
    world.api.quotaNodes = 3;
    expect(await world.change()).toMatchObject({
      outcome: 'rolled-back',
      why: { message: expect.stringContaining('GPUS_ALL_REGIONS'), next: expect.stringContaining('quota') },
    });
    expectAsBefore();
  });

  it('nodes that never get their slices', async () => {
    world.cluster.neverReady = true;
    expect(await world.change()).toMatchObject({
      outcome: 'rolled-back',
      why: {
        message: expect.stringContaining(
          'gke-gpu-2g-48gb-0: not ready, 0 of 2 slices of 2g.48gb allocatable',
        ),
      },
    });
    expectAsBefore();
  });

  it('a budget that never allows it: pods that moved go back too', async () => {
    world.addWorkload('bert', 2);
    world.addWorkload('held', 1);
    world.cluster.heldUntilMs.set('held', Infinity);
    const answer = await world.change();
    expect(answer).toMatchObject({
      outcome: 'rolled-back',
      why: { message: expect.stringContaining('PodDisruptionBudget holds default/held-0') },
    });
    expectAsBefore();
    expect(runningOn(oldPool.name)).toBe(3);
    expect(new Set(world.cluster.evictions).size).toBe(world.cluster.evictions.length);
  });

  it('a cordon of somebody else stays', async () => {
    await world.cluster.patchNode(`gke-${oldPool.name}-0`, { cordoned: true });
    world.addWorkload('held', 1);
    world.cluster.heldUntilMs.set('held', Infinity);
    expect(await world.change()).toMatchObject({ outcome: 'rolled-back' });
    expect(world.cluster.node(`gke-${oldPool.name}-0`)?.isCordoned).toBe(true);
    expect(world.cluster.node(`gke-${oldPool.name}-1`)?.isCordoned).toBe(false);
  });

  it('no right to evict', async () => {
    world.addWorkload('bert', 1);
    world.cluster.failures.push({
      call: 'evict',
      why: { kind: 'forbidden', message: 'no', retryAfterMs: null },
    });
    expect(await world.change()).toMatchObject({
      outcome: 'rolled-back',
      why: { message: expect.stringContaining('cannot be evicted') },
    });
    expectAsBefore();
  });

  it('an old pool that cannot be deleted is named, and the next run goes on', async () => {
    world.addWorkload('bert', 3);
    world.api.fail('DELETE', /nodePools/, { kind: 'operation', said: 'error', message: 'internal error' });
    const answer = await world.change();
    expect(answer).toMatchObject({
      outcome: 'failed',
      left: [expect.stringContaining('empty and cordoned')],
    });
    expect(await world.change()).toMatchObject({ outcome: 'done' });
    expect(world.cluster.evictions).toHaveLength(3);
    expect(poolsThere()).toEqual([wanted]);
  });
});

describe('an API that stutters', () => {
  it.each<[string, RegExp, string]>([
    ['POST', /nodePools$/, 'create'],
    ['DELETE', /nodePools/, 'delete'],
    ['PUT', /clusters/, 'scaling'],
  ])('%s cut before and after it was taken: done once', async (method, path) => {
    world.addWorkload('bert', 3);
    world.api.fail(method, path, { kind: 'cut', done: false });
    world.api.fail(method, path, { kind: 'cut', done: true });
    world.api.fail('GET', /nodePools/, { kind: 'cut', done: true });
    world.api.fail('GET', /operations/, { kind: 'status', status: 503, message: 'unavailable' });
    expect(await world.change()).toMatchObject({ outcome: 'done' });
    expect(poolsThere()).toEqual([wanted]);
  });

  it('429 and 503 are asked again as the server says', async () => {
    world.api.fail('POST', /nodePools$/, {
      kind: 'status',
      status: 429,
      message: 'slow down',
      retryAfter: 7,
    });
    world.api.fail('POST', /nodePools$/, { kind: 'status', status: 503, message: 'unavailable' });
    expect(await world.change()).toMatchObject({ outcome: 'done' });
  });

  it('somebody else works on the cluster: waits for that, and says who', async () => {
    world.api.occupy(8);
    expect(await world.change()).toMatchObject({ outcome: 'done' });
    expect(world.said.join('\n')).toContain('incompatible operation operation-1');
  });

  it('never free: nothing was begun', async () => {
    world.api.occupy(Infinity);
    expect(await world.change()).toMatchObject({
      outcome: 'refused',
      why: { message: expect.stringContaining('409') },
    });
    expectAsBefore();
  });

  it('a 403 is told as it is', async () => {
    world.api.fail('POST', /nodePools$/, {
      kind: 'status',
      status: 403,
      message: 'Required "container.clusters.update" permission',
    });
    expect(await world.change()).toMatchObject({
      outcome: 'refused',
      why: { message: expect.stringContaining('Required'), next: expect.stringContaining('roles/') },
    });
  });
});

describe('killed anywhere', () => {
  it(
    'the next run looks and goes on to the end, and nobody is evicted twice',
    { timeout: 60_000 },
    async () => {
      // The run ends where it first speaks, then at its second word, and so on: between any two steps.
      for (let words = 1; words < 40; words += 1) {
        const there = await new GkeWorld().open();
        try {
          there.addWorkload('bert', 3);
          const killed = new AbortController();
          let left = words;
          const say = (): void => {
            left -= 1;
            if (left === 0) killed.abort();
          };
          const first = await there.change({}, { signal: killed.signal, say });
          if (first.outcome === 'done') break;
          expect(first).toMatchObject({
            outcome: 'failed',
            why: { message: expect.stringContaining('interrupted') },
          });
          expect(await there.change(), `after ${words}`).toMatchObject({ outcome: 'done' });
          expect([...there.api.pools.keys()]).toEqual([wanted]);
          expect(there.cluster.evictions).toHaveLength(3);
          expect(there.cluster.pods.every(({ node }) => node?.includes(wanted))).toBe(true);
        } finally {
          await there.close();
        }
      }
    },
  );
});
