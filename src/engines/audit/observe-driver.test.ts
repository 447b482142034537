import { describe, expect, it } from 'vitest';
import { contractStartMs, metricsSourceContract, type ContractRow } from '#ports/metrics-source.contract';
import type { Clock } from '#ports/clock';
import type { DriverAnswer, GpuDriver, GpuInfo, GpuInstance, GpuProcess } from '#ports/gpu-driver';
import { VirtualClock } from '../../../test/support/virtual-clock.js';
import { driverSource } from './observe-driver.js';

const minuteMs = 60_000;
const lost: DriverAnswer<never> = {
  ok: false,
  why: { kind: 'lost', message: 'nvmlDeviceGetCount: GPU is lost', code: 15 },
};

function gpuInfo(index: number, migIsOn = false): GpuInfo {
  return {
    ...{ index, uuid: `GPU-${index}`, name: 'NVIDIA H100 80GB HBM3', pciBusId: '00000000:1A:00.0' },
    ...{ pciDeviceId: '2330', pciSubsystemId: null, driverVersion: '580.95.05', vbiosVersion: null },
    ...{ memoryMiB: 81_559, mig: { current: migIsOn, pending: migIsOn } },
  };
}

function process(
  pid: number,
  name: string | null,
  usedMiB: number | null,
  instanceId: number | null = null,
): GpuProcess {
  return { pid, name, usedMiB, instanceId };
}

/** A driver of which only the reading half is asked. */
function driverOf(reading: Pick<GpuDriver, 'gpus' | 'processes' | 'instances'>): GpuDriver {
  const never = () => Promise.reject(new Error('an audit changes nothing'));
  return {
    ...{ kind: 'nvml', card: never, setMigMode: never, reset: never, nextXid: never, close: never },
    ...{ createGpuInstance: never, createComputeInstance: never },
    ...{ destroyComputeInstance: never, destroyGpuInstance: never },
    ...reading,
  };
}

function yes<T>(value: T): Promise<DriverAnswer<T>> {
  return Promise.resolve({ ok: true, value });
}

function request(signal = new AbortController().signal) {
  const window = { startMs: 0, endMs: 1 };
  return { window, owners: { ownersOf: async () => () => null }, progress: () => undefined, signal };
}

metricsSourceContract('driver of this machine', async () => ({
  sourceOf: async (rows) => {
    const clock = new VirtualClock(contractStartMs);
    const at = () => (clock.nowMs() - contractStartMs) / minuteMs;
    const uuids = [...new Set(rows.map(({ gpu }) => gpu))];
    const holders = [...new Set(rows.map(({ holder }) => holder))];
    const forMs = Math.max(...rows.map(({ minute }) => minute)) * minuteMs;
    // Where there is no row, the driver does not answer.
    const driver = driverOf({
      gpus: () =>
        rows.some(({ minute }) => minute === at())
          ? yes(uuids.map((index) => gpuInfo(index)))
          : Promise.resolve(lost),
      instances: () => yes([]),
      processes: (uuid) =>
        yes(
          rows
            .filter((row: ContractRow) => row.minute === at() && `GPU-${row.gpu}` === uuid)
            .map(({ holder, memoryMiB }) =>
              process(100 + holders.indexOf(holder), `/usr/bin/${holder}`, memoryMiB),
            ),
        ),
    });
    return driverSource({ driver, clock, forMs, everyMs: minuteMs });
  },
  broken: async () => {
    const driver = driverOf({
      gpus: async () => lost,
      instances: async () => lost,
      processes: async () => lost,
    });
    return driverSource({ driver, clock: new VirtualClock(), forMs: 0, everyMs: 1000 });
  },
  nameOf: ({ holder }) => holder,
  hasPods: false,
  close: async () => undefined,
}));

const clockOf = (): Clock => new VirtualClock(contractStartMs);

describe('slices', () => {
  const instance = (id: number, usedMiB: number | null): GpuInstance => ({
    ...{ id, profileId: 14, computeInstances: [{ id: 0, uuid: null }] },
    placement: { profile: '2g.20gb', start: id, size: 2 },
    memory: usedMiB === null ? null : { usedMiB, totalMiB: 19_968 },
  });

  it('have the memory of their processes, or their own where one process does not tell', async () => {
    const driver = driverOf({
      gpus: () => yes([gpuInfo(0, true)]),
      instances: () => yes([instance(1, 4000), instance(2, 9000), instance(3, 10), instance(4, 8000)]),
      processes: () =>
        yes([
          process(1, 'told', 3900, 1),
          process(2, 'alone', null, 2),
          process(3, 'one', null, 4),
          process(4, 'two', null, 4),
        ]),
    });
    const observation = await driverSource({ driver, clock: clockOf(), forMs: 0, everyMs: 1000 }).observe(
      request(),
    );
    expect(observation.workloads.map(({ workload, memory }) => [workload, memory?.max ?? null])).toEqual([
      ['alone', 9000],
      ['one', null],
      ['told', 3900],
      ['two', null],
    ]);
    expect(observation.gpus).toMatchObject([{ model: 'h100-80gb-sxm', index: 0 }]);
    expect(observation.gpus[0]!.slices.map(({ instanceId }) => instanceId)).toEqual([1, 2, 3, 4]);
    expect(observation.notes.join('\n')).toMatch(/theirs is not known/);
  });
});

describe('idle machine', () => {
  it('has devices of nobody, without a figure', async () => {
    const driver = driverOf({
      gpus: () => yes([gpuInfo(0)]),
      instances: () => yes([]),
      processes: () => yes([]),
    });
    const source = driverSource({ driver, host: 'vm-1', clock: clockOf(), forMs: 5000, everyMs: 1000 });
    const { workloads, gpus } = await source.observe(request());
    expect(workloads).toMatchObject([{ workload: 'vm-1/gpu-0', memory: null, activity: [] }]);
    expect(gpus).toMatchObject([{ heldSamples: 0, freeSamples: 6 }]);
  });
});

describe('a GPU that fails now and then', () => {
  it('is a gap and a note', async () => {
    let asked = 0;
    const driver = driverOf({
      gpus: () => yes([gpuInfo(0), gpuInfo(1)]),
      instances: () => yes([]),
      processes: (uuid) => {
        asked += 1;
        return uuid === 'GPU-1' && asked > 10 && asked < 15
          ? Promise.resolve(lost)
          : yes([process(7, 'x', 500)]);
      },
    });
    const source = driverSource({ driver, clock: clockOf(), forMs: 9000, everyMs: 1000 });
    const { notes, workloads } = await source.observe(request());
    expect(notes[0]).toBe('gpu-1 could not be read 2 of 10 times: nvmlDeviceGetCount: GPU is lost.');
    expect(workloads[0]?.memory?.samples).toBe(18);
  });
});
