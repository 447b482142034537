/** Who is on a GPU and what happens on it: processes, memory, Xid events, slow calls, and faults by script. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { systemProcesses } from '#adapters/system/processes';
import { requires } from '../tooling/requires.js';
import type { DoubleClient } from './machine.js';
import { openDouble, valueOf, whyNot } from './open-double.js';

const cc = requires('cc');
const h100 = [{ key: 'h100-80gb-sxm' }];
const [small, half] = [19, 9];

describe.skipIf(cc.missing)(cc.title('processes through NVML'), () => {
  it('have names where the driver knows them, and stand once on the list', async () => {
    const { machine, driver, uuid } = await openDouble(h100);
    const { id } = await valueOf(driver.createGpuInstance(uuid, half, 0));
    await valueOf(driver.createComputeInstance(uuid, id));
    const inside = { gpu: 0, instanceId: id, memoryMiB: 2000 };
    machine.setClients([
      { ...inside, pid: 4711, name: 'python3' },
      { ...inside, pid: 4711, name: 'python3', kind: 'G' },
      { ...inside, pid: 4712, kind: 'M' },
      { pid: 4713, gpu: 0, instanceId: null, memoryMiB: 5, name: 'dcgm' },
    ]);
    expect(await valueOf(driver.processes(uuid))).toEqual([
      { pid: 4711, name: 'python3', usedMiB: 2000, instanceId: id },
      { pid: 4713, name: 'dcgm', usedMiB: 5, instanceId: null },
      { pid: 4712, name: null, usedMiB: 2000, instanceId: id },
    ]);
    expect((await valueOf(driver.instances(uuid)))[0]?.memory).toEqual({ usedMiB: 6012, totalMiB: 40448 });
  });

  it('of instances can be read without privileges, one MIG device after the other', async () => {
    const { machine, driver, uuid } = await openDouble(h100);
    const { id } = await valueOf(driver.createGpuInstance(uuid, half, 0));
    await valueOf(driver.createComputeInstance(uuid, id));
    machine.setClients([{ pid: 4711, gpu: 0, instanceId: id, memoryMiB: 1 }]);
    machine.setSwitches('unprivileged');
    expect(await valueOf(driver.processes(uuid))).toMatchObject([{ pid: 4711, instanceId: id }]);
  });

  it('that are real are there as long as they are, and no other in their place', async () => {
    const { machine, driver, uuid } = await openDouble(h100, false);
    const since = systemProcesses.startOf(process.pid)!;
    const here = { pid: process.pid, gpu: 0, instanceId: null, memoryMiB: 1, live: true };
    const seen = async (client: Partial<DoubleClient>) => {
      machine.setClients([{ ...here, ...client }]);
      return (await valueOf(driver.processes(uuid))).length === 1;
    };
    expect([await seen({}), await seen({ since })]).toEqual([true, true]);
    expect(await seen({ since: `${Number(since) - 1}` })).toBe(false);
    expect(await seen({ pid: 2 ** 30, since })).toBe(false);
    expect(await seen({ pid: 2 ** 30 })).toBe(false);
  });

  it('are all there however many they are', async () => {
    const { machine, driver, uuid } = await openDouble(h100, false);
    const pids = Array.from({ length: 100 }, (_, index) => 5000 + index);
    machine.setClients(pids.map((pid) => ({ pid, gpu: 0, instanceId: null, memoryMiB: 1 })));
    expect((await valueOf(driver.processes(uuid))).map(({ pid }) => pid)).toEqual(pids);
  });
});

describe.skipIf(cc.missing)(cc.title('what a GPU is'), () => {
  it('is read once, and anew after a reset', async () => {
    const { machine, driver, uuid } = await openDouble([...h100, { key: 'a30-24gb' }]);
    const asked = () => machine.calls().filter(({ call }) => call === 'nvmlDeviceGetName').length;
    const gpus = await valueOf(driver.gpus());
    expect(await valueOf(driver.gpus())).toEqual(gpus);
    expect(asked()).toBe(2);
    await valueOf(driver.setMigMode(uuid, false));
    expect((await valueOf(driver.gpus()))[0]?.mig).toEqual({ current: false, pending: false });
    await valueOf(driver.reset(uuid));
    expect(await valueOf(driver.gpus())).toHaveLength(2);
    expect(asked()).toBe(4);
  });
});

describe.skipIf(cc.missing)(cc.title('events and time'), () => {
  it('an Xid is told to whoever waits, with GPU and instance', async () => {
    const { machine, driver, uuid } = await openDouble([...h100, { key: 'a30-24gb' }]);
    expect(await valueOf(driver.nextXid(1))).toBeNull();
    machine.xid(1, 79, null);
    machine.xid(0, 31, 5);
    expect(await valueOf(driver.nextXid(1000))).toEqual({
      gpuUuid: machine.uuids[1],
      xid: 79,
      instanceId: null,
    });
    expect(await valueOf(driver.nextXid(1000))).toEqual({ gpuUuid: uuid, xid: 31, instanceId: 5 });
    expect(await valueOf(driver.nextXid(1))).toBeNull();
  });

  it('every Xid is told once, whether it comes during a wait or between two', async () => {
    const { machine, driver } = await openDouble(h100);
    expect(await valueOf(driver.nextXid(0))).toBeNull();
    const raised = Array.from({ length: 40 }, (_, index) => 1000 + index);
    const told: number[] = [];
    const over = new AbortController();
    const waiting = (async () => {
      for (;;) {
        const isLast = over.signal.aborted;
        const event = await valueOf(driver.nextXid(told.length % 2 === 0 ? 0 : 1));
        if (event !== null) told.push(event.xid);
        else if (isLast) return;
      }
    })();
    for (const xid of raised) await promisify(execFile)(machine.smiPath, ['xid', '0', String(xid), '3']);
    over.abort();
    await waiting;
    expect(told).toEqual(raised);
  });

  it('an Xid from before a GPU was registered is not told', async () => {
    const { machine, driver, uuid } = await openDouble([...h100, { key: 'a30-24gb' }]);
    machine.xid(0, 48, null);
    machine.setFaults('xid nvmlDeviceRegisterEvents 1 0 79 -1', 'xid nvmlDeviceRegisterEvents 2 0 63 -1');
    expect(await valueOf(driver.nextXid(1))).toMatchObject({ gpuUuid: uuid, xid: 63 });
    expect(await valueOf(driver.nextXid(1))).toBeNull();
  });

  it('an Xid is still told after a reset', async () => {
    const { machine, driver, uuid } = await openDouble(h100);
    await driver.nextXid(1);
    await valueOf(driver.reset(uuid));
    const next = driver.nextXid(5000);
    await new Promise((resolve) => setTimeout(resolve, 50));
    machine.xid(0, 63, null);
    expect(await valueOf(next)).toMatchObject({ xid: 63 });
  });

  it('a GPU that fell off the bus hides neither the other GPUs nor their events', async () => {
    const { machine, driver } = await openDouble([...h100, { key: 'a30-24gb' }]);
    machine.setFaults('fail nvmlDeviceGetHandleByIndex_v2 1 15', 'fail nvmlDeviceGetHandleByIndex_v2 3 15');
    expect((await valueOf(driver.gpus())).map(({ index }) => index)).toEqual([1]);
    expect(await valueOf(driver.nextXid(1))).toBeNull();
    machine.xid(1, 94, null);
    expect(await valueOf(driver.nextXid(1000))).toMatchObject({ xid: 94, gpuUuid: machine.uuids[1] });
  });

  it('a GPU that is lost says so once, by its event or without one, and the others are heard', async () => {
    const { machine, driver, uuid } = await openDouble([...h100, { key: 'a30-24gb' }]);
    const fell = { gpuUuid: uuid, xid: 79, instanceId: null };
    expect(await valueOf(driver.nextXid(1))).toBeNull();
    machine.xid(0, 79, null);
    machine.setFaults('fail nvmlDeviceGetUUID 0 15');
    expect(await valueOf(driver.nextXid(1000))).toEqual(fell);
    machine.setFaults('fail nvmlEventSetWait_v2 1 15', 'fail nvmlDeviceRegisterEvents 1 15');
    expect(await valueOf(driver.nextXid(1000))).toEqual(fell);
    machine.xid(1, 94, null);
    expect(await valueOf(driver.nextXid(1000))).toMatchObject({ xid: 94, gpuUuid: machine.uuids[1] });
    machine.setFaults('fail nvmlEventSetWait_v2 1 15');
    expect((await whyNot(driver.nextXid(1))).kind).toBe('lost');
    expect(await valueOf(driver.nextXid(1))).toBeNull();
  });

  it('a slow call leaves the event loop alone', async () => {
    const { machine, driver, uuid } = await openDouble(h100);
    machine.setFaults('delay nvmlDeviceCreateGpuInstanceWithPlacement 0 400');
    let ticks = 0;
    const timer = setInterval(() => ticks++, 10);
    await valueOf(driver.createGpuInstance(uuid, small, 0));
    clearInterval(timer);
    expect(ticks).toBeGreaterThan(10);
  });

  it('whatever comes after the end is refused, not called', async () => {
    const { machine, driver, uuid } = await openDouble(h100);
    await driver.close();
    const before = machine.calls().length;
    expect((await whyNot(driver.instances(uuid))).kind).toBe('lost');
    expect(machine.calls()).toHaveLength(before);
  });
});

describe.skipIf(cc.missing)(cc.title('faults by script'), () => {
  it.each([
    ['fail', 15, 'lost', 0],
    ['fail', 19, 'in-use', 0],
    ['fail', 23, 'no-room', 0],
    ['fail', 999, 'unknown', 0],
    ['fail-after', 999, 'unknown', 1],
  ] as const)('%s with code %i at the second call only', async (kind, code, refusedAs, made) => {
    const { machine, driver, uuid } = await openDouble(h100);
    machine.setFaults(`${kind} nvmlDeviceCreateGpuInstanceWithPlacement 2 ${code}`);
    await valueOf(driver.createGpuInstance(uuid, small, 0));
    const why = await whyNot(driver.createGpuInstance(uuid, small, 1));
    expect(why).toMatchObject({ kind: refusedAs, code });
    expect(why.message).toContain('nvmlDeviceCreateGpuInstanceWithPlacement');
    expect(await valueOf(driver.instances(uuid))).toHaveLength(1 + made);
    await valueOf(driver.createGpuInstance(uuid, small, 2));
  });

  it('a client appears between looking and destroying', async () => {
    const { machine, driver, uuid } = await openDouble(h100);
    const { id } = await valueOf(driver.createGpuInstance(uuid, small, 0));
    const compute = await valueOf(driver.createComputeInstance(uuid, id));
    machine.setFaults(`client nvmlComputeInstanceDestroy 1 4711 0 ${id} 100 C late`);
    expect((await whyNot(driver.destroyComputeInstance(uuid, id, compute.id))).kind).toBe('in-use');
    expect(machine.clients()).toMatchObject([{ pid: 4711, name: 'late' }]);
  });

  it.each([
    ['crash', 0],
    ['crash-after', 1],
  ] as const)('%s ends another process, and its state stays', async (kind, made) => {
    const { machine, driver, uuid } = await openDouble(h100);
    machine.setFaults(`${kind} nvmlDeviceCreateGpuInstanceWithPlacement 1`);
    const script = fileURLToPath(new URL('./create-one.ts', import.meta.url));
    const args = ['--conditions=source', '--import', 'tsx', script, machine.libraryPath, uuid];
    const signal = await new Promise((resolve) => {
      execFile(process.execPath, args, (error) => resolve(error?.signal));
    });
    expect(signal).toBe('SIGABRT');
    expect(await valueOf(driver.instances(uuid))).toHaveLength(made);
    const last = machine.calls().findLast(({ call }) => call === 'nvmlDeviceCreateGpuInstanceWithPlacement');
    expect(last?.code).toBeNull();
    machine.setFaults();
    await valueOf(driver.createGpuInstance(uuid, small, 1));
  });
});
