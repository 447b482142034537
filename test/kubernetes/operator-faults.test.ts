/**
 * Every call to the API server fails in turn, in every way, and the process dies at every call and is begun again: each
 * time the node ends as wanted, as before, or cordoned with the reason on it; no rule of the cluster is broken.
 */
import { afterEach, describe, expect, it } from 'vitest';
import { defaultLimits } from '#core/cluster/operator/limits';
import type { NodesAnswer } from '#engines/cluster/answer';
import { changeNodes } from '#engines/cluster/change-nodes';
import type { ClusterPorts } from '#engines/cluster/ports';
import type { ApiRefusal } from '#ports/cluster-api';
import { OperatorWorld, secondGpuAnew, smallAndLarge, type WorldOptions } from './actors/operator-world.js';

const worlds: OperatorWorld[] = [];
const worldOf = (options: WorldOptions): OperatorWorld => {
  const world = new OperatorWorld(options);
  worlds.push(world);
  return world;
};

afterEach(() => {
  for (const world of worlds.splice(0)) world.stop();
});

const beginnings: Readonly<Record<string, WorldOptions>> = {
  'good machinery': { minAvailable: 1, nodes: 2 },
  'a layout that fails': { traps: { fails: (config) => config.startsWith('mica-') }, nodes: 1 },
};

function change(world: OperatorWorld, ports: ClusterPorts = world.ports()): Promise<NodesAnswer> {
  return changeNodes(
    ports,
    world.wanted(),
    world.nodesOptions({ limits: { ...defaultLimits, pollMs: 5_000 } }),
  );
}

function judge(world: OperatorWorld, answer: NodesAnswer, what: string): void {
  expect(world.cluster.broken, what).toEqual([]);
  expect(world.cluster.mostAway, what).toBeLessThanOrEqual(1);
  for (const [index, { node, outcome, why }] of answer.nodes.entries()) {
    const { isCordoned, annotations } = world.cluster.node(node);
    const cut = world.nodes[index]?.cut;
    const at = `${what}: ${node} ${outcome} ${why?.message ?? ''}`;
    const stuck =
      isCordoned &&
      annotations['mica.dev/reason'] !== undefined &&
      annotations['mica.dev/next-step'] !== undefined;
    if (outcome === 'failed') expect(stuck || why?.kind === 'forbidden', at).toBe(true);
    else {
      expect(isCordoned, at).toBe(false);
      expect(annotations['mica.dev/change'], at).toBeUndefined();
      const isNew = outcome === 'done' || outcome === 'unchanged';
      expect(cut?.get(1), at).toEqual((isNew ? secondGpuAnew : smallAndLarge).get(1));
      expect(cut?.get(0), at).toEqual(smallAndLarge.get(0));
    }
  }
}

/** Calls of an undisturbed run. */
async function callsOf(options: WorldOptions): Promise<number> {
  const world = worldOf(options);
  judge(world, await change(world), 'undisturbed');
  world.stop();
  return world.cluster.calls;
}

describe.each(Object.entries(beginnings))('%s', (_, options) => {
  const kinds: readonly (ApiRefusal['kind'] | 'lost')[] = [
    'conflict',
    'too-many',
    'unreachable',
    'lost',
    'gone',
    'forbidden',
    'invalid',
  ];
  it.each(kinds)('ends well when a call is answered with %s, whichever it is', async (kind) => {
    const calls = await callsOf(options);
    for (let at = 1; at <= calls; at += 1) {
      const world = worldOf(options);
      let name = '';
      world.cluster.fault = (call, count) => {
        if (count !== at) return null;
        name = call;
        return kind;
      };
      const answer = await change(world);
      const isForGood = kind === 'gone' || kind === 'forbidden' || kind === 'invalid';
      if (!isForGood) judge(world, answer, `${kind} at ${at} (${name})`);
      else {
        // Whoever was stopped by it goes on when it is mended.
        const second = await change(world);
        judge(
          world,
          await (second.outcome === 'failed' ? change(world) : second),
          `${kind} at ${at} (${name}), again`,
        );
      }
      world.stop();
    }
  });

  it('ends well when it is killed at any call, before or after it was done, and begun again', async () => {
    const calls = await callsOf(options);
    for (let at = 1; at <= calls; at += 1) {
      for (const isDone of [false, true]) {
        const world = worldOf(options);
        await killedAt(world, at, isDone);
        const answer = await change(world);
        judge(world, answer, `killed ${isDone ? 'after' : 'before'} call ${at}`);
        world.stop();
      }
    }
  });

  it('ends well when it is killed again and again', async () => {
    for (const every of [3, 7, 11]) {
      const world = worldOf(options);
      for (let round = 0; round < 40; round += 1) {
        await killedAt(world, world.cluster.calls + every, round % 2 === 0);
      }
      judge(world, await change(world), `killed every ${every} calls`);
      world.stop();
    }
  });

  it('ends well through an hour of calls that fail at random', async () => {
    for (let seed = 1; seed <= 12; seed += 1) {
      const world = worldOf(options);
      const next = randomFrom(seed);
      const bad = ['conflict', 'too-many', 'unreachable', 'lost'] as const;
      world.cluster.fault = () => (next() < 0.25 ? (bad[Math.floor(next() * bad.length)] ?? null) : null);
      const first = await change(world);
      world.cluster.fault = () => null;
      // Where nothing was heard for long, nothing could be written either: the next run goes on.
      const isUnheard = first.nodes.some(({ why }) => why?.kind === 'unreachable');
      judge(world, isUnheard ? await change(world) : first, `seed ${seed}`);
      world.stop();
    }
  });
});

it('asks a pod again that only changed at that moment', async () => {
  const world = worldOf({ nodes: 1 });
  const asked: string[] = [];
  world.cluster.fault = (call) => {
    if (!call.startsWith('evict ')) return null;
    asked.push(call);
    return asked.length <= 2 ? 'conflict' : null;
  };
  const answer = await change(world);
  judge(world, answer, 'conflicts of one pod');
  expect(answer).toMatchObject({ outcome: 'done', nodes: [{ evicted: ['default/train-gpu-1'] }] });
  expect(new Set(asked)).toEqual(new Set(['evict default/train-gpu-1']));
  expect(asked).toHaveLength(3);
});

it('says once that events may not be recorded, and changes all nodes the same', async () => {
  const world = worldOf({ nodes: 2, minAvailable: 1 });
  world.cluster.fault = (call) => (call.startsWith('event ') ? 'forbidden' : null);
  const notes: string[] = [];
  const options = world.nodesOptions({ onNote: (note) => notes.push(note) });
  judge(world, await changeNodes(world.ports(), world.wanted(), options), 'no events');
  expect(notes).toEqual([expect.stringMatching(/may not create events in default: .*forbidden/)]);
});

/** The call never returns, and no later one is made. */
async function killedAt(world: OperatorWorld, at: number, isDone: boolean): Promise<void> {
  const { api, clock } = world.ports();
  let isDead = false;
  await new Promise<void>((resolve) => {
    const dies = (): Promise<never> => {
      isDead = true;
      resolve();
      return new Promise<never>(() => undefined);
    };
    const mortal = new Proxy(api, {
      get:
        (target, key) =>
        async (...args: unknown[]): Promise<unknown> => {
          if (isDead) return dies();
          if (world.cluster.calls + 1 >= at && !isDone) return dies();
          const call = Reflect.get(target, key) as (...given: unknown[]) => Promise<unknown>;
          const answer = await call(...args);
          return world.cluster.calls >= at ? dies() : answer;
        },
    });
    void change(world, { api: mortal, clock }).then(() => resolve());
  });
}

function randomFrom(seed: number): () => number {
  let state = seed * 2_654_435_761;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
