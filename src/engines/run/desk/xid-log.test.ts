import { expect, it } from 'vitest';
import type { XidEvent } from '#ports/gpu-driver';
import { fakeSlices } from '../../../../test/support/fake-leases.js';
import { xidLog } from './xid-log.js';

it('tells each holder what happened on its slices since it last asked', async () => {
  const [one, two] = fakeSlices(2);
  if (one === undefined || two === undefined) throw new Error('no slices');
  const events: XidEvent[] = [one, two, one].map(({ gpuUuid, instanceId }, at) => ({
    ...{ gpuUuid, instanceId },
    xid: 79 + at,
  }));
  const log = xidLog(100);
  expect(log.since(null, [one])).toEqual({ last: 100, events: [] });
  const over = new AbortController();
  await log.run(
    {
      nextXid: async () => {
        const event = events.shift() ?? null;
        if (event === null) over.abort();
        return { ok: true, value: event };
      },
    },
    over.signal,
  );
  expect(log.since(100, [one])).toMatchObject({ last: 103, events: [{ xid: 79 }, { xid: 81 }] });
  expect(log.since(102, [one])).toMatchObject({ events: [{ xid: 81 }] });
  expect(log.since(100, [two])).toMatchObject({ events: [{ xid: 80 }] });
  // Numbers of another log, as before a restart.
  for (const other of [null, 7, 5000]) expect(log.since(other, [one])).toEqual({ last: 103, events: [] });
});
