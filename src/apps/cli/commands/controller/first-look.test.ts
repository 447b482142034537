import { describe, expect, it } from 'vitest';
import { MicaError } from '#core/errors';
import type { News } from '#engines/reconcile/news';
import type { PolicyWatch } from '#ports/mig-policies';
import { VirtualClock } from '../../../../../test/support/virtual-clock.js';
import { firstLook } from './first-look.js';

const lost = new MicaError('server-unreachable', 'https://k8s does not answer');

/** Each try of the nodes gets the next answer, and the last one ever after. */
function begin(...answers: readonly (number | MicaError)[]) {
  const clock = new VirtualClock();
  const startMs = clock.nowMs();
  const news: News[] = [];
  const stop = new AbortController();
  let asked = 0;
  const send = async () => {
    const answer = answers[Math.min(asked, answers.length - 1)] ?? 200;
    asked += 1;
    if (answer instanceof MicaError) throw answer;
    return { status: answer, body: '{"message":"busy"}', retryAfterMs: null };
  };
  const look = firstLook({
    connection: { shown: 'https://k8s', send },
    policies: { watch: async () => ({ close: () => Promise.resolve() }) as PolicyWatch },
    ...{ clock, signal: stop.signal, onNews: (one: News) => void news.push(one) },
  });
  return { look, news, stop, clock, passedMs: () => clock.nowMs() - startMs, asked: () => asked };
}

describe('the first look of a controller', () => {
  it('waits for a cluster that comes, and says so once', async () => {
    const { look, news, asked } = begin(lost, lost, 503, 200);
    await look;
    expect(asked()).toBe(4);
    expect(news.map((one) => one.kind === 'trouble' && one.message)).toEqual([
      'https://k8s does not answer',
      'https://k8s answers with an error (503: busy).',
    ]);
  });

  it('gives up after a minute', async () => {
    const { look, passedMs } = begin(lost);
    await expect(look).rejects.toBe(lost);
    expect(passedMs()).toBe(60_000);
  });

  it('gives up at once where waiting changes nothing', async () => {
    const { look, passedMs } = begin(403);
    await expect(look).rejects.toMatchObject({ code: 'access-refused' });
    expect(passedMs()).toBe(0);
  });

  it('ends quietly where it is told to', async () => {
    const { look, stop, clock } = begin(lost);
    clock.in(5_000, () => stop.abort());
    await expect(look).resolves.toBeUndefined();
  });
});
