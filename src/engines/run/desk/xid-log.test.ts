import { expect, it } from 'vitest';
import type { GpuDriver, XidEvent } from '#ports/gpu-driver';
import { fakeSlices } from '../../../../test/support/fake-leases.js';
import { xidLog } from './xid-log.js';

const clock = { nowMs: () => 0, sleep: async () => undefined };
const [one, two] = fakeSlices(2);
if (one === undefined || two === undefined) throw new Error('no slices');

/** A log of what a driver says, one answer after the other; `null`: it throws. */
async function logOf(first: number, answers: readonly (Partial<XidEvent> | 'busy' | null)[]) {
  const log = xidLog(first);
  const over = new AbortController();
  const left = [...answers];
  const nextXid: GpuDriver['nextXid'] = async () => {
    const next = left.shift();
    if (next === null) throw new Error('gone');
    if (next === 'busy') return { ok: false, why: { kind: 'unknown', message: 'busy', code: 999 } };
    if (next === undefined) over.abort();
    const on = { gpuUuid: one!.gpuUuid, instanceId: one!.instanceId, xid: 79 };
    return { ok: true, value: next === undefined ? null : { ...on, ...next } };
  };
  await log.run({ nextXid }, clock, over.signal);
  return log;
}

it('tells each holder what happened on its slices since it last asked', async () => {
  const log = await logOf(100, [{ xid: 79 }, { xid: 80, instanceId: two.instanceId }, { xid: 81 }]);
  expect(xidLog(100).since(null, [one])).toEqual({ last: 100, events: [] });
  expect(log.since(100, [one])).toMatchObject({ last: 103, events: [{ xid: 79 }, { xid: 81 }] });
  expect(log.since(102, [one])).toMatchObject({ events: [{ xid: 81 }] });
  expect(log.since(100, [two])).toMatchObject({ events: [{ xid: 80 }] });
  expect(log.since(null, [one])).toEqual({ last: 103, events: [] });
});

it('tells what is of a whole GPU to all who are on it', async () => {
  const log = await logOf(0, [{ instanceId: null }, { instanceId: null, gpuUuid: 'GPU-other' }]);
  for (const slice of [one, two]) expect(log.since(0, [slice]).events).toMatchObject([{ instanceId: null }]);
});

it('tells whoever asked an earlier log all that came since', async () => {
  const log = await logOf(100, [{ xid: 48 }]);
  for (const other of [7, 5000])
    expect(log.since(other, [one])).toMatchObject({ last: 101, events: [{ xid: 48 }] });
});

it('listens again to a driver that failed', async () => {
  const log = await logOf(0, ['busy', null, { xid: 48 }]);
  expect(log.since(0, [one])).toMatchObject({ events: [{ xid: 48 }] });
});
