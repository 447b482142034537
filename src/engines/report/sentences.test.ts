import { describe, expect, it } from 'vitest';
import { sampleAudit } from '../../../test/support/sample-audit.js';
import { droppedText, rarePeakText, savingTitle, sentence, timeText } from './sentences.js';

const { totals } = sampleAudit;
const rare = sampleAudit.workloads.find(({ rarePeak }) => rarePeak !== null);

describe('savingTitle', () => {
  const none = { now: 3, after: 3, freed: 0 };
  it.each([
    ['money and GPUs', totals, 'Save $42,705 a month: 14 GPUs do the work of 27'],
    ['no price', { ...totals, usdPerMonth: null }, '14 GPUs do the work of 27'],
    [
      'one GPU is left',
      { ...totals, gpus: { now: 2, after: 1, freed: 1 }, usdPerMonth: null },
      '1 GPU does the work of 2',
    ],
    ['cheaper cards, as many', { ...totals, gpus: none }, 'Save $42,705 a month'],
    [
      'nothing',
      { ...totals, gpus: none, usdPerMonth: { now: 9, after: 9, saved: 0 } },
      'Slices free none of 3 GPUs',
    ],
    ['no GPU', { ...totals, gpus: { now: 0, after: 0, freed: 0 } }, 'No GPUs were seen'],
  ])('%s', (_, some, title) => {
    expect(savingTitle(some)).toBe(title);
  });
});

it('a rare peak is a choice before it is taken, and a risk after', () => {
  if (rare === undefined) throw new Error('the sample has no rare peak');
  expect(rarePeakText(rare, 'peak')).toBe(
    'The peak of 24.9 GiB is rare: 3 of 60,480 samples (3 minutes) are above the 23.1 GiB of 1g.24gb. ' +
      'With --strategy p99 it would get 1g.24gb, and run out of memory at such a peak.',
  );
  expect(rarePeakText(rare, 'p99')).toContain('--strategy p99 takes 1g.24gb all the same');
});

it('sentences, times and what was not believed', () => {
  expect([sentence('it fits'), sentence('It fits.')]).toEqual(['It fits.', 'It fits.']);
  expect([timeText('2026-02-01T08:15:00.000Z'), timeText('2026-12-31T00:00:00Z'), timeText('soon')]).toEqual([
    ...['1 Feb 2026 08:15', '31 Dec 2026', 'soon'],
  ]);
  expect(droppedText({ sentinel: 1, text: 0, notFinite: 2000, negative: 0 })).toBe(
    '1 beyond what any card can have, 2,000 NaN or infinite',
  );
  expect(droppedText({ sentinel: 0, text: 0, notFinite: 0, negative: 0 })).toBeNull();
});
