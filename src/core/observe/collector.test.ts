/** The traps of GPU metrics, each with its example. Long, since there are many, and all are told in the same few words. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Collector } from './collector.js';
import type { Device, Holder, ObservedWorkload, Owner } from './observation.js';
import { statsOf } from './stats.js';

const minute = 60_000;
const start = 1_763_856_000_000;
const at = (minutes: number) => start + minutes * minute;

function gpu(index: number, more: Partial<Device> = {}): Device {
  const host = 'node-1';
  return {
    ...{ host, gpuUuid: `GPU-${index}`, gpuIndex: index, productName: 'NVIDIA A100-SXM4-80GB' },
    ...{ model: 'a100-80gb-sxm', slice: null },
    ...more,
  };
}

function slice(index: number, instanceId: number, profile = '2g.20gb'): Device {
  return gpu(index, { slice: { instanceId, profile } });
}

function pod(name: string, container = 'main'): Holder {
  return { kind: 'pod', namespace: 'ml', pod: name, container };
}

const nobody: Holder = { kind: 'nobody' };
const noOwner = () => null;
const ownerBefore =
  (separator: string) =>
  ({ pod: name }: { pod: string }): Owner => ({
    kind: 'Deployment',
    name: name.split(separator)[0]!,
    via: 'api',
  });

function only(workloads: readonly ObservedWorkload[]): ObservedWorkload {
  expect(workloads).toHaveLength(1);
  return workloads[0]!;
}

describe('figures', () => {
  it('are over all samples of all pods of one owner', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.nat(80_000), { minLength: 1 }), { minLength: 1, maxLength: 5 }),
        (pods) => {
          const collector = new Collector();
          pods.forEach((values, index) => {
            const handle = collector.series(gpu(index), pod(`bert-${index}`));
            values.forEach((value, step) => collector.add(handle, 'memory', at(step), value));
          });
          const workload = only(collector.finish(ownerBefore('-')).workloads);
          expect(workload.memory).toEqual(statsOf(pods.flat().sort((a, b) => a - b)));
          expect(workload).toMatchObject({ workload: 'bert', namespace: 'ml', owner: { via: 'api' } });
          expect(workload.replicas).toEqual({ seen: pods.length, atOnce: pods.length });
        },
      ),
    );
  });

  it('keep namespaces and kinds of owner apart', () => {
    const collector = new Collector();
    for (const namespace of ['a', 'b']) {
      const handle = collector.series(gpu(0), { kind: 'pod', namespace, pod: 'bert', container: null });
      collector.add(handle, 'memory', at(0), 5);
    }
    expect(collector.finish(noOwner).workloads.map((one) => one.namespace)).toEqual(['a', 'b']);
  });

  it('of activity are per metric and kind of device', () => {
    const collector = new Collector();
    const whole = collector.series(gpu(0), pod('x-1'));
    const cut = collector.series(slice(1, 5), pod('x-2'));
    for (let step = 0; step < 10; step += 1) {
      collector.add(whole, 'gr-engine', at(step), step / 10);
      collector.add(whole, 'utilization-percent', at(step), step * 10);
      collector.add(cut, 'sm-active', at(step), 0.5);
      if (step < 3) collector.add(cut, 'gr-engine', at(step), 0.1);
    }
    const workload = only(collector.finish(ownerBefore('-')).workloads);
    const found = workload.activity.map(({ metric, profile, samples, stats }) => [
      metric,
      profile,
      samples,
      stats.max,
    ]);
    expect(found).toEqual([
      ['gr-engine', null, 10, 0.9],
      ['utilization', null, 10, 0.9],
      ['sm-active', '2g.20gb', 10, 0.5],
      ['gr-engine', '2g.20gb', 3, 0.1],
    ]);
    expect(workload.memory).toBeNull();
    expect(workload.devices.map(({ profile, samples }) => [profile, samples])).toEqual([
      [null, 10],
      ['2g.20gb', 10],
    ]);
  });

  it('named ratio are percent where any of them is 2 or more', () => {
    const maxOf = (values: readonly number[]) => {
      const collector = new Collector();
      const handle = collector.series(gpu(0), pod('x'));
      values.forEach((value, step) => collector.add(handle, 'utilization-any', at(step), value));
      return only(collector.finish(noOwner).workloads).activity[0]?.stats.max;
    };
    expect(maxOf([0, 1, 47])).toBe(0.47);
    expect(maxOf([0, 0.2, 1.0])).toBe(1);
    expect(maxOf([0.2, 1.003])).toBe(1);
  });
});

describe('trap: absent is not 0', () => {
  it('where only activity was exported', () => {
    const collector = new Collector();
    collector.add(collector.series(slice(0, 3), pod('x')), 'gr-engine', at(0), 0.9);
    expect(only(collector.finish(noOwner).workloads).memory).toBeNull();
  });

  it('where every value was a sentinel: the workload is there, without figures', () => {
    const collector = new Collector();
    const handle = collector.series(gpu(0), pod('x'));
    for (const raw of ['9223372036854775794', 'ERROR - FAILED TO CONVERT TO STRING', NaN, -1]) {
      expect(collector.add(handle, 'memory', at(0), raw)).toBe(false);
    }
    const observed = collector.finish(noOwner);
    const dropped = { sentinel: 1, text: 1, notFinite: 1, negative: 1 };
    expect(only(observed.workloads)).toMatchObject({ memory: null, activity: [], dropped });
    expect(observed.dropped).toEqual(dropped);
  });
});

describe('trap: rows of slices', () => {
  it('join on the exact instance of the exact card: 5 is not 15, and two hosts have a GPU 0 each', () => {
    const collector = new Collector();
    const holders = [
      collector.series(slice(0, 5), pod('a')),
      collector.series(slice(0, 15), pod('a')),
      collector.series({ ...slice(0, 5), host: 'node-2' }, pod('a')),
      collector.series(slice(0, 5), pod('a')),
    ];
    expect(new Set(holders).size).toBe(3);
    expect(holders[3]).toBe(holders[0]);
  });

  it('stand beside rows of their whole card: those are left out, before or after them in a scrape', () => {
    const collector = new Collector();
    const whole = collector.series(gpu(0), nobody);
    const [a, b] = [collector.series(slice(0, 1), pod('a')), collector.series(slice(0, 2), pod('b'))];
    for (let step = 0; step < 4; step += 1) {
      const rows = [
        [whole, 30_000],
        [a, 18_000],
        [b, 12_000],
      ] as const;
      for (const [handle, value] of step % 2 === 0 ? rows : [...rows].reverse()) {
        collector.add(handle, 'memory', at(step), value);
      }
    }
    const { workloads, gpus, notes } = collector.finish(noOwner);
    expect(workloads.map(({ workload, memory }) => [workload, memory?.max])).toEqual([
      ['a', 18_000],
      ['b', 12_000],
    ]);
    expect(gpus).toMatchObject([
      { index: 0, heldSamples: 4, freeSamples: 0, slices: [{ instanceId: 1 }, { instanceId: 2 }] },
    ]);
    expect(notes).toHaveLength(1);
    expect(notes[0]).toMatch(/1 GPU rows of the whole card/);
  });

  it('hide the whole card also where the slice has no memory figure: then nothing is known of it', () => {
    const collector = new Collector();
    collector.add(collector.series(gpu(0), pod('a')), 'memory', at(0), 4845);
    collector.add(collector.series(slice(0, 13, '1g.5gb'), pod('a')), 'gr-engine', at(0), 0.99);
    expect(only(collector.finish(noOwner).workloads)).toMatchObject({
      memory: null,
      devices: [{ profile: '1g.5gb', samples: 1 }],
    });
  });

  it('do not hide the whole card of another time, before MIG was switched on', () => {
    const collector = new Collector();
    collector.add(collector.series(gpu(0), pod('a')), 'memory', at(0), 4000);
    collector.add(collector.series(slice(0, 1), pod('a')), 'memory', at(1), 5000);
    const workload = only(collector.finish(noOwner).workloads);
    expect(workload.memory?.samples).toBe(2);
    expect(workload.devicesAtOnce).toEqual({ gpus: 1, slices: 1 });
  });
});

describe('trap: time-slicing shows each pod the figures of the whole device', () => {
  const share = (figures: readonly (readonly [number, number])[]) => {
    const collector = new Collector();
    const [a, b] = [collector.series(gpu(0), pod('a')), collector.series(gpu(0), pod('b'))];
    figures.forEach(([one, other], step) => {
      collector.add(a, 'memory', at(step), one);
      collector.add(b, 'memory', at(step), other);
    });
    return collector.finish(noOwner).workloads.map(({ shared }) => shared);
  };

  it('equal values at equal times are counted', () => {
    expect(
      share([
        [900, 900],
        [901, 901],
        [905, 905],
      ]),
    ).toEqual([
      { samples: 3, identical: 3, others: ['b'] },
      { samples: 3, identical: 3, others: ['a'] },
    ]);
  });

  it('different values are use by several, and believed', () => {
    expect(
      share([
        [900, 100],
        [901, 105],
      ]),
    ).toMatchObject([
      { samples: 2, identical: 0 },
      { samples: 2, identical: 0 },
    ]);
  });

  it('one after the other is no sharing, nor are two slices of one card', () => {
    const collector = new Collector();
    collector.add(collector.series(gpu(0), pod('a')), 'memory', at(0), 900);
    collector.add(collector.series(gpu(0), pod('b')), 'memory', at(1), 900);
    for (const instance of [1, 2]) {
      collector.add(collector.series(slice(1, instance), pod(`s${instance}`)), 'memory', at(2), 900);
    }
    for (const { shared } of collector.finish(noOwner).workloads) {
      expect(shared).toEqual({ samples: 0, identical: 0, others: [] });
    }
  });

  it('is said to be unknown where samples of a shared card are not in the order of time', () => {
    const collector = new Collector();
    for (const name of ['a', 'b']) {
      const handle = collector.series(gpu(0), pod(name));
      for (const step of [3, 0, 1]) collector.add(handle, 'memory', at(step), 7);
    }
    expect(collector.finish(noOwner).notes.join()).toMatch(/not in the order of time/);
  });

  it.each([
    ['pods', [gpu(0), pod('a')], [gpu(0), pod('b')], 1],
    ['slices and their whole card', [gpu(0), pod('a')], [slice(0, 1), pod('a')], 1],
    ['cards', [gpu(0), pod('a')], [gpu(1), pod('b')], 0],
  ] as const)(
    'is said to be unknown where a file has one after the other of its %s',
    (_, one, other, notes) => {
      const collector = new Collector();
      for (const [device, holder] of [one, other]) {
        const handle = collector.series(device, holder);
        for (const step of [0, 1, 2]) collector.add(handle, 'memory', at(step), 900);
      }
      const said = collector.finish(noOwner).notes.filter((note) => note.includes('order of time'));
      expect(said).toHaveLength(notes);
    },
  );

  it('is known where activity comes after all of the memory', () => {
    const collector = new Collector();
    const handles = [pod('a'), pod('b')].map((holder) => collector.series(gpu(0), holder));
    for (const reading of ['memory', 'sm-active'] as const) {
      for (const step of [0, 1]) for (const handle of handles) collector.add(handle, reading, at(step), 0.5);
    }
    expect(collector.finish(noOwner).notes).toEqual([]);
  });
});

describe('trap: gaps, restarts and clocks', () => {
  const coverageOf = (minutes: readonly number[]) => {
    const collector = new Collector();
    const handle = collector.series(gpu(0), pod('a'));
    for (const step of minutes) collector.add(handle, 'memory', at(step), 1);
    return only(collector.finish(noOwner).workloads);
  };
  const upTo = (count: number) => Array.from({ length: count }, (_, index) => index);

  it('regular samples have no gap', () => {
    expect(coverageOf(upTo(100)).coverage).toEqual({
      ...{ firstMs: at(0), lastMs: at(99), everyMs: minute },
      ...{ missingMs: 0, largestGapMs: 0, backwards: 0 },
    });
  });

  it('missing ones are counted', () => {
    const { coverage } = coverageOf(upTo(100).filter((step) => step !== 10 && (step < 40 || step >= 60)));
    expect(coverage).toMatchObject({ missingMs: 21 * minute, largestGapMs: 21 * minute, everyMs: minute });
  });

  it('a clock that jumps back is counted, and loses nothing', () => {
    const { coverage, memory } = coverageOf([...upTo(50), ...upTo(50).map((step) => step + 20)]);
    expect(coverage).toMatchObject({ backwards: 1, firstMs: at(0), lastMs: at(69) });
    expect(memory?.samples).toBe(100);
  });

  it('late scrapes do not hide the usual distance', () => {
    const jittered = upTo(1000).map((step) => step + ((step * 7919) % 1000) / 8000);
    const { coverage } = coverageOf(jittered);
    expect(Math.abs((coverage.everyMs ?? 0) - minute)).toBeLessThan(minute / 8);
    expect(coverage.missingMs).toBe(0);
  });

  it('pods that replace each other are several in all and one at a time', () => {
    const collector = new Collector();
    for (const name of ['bert-a', 'bert-b', 'bert-c']) {
      const handle = collector.series(gpu(0), pod(name));
      const first = (name.charCodeAt(5) - 97) * 10;
      for (let step = 0; step < 10; step += 1) collector.add(handle, 'memory', at(first + step), 7);
    }
    expect(only(collector.finish(ownerBefore('-')).workloads)).toMatchObject({
      replicas: { seen: 3, atOnce: 1 },
      devicesAtOnce: { gpus: 1, slices: 0 },
      coverage: { missingMs: 0 },
    });
  });
});

describe('trap: a pod that used several GPUs', () => {
  it('at once', () => {
    const collector = new Collector();
    for (let step = 0; step < 5; step += 1) {
      for (const index of [0, 1, 2, 3]) {
        for (const container of ['a', 'b']) {
          collector.add(collector.series(gpu(index), pod('train', container)), 'memory', at(step), 7);
        }
      }
    }
    expect(only(collector.finish(noOwner).workloads).devicesAtOnce).toEqual({ gpus: 4, slices: 0 });
  });

  it('one after the other, back and forth', () => {
    const collector = new Collector();
    for (let step = 0; step < 300; step += 1) {
      const index = Math.floor(step / 60) % 2;
      collector.add(collector.series(gpu(index), pod('web-0')), 'memory', at(step), 7);
    }
    const { devicesAtOnce, replicas } = only(collector.finish(noOwner).workloads);
    expect(devicesAtOnce).toEqual({ gpus: 1, slices: 0 });
    expect(replicas).toEqual({ seen: 1, atOnce: 1 });
  });
});

describe('devices of nobody', () => {
  it('are workloads of their own where nobody is named at all', () => {
    const collector = new Collector();
    collector.add(collector.series(gpu(1), nobody), 'memory', at(0), 2);
    collector.add(collector.series(slice(0, 5), nobody), 'memory', at(0), 10);
    const { workloads, notes } = collector.finish(noOwner);
    expect(workloads.map(({ workload }) => workload)).toEqual(['node-1/gpu-0/gi-5', 'node-1/gpu-1']);
    expect(notes).toEqual([]);
  });

  it('are left out beside named ones, unless somebody must have been there', () => {
    const collector = new Collector();
    collector.add(collector.series(gpu(0), pod('a')), 'memory', at(0), 4000);
    collector.add(collector.series(gpu(1), nobody), 'memory', at(0), 2);
    collector.add(collector.series(gpu(2), nobody), 'memory', at(0), 9000);
    const { workloads, notes, gpus } = collector.finish(noOwner);
    expect(workloads.map(({ workload }) => workload)).toEqual(['node-1/gpu-2', 'a']);
    expect(notes).toEqual([
      'Memory was in use while nobody was named for it (pod labels are missing) on node-1/gpu-2.',
    ]);
    expect(gpus.map(({ heldSamples, freeSamples }) => [heldSamples, freeSamples])).toEqual([
      [1, 0],
      [0, 1],
      [0, 1],
    ]);
  });
});

it('says the same whatever the order of the rows of one time', () => {
  const rows = [
    [slice(0, 1, '1g.10gb'), pod('job')],
    [slice(0, 2), pod('job-1')],
    [gpu(1), pod('job-2')],
    [gpu(3), nobody],
    [gpu(2), nobody],
  ] as const;
  const observed = (ordered: readonly (typeof rows)[number][]) => {
    const collector = new Collector();
    for (const [device, holder] of ordered) {
      collector.add(collector.series(device, holder), 'memory', at(0), 900);
      collector.add(collector.series(device, holder), 'sm-active', at(0), 0.5);
    }
    // A pod without an owner, and a Deployment of its name.
    return collector.finish((named) => (named.pod === 'job' ? null : ownerBefore('-')(named)));
  };
  expect(observed([...rows].reverse())).toEqual(observed(rows));
});

describe('named workloads', () => {
  const nowhere: Device = { ...gpu(0), host: null, gpuUuid: null, gpuIndex: null };
  const named = (workload: string, podName: string | null = null): Holder => ({
    ...{ kind: 'named', workload, namespace: null, pod: podName },
  });

  it('have as many replicas as rows of one time, where nothing tells them apart', () => {
    const collector = new Collector();
    const handle = collector.series(nowhere, named('bert'));
    for (const step of [0, 0, 0, 1, 1, 2]) collector.add(handle, 'memory', at(step), 7);
    expect(only(collector.finish(noOwner).workloads).replicas).toEqual({ seen: 3, atOnce: 3 });
  });

  it('have the replicas that the pods tell', () => {
    const collector = new Collector();
    for (const name of ['a', 'b'])
      collector.add(collector.series(nowhere, named('bert', name)), 'memory', at(0), 7);
    expect(only(collector.finish(noOwner).workloads).replicas).toEqual({ seen: 2, atOnce: 2 });
  });
});

describe('processes', () => {
  it('go by the name of their program', () => {
    const collector = new Collector();
    const names = ['/opt/env/bin/python3 train.py --out x', '/usr/bin/python3'];
    names.forEach((name, pid) =>
      collector.add(collector.series(gpu(pid), { kind: 'process', pid, name }), 'memory', at(0), 7),
    );
    expect(only(collector.finish(noOwner).workloads)).toMatchObject({
      workload: 'python3',
      replicas: { seen: 2 },
    });
  });
});

describe('figures that a server made', () => {
  const coverage = {
    firstMs: at(0),
    lastMs: at(9),
    everyMs: minute,
    missingMs: 0,
    largestGapMs: 0,
    backwards: 0,
  };
  const stats = { ...statsOf([1, 2, 3])!, top: null };
  const timeline = { startMs: at(0), stepMs: minute, max: [1, 2, 3] };

  it('stand as they are', () => {
    const collector = new Collector();
    const handle = collector.series(gpu(0), pod('a'));
    const activity = [{ metric: 'gr-engine' as const, stats }];
    collector.addFinished(handle, { memory: { stats, timeline }, activity, coverage });
    const { workloads, gpus, window } = collector.finish(noOwner);
    expect(only(workloads)).toMatchObject({
      memory: stats,
      timeline,
      coverage,
      activity: [{ metric: 'gr-engine', stats }],
    });
    expect(gpus[0]).toMatchObject({ heldSamples: 3 });
    expect(window).toEqual({ startMs: at(0), endMs: at(9) });
  });

  it('cannot be joined with samples', () => {
    const collector = new Collector();
    const handle = collector.series(gpu(0), pod('a'));
    collector.addFinished(handle, { memory: { stats, timeline }, activity: [], coverage });
    collector.add(collector.series(gpu(1), pod('a')), 'memory', at(0), 1);
    expect(() => collector.finish(noOwner)).toThrow(/cannot be joined/);
  });
});

it('asks for the owners of pods once each', () => {
  const collector = new Collector();
  for (const index of [0, 1]) collector.series(gpu(index), pod('a'));
  collector.series(gpu(2), nobody);
  expect(collector.pods()).toEqual([{ namespace: 'ml', pod: 'a' }]);
});

it('has the largest memory figure of each stretch of time, over all pods', () => {
  const collector = new Collector();
  for (const [index, offset] of [
    [0, 0],
    [1, 100],
  ] as const) {
    const handle = collector.series(gpu(index), pod(`x-${index}`));
    for (const step of [0, 1, 3]) collector.add(handle, 'memory', at(step), step + offset);
  }
  expect(only(collector.finish(ownerBefore('-')).workloads).timeline).toEqual({
    startMs: at(0),
    stepMs: minute,
    max: [100, 101, null, 103],
  });
});
