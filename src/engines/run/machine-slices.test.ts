import { describe, expect, it } from 'vitest';
import { runWorld } from '../../../test/support/run-world.js';
import { machineSlices, processesIn } from './machine-slices.js';

describe('machineSlices', () => {
  it('lists slices that can be used, and GPUs with MIG off, with what is known of them', async () => {
    const world = runWorld('h100:2,rtx-pro-6000:1,t4:1');
    await world.cut(0, '1g.10gb:6', '3g.40gb:0');
    await world.cut(1);
    const slices = await machineSlices(world.driver);
    expect(
      slices.map(({ gpuIndex, model, profile, start, memoryMiB, sizeUnits, gridUnits }) =>
        [gpuIndex, model, profile, start, memoryMiB, `${sizeUnits}/${gridUnits}`].join(' '),
      ),
    ).toEqual([
      '0 h100-80gb-sxm 3g.40gb 0 40448 4/8',
      '0 h100-80gb-sxm 1g.10gb 6 9984 1/8',
      '2 rtx-pro-6000-blackwell-server   97887 12/12',
      '3 t4-16gb   15360 1/1',
    ]);
    expect(slices[0]?.id).toBe(`${world.uuids[0] ?? ''}/3g.40gb:0#${slices[0]?.instanceId ?? ''}`);
    expect(slices[0]?.device).toMatch(/^MIG-/);
    expect(slices[2]).toMatchObject({ id: world.uuids[2], device: world.uuids[2], instanceId: null });
  });

  it('leaves out slices without a compute instance, and GPUs whose mode is to change', async () => {
    const world = runWorld('a100-80gb:1,h100:1');
    await world.cut(1, '1g.10gb:0', '1g.10gb:1');
    const [ampere = '', hopper = ''] = world.uuids;
    const [whole, first] = await machineSlices(world.driver);
    expect(whole?.id).toBe(ampere);
    await world.driver.destroyComputeInstance(hopper, first?.instanceId ?? -1, 0);
    await world.driver.setMigMode(ampere, true);
    expect((await machineSlices(world.driver)).map(({ start }) => start)).toEqual([1]);
  });

  it('throws where the driver does not answer', async () => {
    const world = runWorld('h100:1');
    world.faults.failOn('gpus', 1, 'lost');
    await expect(machineSlices(world.driver)).rejects.toMatchObject({ code: 'driver-failed' });
  });
});

it('processesIn counts those of the slice, and all of a whole GPU', async () => {
  const world = runWorld('h100:2');
  await world.cut(0, '1g.10gb:0', '1g.10gb:1');
  const slices = await machineSlices(world.driver);
  const [first, , whole] = slices;
  if (first === undefined || whole === undefined) throw new Error('no slices');
  await world.machine.addClient(first.gpuUuid, { pid: 7, usedMiB: 1, instanceId: first.instanceId });
  await world.machine.addClient(whole.gpuUuid, { pid: 8, usedMiB: 1, instanceId: null });
  const inside = await processesIn(world.driver, slices);
  expect(slices.map(({ id }) => inside.get(id)?.map(({ pid }) => pid))).toEqual([[7], [], [8]]);
});
