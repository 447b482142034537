import { expect, it } from 'vitest';
import type { XidEvent } from '#ports/gpu-driver';
import type { Connection } from './connection.js';
import { meterAt } from './meter.js';

it('asks for errors now and then, at once for whoever does not wait, and tells each once', async () => {
  let nowMs = 1000;
  const clock = { nowMs: () => nowMs, sleep: async (ms: number) => void (nowMs += ms) };
  const log: XidEvent[] = [];
  const asked: unknown[] = [];
  const connection: Pick<Connection, 'call'> = {
    call: async ({ body }) => {
      asked.push(body);
      const after = (body as { readonly after: number | null }).after ?? log.length;
      return { last: log.length, events: log.slice(after) };
    },
  };
  const meter = meterAt({ usedMiB: async () => null }, connection as Connection, clock);
  const next = async (waitMs: number): Promise<number | null> => {
    const answer = await meter.nextXid(waitMs);
    return answer.ok ? (answer.value?.xid ?? null) : null;
  };
  expect(await next(0)).toBeNull();
  expect(asked).toEqual([{ after: null }]);
  log.push(...[48, 79].map((xid) => ({ gpuUuid: 'GPU-0', instanceId: 3, xid })));
  expect(await next(100)).toBeNull();
  expect(asked).toHaveLength(1);
  expect([await next(0), await next(0), await next(0)]).toEqual([48, 79, null]);
  log.push({ gpuUuid: 'GPU-0', instanceId: 3, xid: 94 });
  let told: number | null = null;
  for (let looks = 0; looks < 6 && told === null; looks += 1) told = await next(100);
  expect(told).toBe(94);
  expect(nowMs).toBeLessThanOrEqual(2000);
});
