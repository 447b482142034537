/** MIG mode through NVML: a call that "succeeds" without effect, cards that reset themselves, machines that cannot. */
import { describe, expect, it } from 'vitest';
import { openNvml } from '#adapters/nvml/driver';
import { requires } from '../tooling/requires.js';
import { openDouble, valueOf, whyNot } from './open-double.js';

const cc = requires('cc');
const off = { current: false, pending: false };
const on = { current: true, pending: true };

describe.skipIf(cc.missing)(cc.title('MIG mode'), () => {
  it('is read from the activation status, since the call itself succeeds', async () => {
    const { machine, driver, uuid } = await openDouble([{ key: 'a100-40gb' }], false);
    machine.setClients([{ pid: 4711, gpu: 0, instanceId: null, memoryMiB: 1 }]);
    expect(await whyNot(driver.setMigMode(uuid, true))).toMatchObject({ kind: 'in-use', code: 19 });
    machine.setClients([]);
    expect(await whyNot(driver.setMigMode(uuid, true))).toMatchObject({ kind: 'reset-required', code: 16 });
    const codes = machine.calls().filter(({ call }) => call === 'nvmlDeviceSetMigMode');
    expect(codes.map(({ code }) => code)).toEqual([0, 0]);
    expect((await valueOf(driver.gpus()))[0]?.mig).toEqual({ current: false, pending: true });
  });

  it('survives a card that resets itself and so voids its handle', async () => {
    const { driver, uuid } = await openDouble([{ key: 'a100-40gb', toggle: 'by-own-reset' }], false);
    expect(await valueOf(driver.setMigMode(uuid, true))).toEqual(on);
    expect(await valueOf(driver.setMigMode(uuid, false))).toEqual(off);
  });

  it('waits for a reboot where the machine cannot reset, as with a passed-through card', async () => {
    const { machine, driver, uuid } = await openDouble([{ key: 'a100-40gb', toggle: 'after-reboot' }], false);
    expect((await whyNot(driver.setMigMode(uuid, true))).kind).toBe('reset-required');
    expect(await whyNot(driver.reset(uuid))).toMatchObject({ kind: 'not-supported', code: 3 });
    machine.reboot();
    expect((await valueOf(driver.gpus()))[0]?.mig).toEqual(on);
  });

  it('is nothing that a card without MIG has', async () => {
    const { driver, uuid } = await openDouble([{ key: 'h100-80gb-sxm', hasMig: false }], false);
    expect((await valueOf(driver.gpus()))[0]?.mig).toBeNull();
    expect((await whyNot(driver.setMigMode(uuid, true))).kind).toBe('not-supported');
    expect((await whyNot(driver.card(uuid))).kind).toBe('not-supported');
    expect(await valueOf(driver.instances(uuid))).toEqual([]);
  });
});

describe.skipIf(cc.missing)(cc.title('a reset'), () => {
  it('puts the library down first, since it is refused while this very process holds the GPU', async () => {
    const { machine, driver, uuid } = await openDouble([{ key: 'h100-80gb-sxm' }, { key: 'a100-40gb' }]);
    const other = machine.uuids[1] ?? '';
    const [reset, ...meanwhile] = await Promise.all([
      driver.reset(uuid),
      ...Array.from({ length: 8 }, () => driver.instances(other)),
    ]);
    expect(reset).toEqual({ ok: true, value: undefined });
    expect(meanwhile.every(({ ok }) => ok)).toBe(true);
    const names = machine.calls().map(({ call }) => call);
    expect(names.filter((name) => name === 'nvmlInit_v2')).toHaveLength(2);
    expect(names.filter((name) => name === 'nvmlShutdown')).toHaveLength(1);
  });

  it('is refused with the words of nvidia-smi while another program holds a GPU', async () => {
    const { machine, driver, uuid } = await openDouble([{ key: 'h100-80gb-sxm' }]);
    machine.setClients([{ pid: 1, gpu: 0, instanceId: null, memoryMiB: 1 }]);
    const why = await whyNot(driver.reset(uuid));
    expect(why).toMatchObject({ kind: 'in-use', code: 19 });
    expect(why.message).toContain('currently in use');
    expect(await valueOf(driver.gpus())).toHaveLength(1);
  });

  it('is not tried where the library does not let go of the GPUs, and works once it does', async () => {
    const { machine, driver, uuid } = await openDouble([{ key: 'h100-80gb-sxm' }]);
    machine.setFaults('fail nvmlShutdown 1 999');
    const why = await whyNot(driver.reset(uuid));
    expect(why).toMatchObject({ kind: 'unknown', code: 999 });
    expect(why.message).toContain('nvmlShutdown');
    expect(machine.calls().filter(({ call }) => call === 'reset')).toEqual([]);
    expect(await driver.reset(uuid)).toEqual({ ok: true, value: undefined });
  });

  it('after which the library does not start at once is done all the same, and the next call tries again', async () => {
    const { machine, driver, uuid } = await openDouble([{ key: 'h100-80gb-sxm' }]);
    machine.setFaults('fail nvmlInit_v2 1 15', 'fail nvmlInit_v2 2 15');
    expect(await driver.reset(uuid)).toEqual({ ok: true, value: undefined });
    expect(await whyNot(driver.gpus())).toMatchObject({ kind: 'lost', code: 15 });
    const both = await Promise.all([driver.gpus(), driver.instances(uuid)]);
    expect(both.every(({ ok }) => ok)).toBe(true);
    // The library counts how often it was opened: once too often, and this process would never let go again.
    expect(await driver.reset(uuid)).toEqual({ ok: true, value: undefined });
  });

  it('says so where there is no nvidia-smi', async () => {
    const { machine, uuid } = await openDouble([{ key: 'h100-80gb-sxm' }]);
    const driver = await openNvml({ libraryPath: machine.libraryPath, smiPath: '/nowhere/nvidia-smi' });
    const why = await whyNot(driver.reset(uuid));
    expect(why).toMatchObject({ kind: 'not-supported', code: null });
    expect(why.message).toContain('/nowhere/nvidia-smi');
    await driver.close();
  });
});
