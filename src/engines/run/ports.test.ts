import { expect, it, onTestFinished } from 'vitest';
import { runWorld } from '../../../test/support/run-world.js';
import { hasEnded, isElsewhere } from './ports.js';
import { reclaimGone } from './reclaim.js';
import { leasesOn } from './leases-on.js';
import { watchOf } from './watch.js';

const processes = {
  bootId: () => 'boot',
  isAlive: (pid: number) => pid === 7,
  startOf: (pid: number) => (pid === 7 ? 't7' : null),
};
const self = { pid: 1, startedAt: 't1', bootId: 'boot', pidNamespace: 'pid:[1]' };
const inside = { bootId: 'boot', pidNamespace: 'pid:[2]' };

it('a process of another pid namespace is not taken for one of its number here, nor for dead', () => {
  const ended = (mark: object) =>
    hasEnded({ processes, self }, { pid: 8, startedAt: 't8', bootId: 'boot', ...mark });
  expect(ended({})).toBe(true);
  expect(ended({ pidNamespace: null })).toBe(true);
  expect(ended({ pidNamespace: 'pid:[1]' })).toBe(true);
  expect(ended(inside)).toBe(false);
  expect(ended({ ...inside, pid: 7, startedAt: 't6' })).toBe(false);
  expect(ended({ pid: 7, startedAt: 't6', pidNamespace: 'pid:[1]' })).toBe(true);
  // A boot ends everybody, wherever they were counted.
  expect(ended({ ...inside, bootId: 'before' })).toBe(true);
  const unknown = { pid: 1, startedAt: 't1', bootId: 'boot' };
  expect(hasEnded({ processes, self: unknown }, { pid: 8, startedAt: 't8', ...inside })).toBe(true);
  expect(isElsewhere(unknown, { pid: 8, startedAt: 't8', ...inside })).toBe(false);
});

it('a lease of a holder in a container is taken back after its heartbeats, not by its pid', async () => {
  const world = runWorld('rtx-pro-6000:1');
  onTestFinished(world.close);
  await world.cut(0, '4g.96gb:0');
  const { ports } = world.actor();
  const container = world.actor();
  const holder = { ...container.mark, pid: 99_999, pidNamespace: 'pid:[2]' };
  const wish = { slice: { kind: 'any' }, count: 1, tenant: null, priority: 0 } as const;
  const options = {
    waitMs: 0,
    signal: new AbortController().signal,
    onQueued: () => undefined,
    command: ['x'],
  };
  const taken = await leasesOn({ ...container.ports, self: holder }).acquire(wish, options);
  expect(taken.ok).toBe(true);
  const here = { ...ports, self: { ...ports.self, pidNamespace: 'pid:[1]' } };
  const watch = watchOf(here);
  const leases = () => world.store.read((tables) => tables.leases().length);
  const lookFor = async (ms: number): Promise<void> => {
    for (let lookedMs = 0; lookedMs < ms; lookedMs += 1000) {
      await reclaimGone(here, watch);
      await world.clock.sleep(1000);
    }
  };
  await lookFor(100_000);
  expect(await leases()).toBe(1);
  container.die();
  await lookFor(25_000);
  expect(await leases()).toBe(1);
  await lookFor(40_000);
  expect(await leases()).toBe(0);
});
