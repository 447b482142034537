import { describe, expect, it, onTestFinished } from 'vitest';
import type { LeasableSlice } from '#core/run/slice';
import type { DriverAnswer, XidEvent } from '#ports/gpu-driver';
import { fakeSlices } from '../../../../test/support/fake-leases.js';
import { sliceWatch } from './slice-watch.js';

const [one, two, , , elsewhere] = fakeSlices(5);
if (one === undefined || two === undefined || elsewhere === undefined) throw new Error('no slices');

type Answer = DriverAnswer<XidEvent | null>;
const silence: Answer = { ok: true, value: null };
const on = ({ gpuUuid, instanceId }: LeasableSlice, xid: number): Answer => {
  return { ok: true, value: { gpuUuid, instanceId, xid } };
};
const refused = (kind: 'unknown' | 'not-supported'): Answer => {
  return { ok: false, why: { kind, message: `it is ${kind}`, code: null } };
};

/** A watch whose driver answers what the test says, when it says it. */
function bed() {
  const looks: { readonly waitMs: number; readonly answer: (said: Answer | Error) => void }[] = [];
  let looked: () => void = () => undefined;
  const remarks: string[] = [];
  const nextXid = (waitMs: number): Promise<Answer> =>
    new Promise((resolve, reject) => {
      looks.push({ waitMs, answer: (said) => (said instanceof Error ? reject(said) : resolve(said)) });
      looked();
    });
  const clock = { nowMs: () => 0, sleep: async () => undefined };
  const watch = sliceWatch({ meter: { nextXid, usedMiB: async () => null }, clock }, (text) =>
    remarks.push(text),
  );
  const over = new AbortController();
  const running = watch.run(over.signal);
  const kept: string[] = [];
  /** Answers the look that is under way, or the next one; how long that was to wait. */
  const say = async (said: Answer | Error): Promise<number> => {
    if (looks.length === 0) await new Promise<void>((resolve) => (looked = resolve));
    const { waitMs, answer } = looks.shift()!;
    answer(said);
    return waitMs;
  };
  const stop = async (): Promise<void> => {
    over.abort();
    for (const { answer } of looks.splice(0)) answer(silence);
    await running;
  };
  onTestFinished(stop);
  return {
    ...{ watch, remarks, kept, say, stop },
    hold: (slice: LeasableSlice) => watch.begin(slice, async (why) => void kept.push(why)),
  };
}

/** Whether it has ended by now, with all that can go on without anybody from outside. */
async function hasEnded(work: Promise<unknown>): Promise<boolean> {
  return Promise.race([
    work.then(() => true),
    new Promise<false>((resolve) => setImmediate(() => resolve(false))),
  ]);
}

describe('a watch of slices', () => {
  it('says when the driver listens, for which it waits no longer than it must', async () => {
    const { watch, say } = bed();
    expect(await hasEnded(watch.listening)).toBe(false);
    expect(await say(silence)).toBe(0);
    expect(await hasEnded(watch.listening)).toBe(true);
    expect(await say(silence)).toBeGreaterThan(0);
  });

  it('tells a holder of its slice, and nobody else', async () => {
    const { hold, say, kept, remarks } = bed();
    const [mine, other] = [hold(one), hold(two)];
    await say(on(one, 48));
    await say(silence);
    expect([mine.isBroken(), mine.broken.aborted, mine.broken.reason]).toEqual([true, true, kept[0]]);
    expect([other.isBroken(), other.broken.aborted]).toEqual([false, false]);
    expect(kept).toEqual([`Xid 48 on ${one.id}`]);
    other.end();
    await say(on(two, 48));
    await say(on(one, 31));
    await say(silence);
    expect(kept).toHaveLength(1);
    expect(remarks).toEqual([`Xid 48 on GPU-0 instance 4`, `Xid 31 on GPU-0 instance 3`]);
  });

  it('tells all on a GPU that fell off the bus, and none for a lesser error without an instance', async () => {
    const { hold, say, kept } = bed();
    for (const slice of [one, two, elsewhere]) hold(slice);
    await say(on({ ...one, instanceId: null }, 63));
    await say(on({ ...one, instanceId: null }, 79));
    await say(silence);
    expect(kept).toEqual([one, two].map(({ id }) => `Xid 79 on ${id}`));
  });

  it('has settled when a look that began after the question finds nothing more', async () => {
    const { watch, hold, say } = bed();
    const held = hold(one);
    await say(silence);
    await hasEnded(watch.listening);
    const settled = held.settled();
    // That look is under way.
    expect(await say(silence)).toBeGreaterThan(0);
    expect(await hasEnded(settled)).toBe(false);
    expect(await say(on(two, 48))).toBe(0);
    expect(await say(on(one, 48))).toBe(0);
    expect(await hasEnded(settled)).toBe(false);
    expect(await say(silence)).toBe(0);
    expect(await hasEnded(settled)).toBe(true);
    expect(held.isBroken()).toBe(true);
  });

  it('listens again after a failure, and says once that it did not', async () => {
    const { watch, hold, say, kept, remarks } = bed();
    const held = hold(one);
    await say(refused('unknown'));
    expect(await hasEnded(watch.listening)).toBe(true);
    await say(new Error('gone'));
    // Nobody waits for a driver that says nothing.
    expect(await hasEnded(held.settled())).toBe(true);
    await say(on(one, 48));
    await say(silence);
    expect(kept).toHaveLength(1);
    expect(remarks).toEqual(['errors of the GPUs cannot be watched: it is unknown']);
    await say(new Error('gone'));
    await say(silence);
    expect(remarks).toHaveLength(2);
  });

  it('ends where errors cannot be watched at all, and holds nobody up then', async () => {
    const { watch, hold, say, remarks } = bed();
    const held = hold(one);
    const settled = held.settled();
    await say(refused('not-supported'));
    expect(await hasEnded(Promise.all([settled, held.settled(), watch.listening]))).toBe(true);
    expect(remarks).toHaveLength(1);
  });

  it('leaves nobody waiting when it is over', async () => {
    const { hold, stop } = bed();
    const settled = hold(one).settled();
    await stop();
    expect(await hasEnded(settled)).toBe(true);
  });
});
