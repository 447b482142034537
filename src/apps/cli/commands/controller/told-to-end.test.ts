import { afterEach, expect, it, vi } from 'vitest';
import { untilToldToEnd } from './told-to-end.js';

afterEach(() => void vi.restoreAllMocks());

it('hears the first signal, ends the process at the second, and gives signals back', () => {
  const exit = vi.spyOn(process, 'exit').mockImplementation(() => undefined as never);
  const before = process.listenerCount('SIGTERM');
  const { signal, received, release } = untilToldToEnd();
  expect([signal.aborted, received()]).toEqual([false, null]);
  process.emit('SIGTERM', 'SIGTERM');
  expect([signal.aborted, received()]).toEqual([true, 'SIGTERM']);
  expect(exit).not.toHaveBeenCalled();
  process.emit('SIGINT', 'SIGINT');
  expect(exit).toHaveBeenCalledWith(3);
  release();
  expect(process.listenerCount('SIGTERM')).toBe(before);
});
