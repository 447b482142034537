/** A week of 64 GPUs in a real Prometheus: what the source makes of it is the truth for every workload. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { prometheusSource, type PrometheusSource } from '#adapters/prometheus/source';
import { systemClock } from '#adapters/system/clock';
import type { Observation, ObservedWorkload } from '#core/observe/observation';
import type { Stats } from '#core/observe/stats';
import { firstThatKnows, ownersFromNames } from '#engines/audit/pod-owners';
import { requires } from '../tooling/requires.js';
import { blocksOf } from './blocks.js';
import { everyMs, minutes, window } from './fleet.js';
import { weekOfFleet } from './series.js';
import { startPrometheus, type RunningPrometheus } from './server.js';
import { truth, type TrueStats, type TrueWorkload } from './truth.js';

const prometheus = requires('prometheus');

describe.skipIf(prometheus.missing)(prometheus.title('a week of 64 GPUs in a Prometheus'), () => {
  let server: RunningPrometheus;
  let opened: PrometheusSource;
  let seen: Observation;
  const progress: (number | null)[] = [];
  const expected = truth();

  beforeAll(async () => {
    server = await startPrometheus(await blocksOf(weekOfFleet()));
    opened = prometheusSource({ url: server.url, clock: systemClock });
    seen = await opened.source.observe({
      window,
      owners: firstThatKnows(opened.owners(window), ownersFromNames),
      progress: ({ part }) => progress.push(part),
      signal: new AbortController().signal,
    });
  }, 300_000);
  afterAll(async () => {
    await opened.close();
    await server.stop();
  });

  const found = ({ name, namespace }: TrueWorkload): ObservedWorkload => {
    const all = seen.workloads.filter((one) => one.workload === name && one.namespace === namespace);
    expect(all, `${String(namespace)}/${name}`).toHaveLength(1);
    return all[0]!;
  };

  it('finds every workload, and no other', () => {
    const names = (all: readonly { namespace: string | null; name: string }[]): string[] =>
      all.map(({ namespace, name }) => `${namespace ?? ''}/${name}`).sort();
    expect(names(seen.workloads.map(({ workload, namespace }) => ({ name: workload, namespace })))).toEqual(
      names(expected),
    );
  });

  it('has the memory of each to the last sample', () => {
    for (const workload of expected) same(found(workload).memory, workload.memory, workload.name);
  });

  it('has the activity of each, by metric and kind of device', () => {
    for (const workload of expected) {
      const of = found(workload).activity;
      const kinds = of.map(({ metric, productName, profile }) =>
        [metric, productName, profile ?? 'whole'].join('/'),
      );
      expect([...kinds].sort(), workload.name).toEqual([...workload.activity.keys()].sort());
      for (const [index, kind] of kinds.entries())
        same(of[index]!.stats, workload.activity.get(kind)!, workload.name);
    }
  });

  it('knows owners, replicas, how many devices each holds, and what was not believed', () => {
    for (const workload of expected) {
      const { owner, replicas, devicesAtOnce, dropped } = found(workload);
      expect(
        {
          owner: owner === null ? null : { kind: owner.kind, via: owner.via },
          replicas,
          devicesAtOnce,
          dropped,
        },
        workload.name,
      ).toEqual({
        owner: workload.owner,
        replicas: workload.replicas,
        devicesAtOnce: workload.devicesAtOnce,
        dropped: { text: 0, negative: 0, ...workload.dropped },
      });
    }
  });

  it('recognises figures that several are shown of one card', () => {
    for (const workload of expected) expect(found(workload).shared, workload.name).toEqual(workload.shared);
  });

  it('sums up on the server what is steady and reads the rest sample by sample', () => {
    const summedUp = seen.workloads
      .filter(({ memory }) => memory?.top === null)
      .map(({ workload }) => workload);
    for (const name of ['chat-0', 'chat-4', 'chat-5', 'mig-0-5', 'new-3', 'exported-4', 'managed', 'lone-4'])
      expect(summedUp).toContain(name);
    for (const name of [
      'chat-3',
      'chat-6',
      'chat-7',
      'search',
      'twins',
      'gappy',
      'mig-4-1',
      'notebook-0',
      'late',
    ])
      expect(summedUp).not.toContain(name);
  });

  it('has the same timelines both ways, and tells where samples are missing', () => {
    for (const name of ['chat-0', 'chat-3', 'gappy', 'mig-0-5', 'half']) {
      const { timeline, coverage, memory } = found(expected.find((one) => one.name === name)!);
      expect(Math.max(...timeline.max.map((value) => value ?? 0)), name).toBe(memory?.max);
      expect(coverage.everyMs, name).toBe(everyMs);
      expect(timeline.startMs, name).toBeGreaterThanOrEqual(window.startMs - timeline.stepMs);
    }
    const gappy = found(expected.find(({ name }) => name === 'gappy')!).coverage;
    expect(gappy).toMatchObject({ missingMs: 600 * everyMs, largestGapMs: 601 * everyMs });
    const steady = found(expected.find(({ name }) => name === 'chat-0')!).coverage;
    expect(steady).toMatchObject({ missingMs: 0, largestGapMs: 0, backwards: 0 });
    expect(steady.lastMs - steady.firstMs).toBe((minutes - 1) * everyMs);
  });

  it('lists the cards with their slices, and says what the reader must know', () => {
    expect(seen.gpus).toHaveLength(64);
    const cut = seen.gpus.find(({ host, index }) => host === 'node-2' && index === 0);
    expect(cut?.slices.map(({ instanceId }) => instanceId)).toEqual([1, 5, 13]);
    expect(seen.notes.join('\n')).toContain('node-7/gpu-2');
    expect(seen.notes.join('\n')).toContain('beside rows of its slices');
  });

  it('says how far it is', () => {
    expect(progress.at(-1)).toBe(null);
    expect(Math.max(...progress.map((part) => part ?? 0))).toBe(1);
  });

  it('stops when it is told to', async () => {
    const stop = new AbortController();
    const looking = opened.source.observe({
      window,
      owners: ownersFromNames,
      progress: ({ what }) => {
        if (what.startsWith('counting')) stop.abort();
      },
      signal: stop.signal,
    });
    await expect(looking).rejects.toThrow(/abort/i);
  });
});

/** Counts and largest figures to the last digit; percentiles as far as the order of additions allows. */
function same(found: Stats | null, wanted: TrueStats | null, name: string): void {
  if (found === null || wanted === null) {
    expect(found, name).toBe(wanted);
    return;
  }
  expect([found.samples, found.max], name).toEqual([wanted.samples, wanted.max]);
  for (const key of ['mean', 'p50', 'p75', 'p95', 'p99'] as const)
    expect(
      Math.abs(found[key] - wanted[key]),
      `${name} ${key}: ${found[key]}, not ${wanted[key]}`,
    ).toBeLessThanOrEqual(1e-9 * Math.max(1, wanted[key]));
}
