/** Who held which device, and when. */
import { expect, it } from 'vitest';
import { Collector } from './collector.js';
import type { Device } from './observation.js';

const minute = 60_000;
const start = 1_763_856_000_000;
const at = (minutes: number) => start + minutes * minute;

function gpu(index: number, slice: Device['slice'] = null): Device {
  return { host: 'n', gpuUuid: `GPU-${index}`, gpuIndex: index, productName: null, model: null, slice };
}

it('names the workloads of each card and each slice, with the times of all their pods', () => {
  const collector = new Collector();
  const add = (device: Device, pod: string | null, ...minutes: readonly number[]): void => {
    const holder =
      pod === null
        ? ({ kind: 'nobody' } as const)
        : ({ kind: 'pod', namespace: 'ml', pod, container: null } as const);
    const handle = collector.series(device, holder);
    for (const step of minutes) collector.add(handle, 'memory', at(step), 1000);
  };
  add(gpu(0), 'bert-1', 0, 1, 2);
  add(gpu(0), 'rank-1', 60, 61);
  add(gpu(0), 'bert-2', 120, 121);
  add(gpu(1), null, 0, 1);
  add(gpu(2, { instanceId: 5, profile: '1g.10gb' }), 'bert-3', 0, 1);
  add(gpu(2, { instanceId: 7, profile: '1g.10gb' }), 'rank-2', 0, 1);
  const { gpus } = collector.finish(({ pod }) => ({
    kind: 'Deployment',
    name: pod.split('-')[0] ?? '',
    via: 'api',
  }));
  const span = (from: number, to: number) => ({ startMs: at(from), endMs: at(to) });
  const held = (workload: string, ...spans: readonly ReturnType<typeof span>[]) => ({
    ...{ workload, namespace: 'ml', owner: { kind: 'Deployment', name: workload, via: 'api' } },
    spans,
  });
  expect(gpus.map(({ holders, slices }) => [holders, slices.map((slice) => slice.holders)])).toEqual([
    [[held('bert', span(0, 2), span(120, 121)), held('rank', span(60, 61))], []],
    // It used memory, so somebody was there.
    [[{ workload: 'n/gpu-1', namespace: null, owner: null, spans: [span(0, 1)] }], []],
    [[], [[held('bert', span(0, 1))], [held('rank', span(0, 1))]]],
  ]);
});
