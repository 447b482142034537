/** What every MetricsSource must do, as a suite that each adapter runs on rows written in its own format. */
import { describe, expect, it, onTestFinished } from 'vitest';
import type { ObservedWorkload } from '#core/observe/observation';
import { statsOf } from '#core/observe/stats';
import { MicaError } from '#core/errors';
import type { MetricsSource, ObserveProgress, ObserveRequest } from './metrics-source.js';

/** One look at one GPU. */
export interface ContractRow {
  /** Since `contractStartMs`, in the order of the rows. */
  readonly minute: number;
  readonly gpu: number;
  /** A name that fits a process, a workload and a pod. */
  readonly holder: string;
  /** `null`: the source has no figure. */
  readonly memoryMiB: number | null;
}

export interface MetricsSourceSetup {
  readonly sourceOf: (rows: readonly ContractRow[]) => Promise<MetricsSource>;
  /** One that cannot be read at all. */
  readonly broken: () => Promise<MetricsSource>;
  /** What a workload of that holder is called. */
  readonly nameOf: (row: ContractRow) => string;
  /** Whether holders are pods, which have owners. */
  readonly hasPods: boolean;
  readonly close: () => Promise<void>;
}

export const contractStartMs = Date.UTC(2026, 10, 2, 8);

/** DCGM's and NVML's way to say that there is no value. */
export const sentinelMiB = Number('9223372036854775794');

export function metricsSourceContract(name: string, setup: () => Promise<MetricsSourceSetup>): void {
  const begin = async () => {
    const made = await setup();
    onTestFinished(() => made.close());
    return made;
  };

  describe(`${name}: the contract of a source of metrics`, () => {
    it('has the figures of every workload, over all of its samples', async () => {
      const { sourceOf, nameOf } = await begin();
      const rows = upTo(40).flatMap((minute) => [
        row(minute, 0, 'bert', 4000 + 13 * minute),
        row(minute, 1, 'llama', 60_000 - minute),
      ]);
      const { workloads, window, gpus } = await (await sourceOf(rows)).observe(request());
      for (const holder of ['bert', 'llama']) {
        const own = rows.filter((one) => one.holder === holder);
        const values = own.map(({ memoryMiB }) => memoryMiB!).sort((a, b) => a - b);
        const found = named(workloads, nameOf(own[0]!));
        expect(found.memory).toEqual(statsOf(values));
        expect(found.replicas).toEqual({ seen: 1, atOnce: 1 });
        expect(found.devicesAtOnce.slices).toBe(0);
        expect(found.coverage).toMatchObject({ everyMs: 60_000, missingMs: 0, backwards: 0 });
        expect(Math.max(...found.timeline.max.map((one) => one ?? 0))).toBe(values.at(-1));
      }
      expect(workloads).toHaveLength(2);
      expect(window.endMs - window.startMs).toBe(39 * 60_000);
      expect(gpus).toHaveLength(2);
    });

    it('takes what is absent for absent, never for 0', async () => {
      const { sourceOf, nameOf } = await begin();
      const rows = upTo(20).flatMap((minute) => [
        row(minute, 0, 'bert', minute % 2 === 0 ? 5000 : null),
        row(minute, 1, 'llama', null),
      ]);
      const { workloads } = await (await sourceOf(rows)).observe(request());
      expect(named(workloads, nameOf(rows[0]!)).memory).toMatchObject({ samples: 10, p50: 5000, mean: 5000 });
      const silent = workloads.find(({ workload }) => workload === nameOf(rows[1]!));
      expect(silent?.memory ?? null).toBeNull();
    });

    it('drops what cannot be, and counts it', async () => {
      const { sourceOf, nameOf } = await begin();
      const rows = upTo(20).map((minute) => row(minute, 0, 'bert', minute < 3 ? sentinelMiB : 5000));
      const { workloads, dropped } = await (await sourceOf(rows)).observe(request());
      const found = named(workloads, nameOf(rows[0]!));
      expect(found.memory).toMatchObject({ samples: 17, max: 5000 });
      expect(found.dropped).toEqual({ sentinel: 3, text: 0, notFinite: 0, negative: 0 });
      expect(dropped).toEqual(found.dropped);
    });

    it('knows what is missing', async () => {
      const { sourceOf, nameOf } = await begin();
      const rows = upTo(60)
        .filter((minute) => minute < 20 || minute >= 30)
        .flatMap((minute) => row(minute, 0, 'bert', 5000));
      const { workloads } = await (await sourceOf(rows)).observe(request());
      const { coverage } = named(workloads, nameOf(rows[0]!));
      expect(coverage).toMatchObject({ missingMs: 10 * 60_000, largestGapMs: 11 * 60_000 });
    });

    it('sees a holder of several GPUs', async () => {
      const { sourceOf, nameOf } = await begin();
      const rows = upTo(10).flatMap((minute) => [row(minute, 0, 'bert', 5000), row(minute, 1, 'bert', 6000)]);
      const { workloads } = await (await sourceOf(rows)).observe(request());
      expect(named(workloads, nameOf(rows[0]!)).devicesAtOnce).toEqual({ gpus: 2, slices: 0 });
    });

    it('asks for owners once, and of pods only', async () => {
      const { sourceOf, hasPods } = await begin();
      const asked: unknown[] = [];
      const source = await sourceOf(upTo(5).map((minute) => row(minute, 0, 'bert', 5000)));
      await source.observe({
        ...request(),
        owners: {
          ownersOf: async (pods) => {
            asked.push(pods.map(({ pod }) => pod));
            return () => null;
          },
        },
      });
      expect(asked).toEqual(hasPods ? [['bert']] : []);
    });

    it('says how far it is', async () => {
      const { sourceOf } = await begin();
      const reports: ObserveProgress[] = [];
      const source = await sourceOf(upTo(5).map((minute) => row(minute, 0, 'bert', 5000)));
      await source.observe({ ...request(), progress: (report) => reports.push(report) });
      expect(reports.length).toBeGreaterThan(0);
      const parts = reports.flatMap(({ part }) => part ?? []);
      expect(parts).toEqual([...parts].sort((a, b) => a - b));
      expect(parts.every((part) => part >= 0 && part <= 1)).toBe(true);
    });

    it('ends when it is told to, before and on the way', async () => {
      const { sourceOf } = await begin();
      const rows = upTo(50).map((minute) => row(minute, 0, 'bert', 5000));
      const early = new AbortController();
      early.abort(new Error('enough'));
      await expect((await sourceOf(rows)).observe(request(early.signal))).rejects.toThrow('enough');
      const late = new AbortController();
      const observing = (await sourceOf(rows)).observe({
        ...request(late.signal),
        progress: () => late.abort(new Error('enough now')),
      });
      await expect(observing).rejects.toThrow('enough now');
    });

    it('answers with a plain value', async () => {
      const { sourceOf } = await begin();
      const source = await sourceOf(upTo(5).map((minute) => row(minute, 0, 'bert', 5000)));
      const observation = await source.observe(request());
      expect(JSON.parse(JSON.stringify(observation))).toEqual(observation);
    });

    it('fails with a code where nothing can be read', async () => {
      const { broken } = await begin();
      const failure = await (await broken()).observe(request()).then(
        () => null,
        (error: unknown) => error,
      );
      expect(failure).toBeInstanceOf(MicaError);
    });
  });
}

function request(signal: AbortSignal = new AbortController().signal): ObserveRequest {
  return {
    window: { startMs: contractStartMs, endMs: contractStartMs + 3_600_000 },
    owners: { ownersOf: async () => () => null },
    progress: () => undefined,
    signal,
  };
}

function row(minute: number, gpu: number, holder: string, memoryMiB: number | null): ContractRow {
  return { minute, gpu, holder, memoryMiB };
}

function upTo(count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => index);
}

function named(workloads: readonly ObservedWorkload[], name: string): ObservedWorkload {
  const found = workloads.filter(({ workload }) => workload === name);
  expect(found, `one workload ${name} of ${workloads.map(({ workload }) => workload).join()}`).toHaveLength(
    1,
  );
  return found[0]!;
}
