import { describe, expect, it } from 'vitest';
import type { LeaseView } from '#ports/lease-desk';
import { screenOn } from '../../terminal/screen.js';
import { describeTop } from './describe-top.js';
import type { TopSlice } from './top-rows.js';

const screen = screenOn({ out: { write: () => undefined }, err: { write: () => undefined }, env: {} });
const slice = (more: Partial<TopSlice>): TopSlice => ({
  ...{ slice: '0/1g.24gb:0', gpu: 0, profile: '1g.24gb', start: 0, state: 'free', lease: null, why: null },
  ...{ usedMiB: 0, totalMiB: 24_000, processes: [], ...more },
});
const lease: LeaseView = {
  ...{ id: 'ab12', tenant: null, slices: [], pid: 42, state: 'held', groups: [7], heldMs: 90_000 },
  command: ['python', 'train.py\u001b[2J'],
};

function lines(...rows: readonly TopSlice[]): readonly string[] {
  const text = describeTop(screen, { seen: [], rows, view: { queue: [], quarantine: [] } });
  return text.split('\n').slice(1);
}

describe('mica top for people', () => {
  it('shows memory as a bar: what is in use at all shows, what is not known is not drawn', () => {
    const bars = [0, 1, 12_000, 24_000, null].map((usedMiB) => lines(slice({ usedMiB }))[0]);
    expect(bars).toEqual([
      expect.stringContaining('·········· 0 MiB of 23.4 GiB'),
      expect.stringContaining('█········· 1 MiB of 23.4 GiB'),
      expect.stringContaining('█████····· 11.7 GiB of 23.4 GiB'),
      expect.stringContaining('██████████ 23.4 GiB of 23.4 GiB'),
      expect.stringContaining('·········· of 23.4 GiB'),
    ]);
  });

  it('says who has a slice and who is in it, without what a terminal would obey', () => {
    const processes = [{ pid: 4211, name: 'python', usedMiB: 512 }];
    expect(lines(slice({ state: 'leased', lease, processes }))).toEqual([
      expect.stringMatching(/ab12 +pid 42 +1m 30s +python train\.py\\x1b\[2J$/),
      expect.stringMatching(/^ +python \(pid 4211, 512 MiB\)$/),
    ]);
    expect(lines(slice({ state: 'leased', lease: { ...lease, state: 'gone' } }))[0]).toContain(
      'pid 42, gone',
    );
    expect(lines(slice({ state: 'taken', processes }))).toEqual([
      expect.stringMatching(/in use without a lease$/),
      expect.stringContaining('python (pid 4211'),
    ]);
    expect(lines(slice({ state: 'quarantine', why: 'Xid 94' }))[0]).toMatch(/quarantine$/);
  });

  it('says so where there is nothing', () => {
    expect(describeTop(screen, { seen: [], rows: [], view: { queue: [], quarantine: [] } })).toContain(
      'no slice',
    );
  });
});
