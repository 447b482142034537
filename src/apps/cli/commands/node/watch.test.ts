import { describe, expect, it } from 'vitest';
import { screenOn } from '../../terminal/screen.js';
import { drawFrame, everyMsOf, watching } from './watch.js';

describe('watching', () => {
  it('shows at once and after each sleep, until it is stopped', async () => {
    const stop = new AbortController();
    const slept: number[] = [];
    const clock = {
      nowMs: () => 1_700_000_000_123 + slept.length * 5000,
      sleep: async (ms: number) => {
        slept.push(ms);
        if (slept.length === 3) stop.abort();
      },
    };
    const shown: string[] = [];
    await watching({ clock, everyMs: 5000, signal: stop.signal }, async (at) => void shown.push(at));
    expect(slept).toEqual([5000, 5000, 5000]);
    expect(shown).toEqual(['2023-11-14T22:13:20Z', '2023-11-14T22:13:25Z', '2023-11-14T22:13:30Z']);
  });

  it('shows nothing where it was stopped before, and lets a failure out', async () => {
    const clock = { nowMs: () => 0, sleep: async () => undefined };
    await watching({ clock, everyMs: 1, signal: AbortSignal.abort() }, async () => expect.unreachable());
    const failing = watching({ clock, everyMs: 1, signal: new AbortController().signal }, async () => {
      throw new Error('lost');
    });
    await expect(failing).rejects.toThrow('lost');
  });

  it.each([
    [true, 2000],
    ['0.5', 500],
    ['60', 60_000],
  ] as const)('%s: every %d ms', (flag, ms) => {
    expect(everyMsOf(flag)).toBe(ms);
  });

  it.each(['0', '-1', 'soon', '90000'])('not every %s seconds', (flag) => {
    expect(() => everyMsOf(flag)).toThrow('--watch');
  });
});

describe('a frame', () => {
  const drawn = (isTTY: boolean): string => {
    let text = '';
    const out = { write: (piece: string) => (text += piece), isTTY, columns: 80 };
    drawFrame(screenOn({ out, err: out, env: {} }), 'one\ntwo');
    return text;
  };

  it('takes the place of the last one on a terminal', () => {
    expect(drawn(true)).toBe('\u001b[Hone\u001b[K\ntwo\u001b[K\n\u001b[J');
  });

  it('comes after it in a pipe, without anything that is for a terminal', () => {
    expect(drawn(false)).toBe('one\ntwo\n\n');
  });
});
