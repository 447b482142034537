/** Who leads, on the API server in memory or a real one. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { clusterByApi } from '../../../test/support/cluster-by-api.js';
import { hurriedClock } from '../../../test/support/cluster-on-server.js';
import { kubernetesLease } from './leader-lease.js';

const holdsSeconds = 15;
const name = 'mica-controller';

async function twoLeases() {
  const made = await clusterByApi();
  onTestFinished(() => made.close());
  let nowMs = 1_000_000;
  const clockAhead = (byMs: number) => ({ ...hurriedClock, nowMs: () => nowMs + byMs });
  const { connection } = made.api;
  const of = (identity: string, byMs: number) =>
    kubernetesLease({
      connection,
      clock: clockAhead(byMs),
      namespace: 'default',
      name,
      identity,
      holdsSeconds,
    });
  // Their clocks are an hour apart, which must not matter.
  const pass = (seconds: number): void => void (nowMs += seconds * 1000);
  return { ...made, one: of('one', 0), other: of('other', 3_600_000), pass, now: () => nowMs };
}

describe('a lease', () => {
  it('is held by one; the other gets it when it was not renewed for as long as it holds', async () => {
    const { one, other, pass, now } = await twoLeases();
    expect(await one.hold()).toEqual({ kind: 'held', untilMs: now() + holdsSeconds * 1000 });
    expect(await other.hold()).toEqual({ kind: 'other', holder: 'one' });
    for (let round = 0; round < 3; round += 1) {
      pass(10);
      expect((await one.hold()).kind).toBe('held');
      expect((await other.hold()).kind).toBe('other');
    }
    pass(14);
    expect((await other.hold()).kind).toBe('other');
    pass(2);
    expect((await other.hold()).kind).toBe('held');
    expect(await one.hold()).toEqual({ kind: 'other', holder: 'other' });
  });

  it('that is given back is free at once', async () => {
    const { one, other, cluster } = await twoLeases();
    await one.hold();
    await other.release();
    expect((await other.hold()).kind).toBe('other');
    await one.release();
    expect((await other.hold()).kind).toBe('held');
    const [lease] = await cluster.list('leases.coordination.k8s.io', 'default');
    expect(lease).toMatchObject({
      metadata: { name },
      spec: { holderIdentity: 'other', leaseTransitions: 1 },
    });
  });

  it('two that try at once: one gets it', async () => {
    const { one, other } = await twoLeases();
    const answers = await Promise.all([one.hold(), other.hold()]);
    expect(answers.filter(({ kind }) => kind === 'held')).toHaveLength(1);
  });
});
