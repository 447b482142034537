import { describe, expect, it } from 'vitest';
import type { News } from '#engines/reconcile/news';
import { healthOf } from './health.js';

function begin() {
  let nowMs = 1_000_000;
  const health = healthOf({ nowMs: () => nowMs, sleep: () => Promise.resolve() });
  const hear = (...news: readonly News[]): void => news.forEach(health.onNews);
  const wait = (seconds: number): void => void (nowMs += seconds * 1000);
  const look = (): readonly [boolean, boolean] => [health.alive().ok, health.ready().ok];
  return { health, hear, wait, look };
}

const turn: News = { kind: 'turn', policies: [], changing: 0 };
const trouble: News = { kind: 'trouble', message: 'no answer' };

describe('health', () => {
  it('gives a start its time, and no more', () => {
    const { health, wait, look } = begin();
    expect(look()).toEqual([true, false]);
    wait(121);
    expect(look()).toEqual([false, false]);
    expect(health.alive().says).toBe(
      'starting: it does not lead yet, and knows of nobody who does; last sign of life 121 s ago',
    );
  });

  it('is good for as long as it follows', () => {
    const { health, hear, wait, look } = begin();
    hear({ kind: 'following', holder: 'other-1' });
    wait(100_000);
    expect(look()).toEqual([true, true]);
    expect(health.alive().says).toBe('following other-1, which leads');
  });

  it('wants turns of a leader, whatever else it says', () => {
    const { hear, wait, look } = begin();
    hear({ kind: 'leading' });
    expect(look()).toEqual([true, false]);
    hear(turn);
    expect(look()).toEqual([true, true]);
    wait(119);
    expect(look()).toEqual([true, true]);
    wait(2);
    hear(trouble);
    expect(look()).toEqual([false, false]);
    hear(turn);
    expect(look()).toEqual([true, true]);
  });

  it('does not start anew what only cannot reach the cluster, but is not ready', () => {
    const { hear, wait, look } = begin();
    hear({ kind: 'leading' }, turn, { kind: 'stepped-down', why: 'the lease could not be renewed' });
    for (let minute = 0; minute < 10; minute += 1) {
      wait(60);
      hear(trouble);
    }
    expect(look()).toEqual([true, false]);
    wait(121);
    expect(look()).toEqual([false, false]);
  });
});
