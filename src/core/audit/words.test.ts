import { expect, it } from 'vitest';
import { counted, dollars, duration, grouped, listed, percent } from './words.js';

it('groups, counts and shortens', () => {
  expect([999, 20_160, 1_234_567].map(grouped)).toEqual(['999', '20,160', '1,234,567']);
  expect([counted(1, 'GPU'), counted(2, 'GPU')]).toEqual(['1 GPU', '2 GPUs']);
  expect([0, 0.004, 0.624, 1].map(percent)).toEqual(['0%', '0.4%', '62%', '100%']);
  expect([30_000, 600_000, 90 * 60_000, 7 * 86_400_000 - 60_000].map(duration)).toEqual([
    '30 seconds',
    '10 minutes',
    '1.5 hours',
    '7 days',
  ]);
  expect([dollars(38_400.4), dollars(-12)]).toEqual(['$38,400', '-$12']);
  expect([['a'], ['a', 'b'], ['a', 'b', 'c', 'd', 'e']].map(listed)).toEqual([
    'a',
    'a and b',
    'a, b, c and 2 more',
  ]);
});
