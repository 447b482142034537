import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { systemClock } from './clock.js';

describe('the system clock', () => {
  it('waits as long as it is told', async () => {
    const beforeMs = systemClock.nowMs();
    expect(Math.abs(beforeMs - Date.now())).toBeLessThan(1000);
    await systemClock.sleep(20);
    // Timers and the wall clock are not the same, to a millisecond.
    expect(systemClock.nowMs() - beforeMs).toBeGreaterThanOrEqual(18);
  });

  it('wakes up when it is told to, and does not fall asleep after that', async () => {
    const alarm = new AbortController();
    const asleep = systemClock.sleep(60_000, alarm.signal);
    alarm.abort();
    await asleep;
    await systemClock.sleep(60 * 24 * 3600 * 1000, alarm.signal);
  });

  it('does not wait for less than nothing, nor end a wait of a month at once', async () => {
    await systemClock.sleep(-5);
    vi.useFakeTimers({ toFake: ['setTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const warned = vi.spyOn(process, 'emitWarning');
    let isOver = false;
    void systemClock.sleep(30 * 24 * 3600 * 1000).then(() => (isOver = true));
    await new Promise((resolve) => setImmediate(resolve));
    expect(isOver).toBe(false);
    expect(warned).not.toHaveBeenCalled();
  });
});
