import { expect, it, onTestFinished } from 'vitest';
import { runWorld } from '../../../test/support/run-world.js';
import { clearOut, endMarked } from './clear-out.js';
import { machineSlices } from './machine-slices.js';

async function bed() {
  const world = runWorld('rtx-pro-6000:1');
  onTestFinished(world.close);
  await world.cut(0, '4g.96gb:0');
  const slices = await machineSlices(world.driver);
  const actor = world.actor();
  const startMs = world.clock.nowMs();
  return { world, actor, ports: actor.ports, slices, tookMs: () => world.clock.nowMs() - startMs };
}

it('what left its group is ended by its lease where the slice shows it', async () => {
  const { world, actor, ports, slices, tookMs } = await bed();
  const group = await actor.gate(slices[0]!);
  const escaped = await actor.start(slices[0]!);
  world.escape(escaped, 'lease-7');
  await world.end(group);
  expect(await clearOut(ports, [group], slices, 'lease-7')).toEqual([]);
  expect(world.isAlive(escaped)).toBe(false);
  expect(tookMs()).toBeLessThan(1000);
});

it('where a group had to be ended, what left it is looked for though the GPU is empty', async () => {
  const { world, actor, ports, slices } = await bed();
  const [group, escaped] = [await actor.gate(slices[0]!), await actor.gate(slices[0]!, 'stubborn')];
  world.escape(escaped, 'lease-7');
  expect(await clearOut(ports, [group], slices, 'lease-7')).toEqual([]);
  expect([group, escaped].map(world.isAlive)).toEqual([false, false]);
});

it('nobody looks at all processes after a job that ended, or without a lease', async () => {
  const { world, actor, ports, slices } = await bed();
  let looks = 0;
  const counting = {
    ...ports,
    runner: { ...ports.runner, marked: () => ((looks += 1), []) },
  };
  const [group, other] = [await actor.gate(slices[0]!), await actor.gate(slices[0]!)];
  await world.end(group);
  expect(await clearOut(counting, [group], slices, 'lease-7')).toEqual([]);
  expect(await clearOut(counting, [other], slices)).toEqual([]);
  expect(looks).toBe(0);
});

it('where the lease ends, all that was started under it is looked for', async () => {
  const { world, actor, ports, slices } = await bed();
  const [group, escaped] = [await actor.gate(slices[0]!), await actor.gate(slices[0]!)];
  world.escape(escaped, 'lease-7');
  await world.end(group);
  expect(await clearOut(ports, [group], slices, 'lease-7')).toEqual([]);
  expect(world.isAlive(escaped)).toBe(true);
  expect(await clearOut(ports, [], slices, 'lease-7', { isLast: true })).toEqual([]);
  expect(world.isAlive(escaped)).toBe(false);
});

it('a clock that is turned back meanwhile keeps nobody waiting', async () => {
  const { world, actor, ports, slices, tookMs } = await bed();
  const group = await actor.gate(slices[0]!, 'stubborn');
  let backMs = 0;
  world.clock.in(1000, () => (backMs = 3_600_000));
  const { nowMs } = ports.clock;
  const clock = { ...ports.clock, nowMs: () => nowMs() - backMs };
  expect(await clearOut({ ...ports, clock }, [group], slices, 'lease-7')).toEqual([]);
  expect(world.isAlive(group)).toBe(false);
  expect(tookMs()).toBeLessThan(60_000);
});

it('another lease is left alone, and what cannot be ended is told', async () => {
  const { world, actor, ports, slices } = await bed();
  const [mine, others] = [await actor.gate(slices[0]!, 'undying'), await actor.gate(slices[0]!)];
  world.escape(mine, 'lease-7');
  world.escape(others, 'lease-77');
  expect(await endMarked(ports, 'lease-7')).toEqual([mine]);
  expect(world.isAlive(others)).toBe(true);
  const group = await actor.gate(slices[0]!);
  expect(await clearOut(ports, [group], slices, 'lease-7')).toEqual([
    { slice: slices[0]!.id, why: `process ${mine.pid} cannot be ended` },
  ]);
});
