/** Profiles from the driver alone, in every version of its answer, for every model of the catalogue. */
import { describe, expect, it } from 'vitest';
import { computedName } from '#adapters/nvml/profiles';
import { migModels } from '#core/catalogue/catalogue';
import { requires } from '../tooling/requires.js';
import { openDouble, valueOf, whyNot } from './open-double.js';

const cc = requires('cc');

describe('a name that the driver does not give', () => {
  const known = migModels().flatMap(({ key, memoryMiB, profiles }) =>
    profiles.flatMap((profile) =>
      memoryMiB === null || profile.memoryMiB === null ? [] : [{ key, totalMiB: memoryMiB, profile }],
    ),
  );

  it.each(known)('$key $profile.name', ({ totalMiB, profile }) => {
    const { computeSlices, memoryMiB, attribute } = profile;
    expect(computedName(computeSlices, memoryMiB ?? 0, totalMiB, attribute)).toBe(profile.name);
  });
});

describe.skipIf(cc.missing)(cc.title('profiles through NVML'), () => {
  it.each(migModels().map(({ key }) => key))('of %s are those of the catalogue', async (key) => {
    const { driver, uuid } = await openDouble([{ key }]);
    const model = migModels().find((one) => one.key === key);
    const card = await valueOf(driver.card(uuid));
    const shape = ({ name, id, nvmlEnum, sizeUnits, starts, attribute }: (typeof card.profiles)[number]) => ({
      name,
      id,
      nvmlEnum,
      sizeUnits,
      starts,
      attribute,
    });
    const byEnum = [...(model?.profiles ?? [])].sort((a, b) => a.nvmlEnum - b.nvmlEnum);
    expect(card.gridUnits).toBe(model?.gridUnits);
    expect(card.profiles.map(shape)).toEqual(byEnum.map(shape));
  });

  it.each([
    ['version 2', ['only-v2'], []],
    ['version 1, without names', [], ['fail nvmlDeviceGetGpuInstanceProfileInfoV 0 13']],
    ['version 1 of memory', [], ['fail nvmlDeviceGetMemoryInfo_v2 0 13']],
  ] as const)('are the same from a driver that has only %s', async (_, switches, faults) => {
    const { machine, driver, uuid } = await openDouble([{ key: 'rtx-pro-6000-blackwell-server' }]);
    machine.setSwitches(...switches);
    machine.setFaults(...faults);
    const names = (await valueOf(driver.card(uuid))).profiles.map(({ name }) => name);
    expect(names).toContain('1g.24gb+me.all');
    expect(names).toContain('2g.48gb-me');
    expect(names).toHaveLength(11);
    expect((await valueOf(driver.gpus()))[0]?.memoryMiB).toBe(97887);
  });

  it('are not listed by drivers that wait for MIG', async () => {
    const { machine, driver, uuid } = await openDouble([{ key: 'a30-24gb', listsWithMigOff: false }], false);
    expect((await whyNot(driver.card(uuid))).kind).toBe('not-supported');
    machine.setMode(0, true);
    expect((await valueOf(driver.card(uuid))).profiles).toHaveLength(5);
  });

  it('may be forbidden to read', async () => {
    const { machine, driver, uuid } = await openDouble([{ key: 'a30-24gb' }]);
    machine.setSwitches('no-monitor');
    expect((await whyNot(driver.card(uuid))).kind).toBe('no-permission');
    expect((await whyNot(driver.instances(uuid))).kind).toBe('no-permission');
  });

  it('of compute instances are asked for once, and never kept from an instance that went meanwhile', async () => {
    const { machine, driver, uuid } = await openDouble([{ key: 'h100-80gb-sxm' }]);
    const asked = () =>
      machine.calls().filter(({ call }) => call === 'nvmlGpuInstanceGetComputeInstanceProfileInfo').length;
    const { id } = await valueOf(driver.createGpuInstance(uuid, 9, 0));
    await valueOf(driver.createComputeInstance(uuid, id));
    const first = asked();
    expect(first).toBeGreaterThan(0);
    for (let times = 0; times < 3; times += 1) await valueOf(driver.instances(uuid));
    expect(asked()).toBe(first);

    await valueOf(driver.createGpuInstance(uuid, 19, 4));
    machine.setFaults(
      'fail nvmlGpuInstanceGetComputeInstanceProfileInfo 1 2',
      'fail nvmlGpuInstanceGetInfo 2 2',
    );
    expect(await valueOf(driver.instances(uuid))).toHaveLength(2);
    const { id: small } = (await valueOf(driver.instances(uuid))).find(
      ({ placement }) => placement.start === 4,
    )!;
    expect(asked()).toBeGreaterThan(first + 1);
    expect(await valueOf(driver.createComputeInstance(uuid, small))).toMatchObject({ id: 0 });
    expect((await valueOf(driver.instances(uuid))).every((one) => one.computeInstances.length === 1)).toBe(
      true,
    );
  });
});
