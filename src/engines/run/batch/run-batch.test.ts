/** Batches on made slices: order, retries, time limits, kills, slices that break. Long, since all stories are told of one made machine. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { systemClock } from '#adapters/system/clock';
import { systemJobRunner } from '#adapters/system/job-runner';
import { systemProcesses } from '#adapters/system/processes';
import type { GpuDriver, XidEvent } from '#ports/gpu-driver';
import type { JobRunner } from '#ports/job-runner';
import type { RunStore } from '#ports/run-store';
import { fakeLeases, fakeSlices, type FakeLeases } from '../../../../test/support/fake-leases.js';
import { memoryRunStore } from '../../../../test/support/memory-run-store.js';
import { meterOf } from '../peak-memory.js';
import { verdictOf, type BatchRequest } from './job.js';
import { beginBatch, resumeBatch } from './open-batch.js';
import type { BatchPorts } from './ports.js';
import { runBatch, type BatchEvent } from './run-batch.js';

let folder: string;
let store: RunStore;
let leases: FakeLeases;
let xids: XidEvent[];
let events: BatchEvent[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mica-batch-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  store = memoryRunStore();
  leases = fakeLeases(fakeSlices(4));
  xids = [];
  events = [];
  clock = systemClock;
});

const self = {
  pid: process.pid,
  startedAt: systemProcesses.startOf(process.pid) ?? '',
  bootId: systemProcesses.bootId(),
};

let clock = systemClock;

function ports(): BatchPorts {
  const driver: Pick<GpuDriver, 'instances' | 'processes' | 'nextXid'> = {
    instances: async (gpu) => ({
      ok: true,
      value: fakeSlices(4)
        .filter((slice) => slice.gpuUuid === gpu)
        .map(({ instanceId, start }) => ({
          ...{ id: instanceId!, profileId: 14, computeInstances: [] },
          placement: { profile: '1g.24gb', start: start!, size: 3 },
          memory: { usedMiB: 1000 + instanceId!, totalMiB: 24_192 },
        })),
    }),
    processes: async () => ({ ok: true, value: [] }),
    nextXid: async (timeoutMs) => {
      const event = xids.shift();
      if (event === undefined) await systemClock.sleep(Math.min(timeoutMs, 10));
      return { ok: true, value: event ?? null };
    },
  };
  return {
    ...{ store, leases, runner: systemJobRunner, clock, self, processes: systemProcesses },
    meter: meterOf(driver),
    logOf: ({ job, attempt }) => join(folder, `${job}-${attempt}.log`),
    env: { PATH: process.env['PATH'], AT: folder },
  };
}

function request(scripts: readonly string[], more: Partial<BatchRequest> = {}): BatchRequest {
  return {
    jobs: scripts.map((script, job) => ({
      name: `job ${job}`,
      command: ['sh', '-c', script],
      passCodes: [0],
    })),
    ...{ slice: { kind: 'any' }, timeoutMs: null, retries: 0, most: null, cwd: folder, ...more },
  };
}

async function run(
  asked: BatchRequest,
  { signal = new AbortController().signal, ...others }: Partial<BatchPorts> & { signal?: AbortSignal } = {},
) {
  const batch = await beginBatch(ports(), 'b1', asked);
  return runBatch({ ...ports(), ...others }, batch, { signal, onEvent: (event) => void events.push(event) });
}

function verdicts(asked: BatchRequest, { attempts }: Awaited<ReturnType<typeof run>>) {
  return asked.jobs.map((job, place) => {
    const verdict = verdictOf(
      job,
      attempts.filter((one) => one.job === place),
      asked.retries,
    );
    return verdict?.kind === 'passed' && verdict.flaky ? 'flaky' : (verdict?.kind ?? 'open');
  });
}

describe('a batch', () => {
  it('runs each job once on a slice of its own, and writes down how it ended', async () => {
    const say = 'echo $CUDA_VISIBLE_DEVICES $MICA_JOB $MICA_ATTEMPT $MICA_SLICE';
    const asked = request([say, say, 'exit 3', 'kill -SEGV $$', say, 'sleep 60 & exit 0'], { most: 3 });
    const end = await run(asked);
    expect(end.end).toEqual({ kind: 'done' });
    expect(verdicts(asked, end)).toEqual(['passed', 'passed', 'failed', 'failed', 'passed', 'passed']);
    expect(end.slices).toHaveLength(3);
    const [device, job, attempt, slice] = readFileSync(join(folder, '1-1.log'), 'utf8').trim().split(' ');
    expect([job, attempt]).toEqual(['2', '1']);
    expect(fakeSlices(4).find(({ id }) => id === slice)?.device).toBe(device);
    expect(leases.free).toHaveLength(4);
    const kept = await store.read((tables) => [tables.attempts('b1'), tables.batch('b1')?.endedMs] as const);
    expect(kept[0]).toEqual(end.attempts);
    expect(kept[1]).not.toBeNull();
    // The fake cleans nothing; what a real lease would end is ended here.
    for (const { group } of end.attempts) if (group !== null) systemJobRunner.signalGroup(group, 'SIGKILL');
  });

  it('learns how long jobs take', async () => {
    await run(request(['sleep 0.05', 'exit 1']));
    const key = (script: string) => JSON.stringify(['sh', '-c', script]);
    const [known, failed] = await store.read((t) => [
      t.durationMs(key('sleep 0.05')),
      t.durationMs(key('exit 1')),
    ]);
    expect(known).toBeGreaterThanOrEqual(50);
    expect(failed).toBeNull();
  });

  it('tries again what failed, after the others, and calls it flaky', async () => {
    const flaky = 'test -e tried || { touch tried; exit 1; }';
    const asked = request([flaky, 'exit 1', 'echo'], { retries: 2, most: 1 });
    const end = await run(asked);
    expect(verdicts(asked, end)).toEqual(['flaky', 'failed', 'passed']);
    expect(end.attempts.map(({ job, attempt }) => `${job}.${attempt}`)).toEqual([
      '0.1',
      '0.2',
      '1.1',
      '1.2',
      '1.3',
      '2.1',
    ]);
    const order = events.flatMap((event) => (event.kind === 'started' ? [event.job] : []));
    expect(order).toEqual([0, 1, 2, 0, 1, 1]);
  });

  it('ends what takes too long, with all that it forked', async () => {
    // Ten times as fast, so that the grace after SIGTERM is.
    clock = { ...systemClock, sleep: (ms, signal) => systemClock.sleep(ms / 10, signal) };
    const asked = request(
      [
        '(trap "" TERM; sleep 30) & echo $!; sleep 30',
        'trap "exit 0" TERM; sleep 30 & wait',
        'setsid sh -c "echo \\$\\$ > escaped; exec sleep 30" & sleep 30',
      ],
      { timeoutMs: 1500 },
    );
    const end = await run(asked);
    expect(verdicts(asked, end)).toEqual(['timed-out', 'timed-out', 'timed-out']);
    const escaped = Number(readFileSync(join(folder, 'escaped'), 'utf8'));
    expect(escaped > 0 && systemProcesses.isAlive(escaped)).toBe(false);
    for (const { group } of end.attempts) expect(systemJobRunner.isGroupAlive(group!)).toBe(false);
  });

  it('measures memory', async () => {
    const end = await run(request(['sleep 0.4']));
    expect(end.attempts[0]?.end?.peakMemoryMiB).toBeGreaterThan(1000);
  });

  it('says why a job was not started', async () => {
    const asked: BatchRequest = {
      ...request([]),
      jobs: [{ name: 'x', command: ['mica-no-such-program'], passCodes: [0] }],
    };
    const end = await run(asked);
    expect(end.attempts[0]?.end?.result).toMatchObject({ kind: 'not-started' });
    expect(verdicts(asked, end)).toEqual(['failed']);
  });
});

describe('a slice that breaks', () => {
  const broken = (place: number, xid: number): void => {
    const { gpuUuid, instanceId } = fakeSlices(4)[place]!;
    xids.push({ gpuUuid, instanceId, xid });
  };
  const started = () => expect.poll(() => existsSync(join(folder, 'started')), { timeout: 5000 }).toBe(true);

  it('is kept from others, and its job runs elsewhere without losing a try', async () => {
    const asked = request(['test $MICA_ATTEMPT = 2 || { touch started; sleep 30; }', 'sleep 0.01']);
    const running = run(asked);
    await started();
    broken(0, 48);
    const end = await running;
    expect(verdicts(asked, end)).toEqual(['passed', 'passed']);
    expect(end.attempts[0]?.end?.result).toMatchObject({ kind: 'lost' });
    expect([...leases.quarantined.keys()]).toEqual([fakeSlices(4)[0]!.id]);
    expect(end.attempts[1]?.slice).not.toBe(end.attempts[0]?.slice);
  });

  it('is seen also when it breaks before we hear that the job began', async () => {
    const late: JobRunner = {
      ...systemJobRunner,
      prepare: async (job) => {
        const prepared = await systemJobRunner.prepare(job);
        if (!prepared.ok) return prepared;
        const open: typeof prepared.job.open = async (...said) => {
          const running = await prepared.job.open(...said);
          if (xids.length === 0 && leases.quarantined.size === 0) broken(0, 48);
          await systemClock.sleep(200);
          return running;
        };
        return { ok: true, job: { ...prepared.job, open } };
      },
    };
    const end = await run(request(['test $MICA_ATTEMPT = 2 || sleep 30']), { runner: late });
    expect(end.attempts.map(({ end: one }) => one?.result.kind)).toEqual(['lost', 'exit']);
  }, 15_000);

  it('before the driver listens would not be heard of, so that no job begins before', async () => {
    let hasBegunBefore: boolean | null = null;
    const { meter } = ports();
    const nextXid: typeof meter.nextXid = async (waitMs) => {
      await systemClock.sleep(200);
      hasBegunBefore ??= events.some(({ kind }) => kind === 'started');
      return meter.nextXid(waitMs);
    };
    const end = await run(request(['exit 0']), { meter: { ...meter, nextXid } });
    expect(end.end).toEqual({ kind: 'done' });
    expect(hasBegunBefore).toBe(false);
  });

  it('between two jobs runs no other', async () => {
    const first = fakeSlices(4)[0]!;
    let hasBroken = false;
    const breaking: FakeLeases = {
      ...leases,
      acquire: async (...asked) => {
        const answer = await leases.acquire(...asked);
        if (!answer.ok) return answer;
        const clean = async () => {
          if (!hasBroken) broken(0, 48);
          hasBroken = true;
          await expect.poll(() => leases.quarantined.size, { timeout: 5000 }).toBe(1);
          return answer.lease.clean();
        };
        return { ok: true, lease: { ...answer.lease, clean } };
      },
    };
    const asked = request(['exit 0', 'exit 0', 'exit 0'], { most: 1 });
    const end = await run(asked, { leases: breaking });
    expect(verdicts(asked, end)).toEqual(['passed', 'passed', 'passed']);
    expect(end.attempts.map(({ slice }) => slice === first.id)).toEqual([true, false, false]);
    expect([...leases.quarantined.keys()]).toEqual([first.id]);
  });

  it('and kills its job is heard of after the job, whose try does not count', async () => {
    const { meter } = ports();
    const died = join(folder, 'died');
    // Told to whoever looks anew, not to whoever waits already.
    const nextXid: typeof meter.nextXid = async (waitMs) => {
      if (waitMs === 0 && existsSync(died)) {
        rmSync(died);
        broken(0, 48);
      }
      return meter.nextXid(waitMs);
    };
    const asked = request(['test $MICA_ATTEMPT = 2 || { touch died; exit 1; }']);
    const end = await run(asked, { meter: { ...meter, nextXid } });
    expect(end.attempts.map(({ end: one }) => one?.result.kind)).toEqual(['lost', 'exit']);
    expect(verdicts(asked, end)).toEqual(['passed']);
  });

  it('and cannot be kept from others ends the batch', async () => {
    const full: FakeLeases = {
      ...leases,
      acquire: async (...asked) => {
        const answer = await leases.acquire(...asked);
        if (!answer.ok) return answer;
        const quarantine = () => Promise.reject(new Error('disk full'));
        return { ok: true, lease: { ...answer.lease, quarantine } };
      },
    };
    const running = run(request(['touch started; sleep 30', 'sleep 30']), { leases: full });
    const failing = expect(running).rejects.toThrow('disk full');
    await started();
    broken(0, 48);
    await failing;
  });

  it('again and again is the fault of the job', async () => {
    const asked = request(['touch $AT/on.$MICA_ATTEMPT; sleep 30'], { retries: 5 });
    const running = run(asked);
    for (const attempt of [1, 2]) {
      await expect.poll(() => existsSync(join(folder, `on.${attempt}`)), { timeout: 5000 }).toBe(true);
      for (const place of [0, 1, 2, 3]) broken(place, 79);
    }
    const end = await running;
    expect(verdicts(asked, end)).toEqual(['failed']);
    expect(leases.quarantined.size).toBe(2);
  });

  it('is not told from an error of the program itself', async () => {
    const asked = request(['touch started; sleep 0.2']);
    const running = run(asked);
    await started();
    broken(0, 31);
    expect(verdicts(asked, await running)).toEqual(['passed']);
    expect(leases.quarantined.size).toBe(0);
  });

  it('by what stays in it is left, and the rest goes on', async () => {
    leases.spoil(fakeSlices(4)[0]!.id);
    const asked = request(['exit 0', 'exit 0', 'exit 0'], { most: 1 });
    const end = await run(asked);
    expect(verdicts(asked, end)).toEqual(['passed', 'passed', 'passed']);
    expect(end.attempts.map(({ slice }) => fakeSlices(4).findIndex(({ id }) => id === slice))).toEqual([
      0, 1, 1,
    ]);
  });

  it('as the last one ends the batch, to be resumed', async () => {
    leases = fakeLeases(fakeSlices(1));
    leases.spoil(fakeSlices(1)[0]!.id);
    const asked = request(['exit 0', 'exit 0']);
    const end = await run(asked);
    expect(end.end).toEqual({ kind: 'no-slice', why: 'no slice is left' });
    expect(verdicts(asked, end)).toEqual(['passed', 'open']);
    leases = fakeLeases(fakeSlices(1));
    const gone = { ...ports(), self: { ...self, startedAt: '1' } };
    await store.transact((t) => t.putBatch({ ...t.batch('b1')!, runner: gone.self }));
    const found = await resumeBatch(ports(), null);
    if (!found.ok) throw new Error(found.why.message);
    const rest = await runBatch(ports(), found.batch, {
      signal: new AbortController().signal,
      onEvent: () => undefined,
    });
    expect(verdicts(asked, rest)).toEqual(['passed', 'passed']);
    expect(rest.attempts).toHaveLength(2);
  });
});

describe('a lease that is lost', () => {
  it('ends its job at once, which runs elsewhere', async () => {
    const asked = request(['test $MICA_ATTEMPT = 2 || { touch started; sleep 30; }']);
    const running = run(asked);
    await expect.poll(() => existsSync(join(folder, 'started')), { timeout: 5000 }).toBe(true);
    leases.lose(fakeSlices(4)[0]!.id);
    const end = await running;
    expect(verdicts(asked, end)).toEqual(['passed']);
    expect(end.attempts[0]?.end?.result).toEqual({ kind: 'lost', why: 'its lease was lost' });
  });
});

describe('a batch that is stopped', () => {
  it('keeps its results, ends what runs, and goes on where it was', async () => {
    const asked = request(['exit 0', 'echo x >> ran; test $MICA_ATTEMPT = 2 || sleep 30', 'echo x >> ran'], {
      most: 1,
    });
    const stop = new AbortController();
    const running = run(asked, { signal: stop.signal });
    await expect.poll(() => existsSync(join(folder, 'ran')), { timeout: 5000 }).toBe(true);
    expect(await resumeBatch(ports(), 'b1')).toMatchObject({ ok: false, why: { kind: 'running' } });
    stop.abort();
    const end = await running;
    expect(end.end).toEqual({ kind: 'stopped' });
    expect(verdicts(asked, end)).toEqual(['passed', 'open', 'open']);
    expect(leases.free).toHaveLength(4);
    expect(await resumeBatch(ports(), 'other')).toMatchObject({ ok: false, why: { kind: 'unknown-batch' } });
    await store.transact((t) => t.putBatch({ ...t.batch('b1')!, runner: { ...self, startedAt: '1' } }));
    const found = await resumeBatch(ports(), null);
    if (!found.ok) throw new Error(found.why.message);
    const rest = await runBatch(ports(), found.batch, {
      signal: new AbortController().signal,
      onEvent: () => undefined,
    });
    expect(verdicts(asked, rest)).toEqual(['passed', 'passed', 'passed']);
    expect(readFileSync(join(folder, 'ran'), 'utf8')).toBe('x\nx\nx\n');
    expect(await resumeBatch(ports(), null)).toMatchObject({ ok: false, why: { kind: 'nothing-open' } });
  });

  it('ends what a runner left behind that was killed', async () => {
    const asked = request(['echo $MICA_ATTEMPT']);
    await beginBatch({ ...ports(), self: { ...self, startedAt: '1' } }, 'b1', asked);
    const orphan = await systemJobRunner.start(
      { command: ['sleep', '60'], env: {}, output: { kind: 'inherit' } },
      async (group) =>
        store.transact((t) =>
          t.putAttempt({ batch: 'b1', job: 0, attempt: 1, slice: 's', group, startMs: 1, end: null }),
        ),
    );
    const found = await resumeBatch(ports(), null);
    if (!orphan.ok || !found.ok) throw new Error('not begun');
    expect(systemJobRunner.isGroupAlive(orphan.job.group)).toBe(false);
    const rest = await runBatch(ports(), found.batch, {
      signal: new AbortController().signal,
      onEvent: () => undefined,
    });
    expect(verdicts(asked, rest)).toEqual(['passed']);
    expect(rest.attempts[0]?.end?.result.kind).toBe('lost');
  });

  it('stops where results cannot be written down', async () => {
    const whole = store;
    store = {
      ...whole,
      transact: (work) =>
        whole.transact((tables) =>
          work({
            ...tables,
            putAttempt: (one) => {
              if (one.job === 1) throw new Error('disk full');
              tables.putAttempt(one);
            },
          }),
        ),
    };
    await expect(run(request(['exit 0', 'touch ran', 'exit 0'], { most: 1 }))).rejects.toThrow('disk full');
    expect(existsSync(join(folder, 'ran'))).toBe(false);
    expect(leases.free).toHaveLength(4);
  });
});
