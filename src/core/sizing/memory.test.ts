import { expect, it } from 'vitest';
import { withHeadroom } from './memory.js';

it.each([
  [20480, 0.1, 22528],
  [10000, 0.1, 11000],
  [9000, 0.1, 9900],
  [9001, 0.1, 9902],
  [7, 0, 7],
  [100, 0.25, 125],
])('%i MiB and %d headroom are %i MiB, rounded up and not twice', (memoryMiB, headroom, needed) => {
  expect(withHeadroom(memoryMiB, headroom)).toBe(needed);
});
