import { describe, expect, it } from 'vitest';
import type { AuditedWorkload } from '#core/audit/answer';
import { sampleAudit } from '../../../test/support/sample-audit.js';
import { changeOf, changeText, deviceMiB, deviceName } from './device.js';

const [first] = sampleAudit.workloads;
const h100 = 'h100-80gb-sxm';

function change(changes: Partial<AuditedWorkload>): string {
  if (first === undefined) throw new Error('the sample has no workloads');
  return changeText(changeOf({ ...first, current: { model: h100, profile: null }, ...changes }));
}

describe('changeText', () => {
  it.each<[string, Partial<AuditedWorkload>, string]>([
    [
      'a slice of the same card',
      { verdict: 'slice', recommended: { model: h100, profile: '1g.10gb' } },
      'H100 80GB HBM3 -> 1g.10gb (-69.9 GiB)',
    ],
    [
      'a slice of another card',
      { verdict: 'slice', recommended: { model: 'a30-24gb', profile: '1g.6gb' } },
      'H100 80GB HBM3 -> A30 1g.6gb (-73.8 GiB)',
    ],
    [
      'a larger slice',
      {
        verdict: 'slice',
        current: { model: h100, profile: '1g.10gb' },
        recommended: { model: h100, profile: '2g.20gb' },
      },
      'H100 80GB HBM3 1g.10gb -> 2g.20gb (+9.9 GiB)',
    ],
    [
      'several whole cards',
      { verdict: 'whole-gpu', devicesEach: 4, recommended: null },
      '4 x H100 80GB HBM3 (stays)',
    ],
    [
      'a slice that needs its whole card',
      { verdict: 'whole-gpu', current: { model: h100, profile: '3g.40gb' }, recommended: null },
      'H100 80GB HBM3 3g.40gb -> H100 80GB HBM3',
    ],
    ['nothing', { verdict: 'no-gpu', recommended: null }, 'H100 80GB HBM3 -> no GPU (-79.6 GiB)'],
    ['too little known', { verdict: 'unknown', recommended: null }, 'H100 80GB HBM3 -> ?'],
    ['sharing, of no slice', { verdict: 'share', recommended: null }, 'H100 80GB HBM3 -> shared'],
  ])('%s', (_, changes, text) => {
    expect(change(changes)).toBe(text);
  });
});

it('a card or profile that nobody knows has a name and no memory', () => {
  expect(deviceName({ model: null, profile: null })).toBe('unknown GPU');
  expect(deviceName({ model: 'gpu-from-tomorrow', profile: '1g.1tb' })).toBe('gpu-from-tomorrow 1g.1tb');
  expect(deviceMiB({ model: 'gpu-from-tomorrow', profile: null })).toBeNull();
  expect(deviceMiB({ model: h100, profile: '9g.999gb' })).toBeNull();
});
