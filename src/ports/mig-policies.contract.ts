/** What every MigPolicies must do, as a suite that each adapter runs on a cluster of its own making. */
import { describe, expect, it, onTestFinished } from 'vitest';
import type { ConditionType, MigPolicySpec, PolicyStatus } from '#core/cluster/policy/mig-policy';
import type { MigPolicies, PolicyWatch, SeenPolicy } from './mig-policies.js';

/** What others do to the policies meanwhile. */
export interface PolicyWorld {
  /** As somebody writes it: makes the policy, or changes its spec. What is left out is not said. */
  readonly put: (name: string, spec: Partial<MigPolicySpec>) => Promise<void>;
  /** One that is there, and that nobody can follow. */
  readonly putImpossible: (name: string) => Promise<void>;
  /** Touches it, and changes nothing that it asks. */
  readonly annotate: (name: string) => Promise<void>;
  readonly remove: (name: string) => Promise<void>;
  /** When the condition last turned; `null`: there is none. */
  readonly turnedMs: (name: string, type: ConditionType) => Promise<number | null>;
}

export interface PoliciesContractSetup {
  readonly policies: MigPolicies;
  readonly world: PolicyWorld;
  readonly close: () => Promise<void>;
}

const never = new AbortController().signal;

const whole: MigPolicySpec = {
  nodeSelector: { pool: 'gpus', 'example.com/tier': '' },
  backend: 'gke',
  mode: 'Auto',
  allowedProfiles: ['1g.24gb+me', 'whole'],
  maxUnavailable: 3,
  evictions: 'Allowed',
  pendingMs: 0,
  cooldownMs: 90_000,
  maintenanceWindows: [
    { days: ['Sat', 'Sun'], start: '22:00', durationMinutes: 240, timeZone: 'Europe/Berlin' },
    { days: [], start: '00:30', durationMinutes: 1, timeZone: 'UTC' },
  ],
};

const leftOut: MigPolicySpec = {
  nodeSelector: {},
  backend: 'gpu-operator',
  mode: 'Recommend',
  allowedProfiles: null,
  maxUnavailable: 1,
  evictions: 'Never',
  pendingMs: 10_000,
  cooldownMs: 600_000,
  maintenanceWindows: [],
};

export const aStatus: PolicyStatus = {
  observedGeneration: 1,
  nodes: 2,
  waitingPods: 3,
  stuckNodes: 1,
  conditions: [
    { type: 'Ready', status: 'True', reason: 'Following', message: '' },
    { type: 'Satisfied', status: 'False', reason: 'PodsWait', message: '3 pods wait' },
  ],
  recommendation: {
    summary: 'cut 1 node anew',
    nodes: [{ node: 'gpu-1', before: '4 x 1g.24gb', after: '1 x 2g.48gb, 2 x 1g.24gb' }],
    movedPods: 1,
    unplaced: [{ workload: 'team/llm', count: 2, why: 'no node is large enough' }],
  },
  lastChange: {
    node: 'gpu-2',
    outcome: 'done',
    message: 'offers 2 x 2g.48gb',
    atMs: 1_790_000_000_123,
  },
};

export function migPoliciesContract(name: string, setup: () => Promise<PoliciesContractSetup>): void {
  const begin = async () => {
    const made = await setup();
    onTestFinished(() => made.close());
    await made.world.put('whole', whole);
    await made.world.put('left-out', {});
    const watch = await made.policies.watch(never);
    onTestFinished(() => watch.close());
    return { ...made, watch };
  };

  describe(`${name}: the contract of policies`, () => {
    it('all that there are, by name, each with its spec and what is left out filled in', async () => {
      const { watch } = await begin();
      expect(watch.policies().map(specOf)).toEqual([
        ['left-out', leftOut],
        ['whole', whole],
      ]);
      expect(watch.trouble()).toBeNull();
      for (const { policy, status } of watch.policies()) {
        expect(policy).toMatchObject({ generation: 1, createdMs: expect.any(Number) });
        expect(status).toBeNull();
      }
      expect(new Set(watch.policies().map(({ policy }) => policy.uid)).size).toBe(2);
    });

    it('sees what comes, changes and goes; what did not change stays the same object', async () => {
      const { watch, world } = await begin();
      const [, before] = watch.policies();
      expect(watch.policies()).toBe(watch.policies());
      await world.put('new', { mode: 'Auto' });
      await until(watch, () => watch.policies().length === 3);
      await world.put('new', { mode: 'Recommend', maxUnavailable: 2 });
      await until(watch, () => of(watch, 'new')?.policy.generation === 2);
      expect(specOf(of(watch, 'new'))).toEqual(['new', { ...leftOut, maxUnavailable: 2 }]);
      await world.remove('left-out');
      await until(watch, () => of(watch, 'left-out') === undefined);
      expect(of(watch, 'whole')).toBe(before);
    });

    it('one that cannot be followed is there, and says why', async () => {
      const { watch, world } = await begin();
      await world.putImpossible('odd');
      await until(watch, () => of(watch, 'odd') !== undefined);
      expect(of(watch, 'odd')).toMatchObject({ ok: false, policy: { name: 'odd', generation: 1 } });
      const odd = of(watch, 'odd');
      expect(odd?.ok === false ? odd.why : '').toContain('spec.');
      await world.put('odd', {});
      await until(watch, () => of(watch, 'odd')?.ok === true);
    });

    it('a policy made anew under the same name is another one', async () => {
      const { watch, world, policies } = await begin();
      const old = mustBe(of(watch, 'whole')).policy;
      await world.remove('whole');
      await world.put('whole', whole);
      await until(watch, () => (of(watch, 'whole')?.policy.uid ?? old.uid) !== old.uid);
      const answer = await policies.writeStatus(old, aStatus, 0);
      expect(answer.ok ? 'written' : answer.why.kind).toBe('gone');
      expect(of(watch, 'whole')?.status).toBeNull();
    });

    it('a status is read as it was written, and is no change', async () => {
      const { watch, policies } = await begin();
      const { policy } = mustBe(of(watch, 'whole'));
      const since = watch.version();
      expect(await policies.writeStatus(policy, aStatus, 1000)).toEqual({ ok: true, value: null });
      await expect.poll(() => of(watch, 'whole')?.status).toEqual(aStatus);
      expect(await policies.writeStatus(policy, { ...aStatus, nodes: 7 }, 2000)).toMatchObject({ ok: true });
      await expect.poll(() => of(watch, 'whole')?.status?.nodes).toBe(7);
      expect(watch.version()).toBe(since);
      expect(specOf(of(watch, 'whole'))).toEqual(['whole', whole]);
      expect(mustBe(of(watch, 'whole')).policy).toEqual(policy);
    });

    it('what is no longer so is taken away', async () => {
      const { watch, policies } = await begin();
      const { policy } = mustBe(of(watch, 'whole'));
      await policies.writeStatus(policy, aStatus, 1000);
      const less = { ...aStatus, conditions: [], recommendation: null, lastChange: null };
      expect(await policies.writeStatus(policy, less, 2000)).toMatchObject({ ok: true });
      await expect.poll(() => of(watch, 'whole')?.status).toEqual(less);
    });

    it('back and forth at once: the last word stands', async () => {
      const { watch, policies } = await begin();
      const { policy } = mustBe(of(watch, 'whole'));
      for (const nodes of [1, 2, 1, 2, 1]) await policies.writeStatus(policy, { ...aStatus, nodes }, 1000);
      await policies.writeStatus(policy, aStatus, 1000);
      await expect.poll(() => of(watch, 'whole')?.status).toEqual(aStatus);
      await policies.writeStatus(policy, { ...aStatus, nodes: 1 }, 1000);
      await expect.poll(() => of(watch, 'whole')?.status?.nodes).toBe(1);
    });

    it('a condition knows when it last turned: not when it was last said, or said in other words', async () => {
      const { watch, policies, world } = await begin();
      const { policy } = mustBe(of(watch, 'whole'));
      const say = (status: 'True' | 'False', message: string, nowMs: number) => {
        const ready = { type: 'Ready', status, reason: 'Because', message } as const;
        const [, satisfied] = aStatus.conditions;
        const conditions = satisfied === undefined ? [ready] : [ready, satisfied];
        return policies.writeStatus(policy, { ...aStatus, conditions }, nowMs);
      };
      await say('True', '', 10_000);
      await say('True', 'still', 20_000);
      expect(await world.turnedMs('whole', 'Ready')).toBe(10_000);
      await say('False', 'not any more', 30_000);
      expect(await world.turnedMs('whole', 'Ready')).toBe(30_000);
      expect(await world.turnedMs('whole', 'Satisfied')).toBe(10_000);
      expect(await world.turnedMs('whole', 'Degraded')).toBeNull();
    });

    it('the status of a policy that is gone, or that cannot be followed', async () => {
      const { watch, policies, world } = await begin();
      const { policy } = mustBe(of(watch, 'left-out'));
      await world.remove('left-out');
      const answer = await policies.writeStatus(policy, aStatus, 0);
      expect(answer.ok ? 'written' : answer.why.kind).toBe('gone');
      await world.putImpossible('odd');
      await until(watch, () => of(watch, 'odd') !== undefined);
      const odd = mustBe(of(watch, 'odd')).policy;
      expect(await policies.writeStatus(odd, aStatus, 0)).toEqual({ ok: true, value: null });
      await expect.poll(() => of(watch, 'odd')?.status).toEqual(aStatus);
    });

    it('labels and annotations of a policy ask for nothing', async () => {
      const { watch, world } = await begin();
      const since = watch.version();
      await world.annotate('whole');
      await world.put('last', {});
      await until(watch, () => of(watch, 'last') !== undefined);
      expect(watch.version()).toBe(since + 1);
    });

    it('`changed` waits for a change, and ends quietly when nobody wants to know any more', async () => {
      const { watch, world } = await begin();
      const since = watch.version();
      await watch.changed(since - 1, never);
      let isDone = false;
      const waiting = watch.changed(since, never).then(() => (isDone = true));
      await Promise.resolve();
      expect(isDone).toBe(false);
      await world.put('new', {});
      await waiting;
      expect(watch.version()).toBeGreaterThan(since);
      const enough = new AbortController();
      const ended = watch.changed(watch.version() + 1000, enough.signal);
      enough.abort();
      await ended;
      const closed = watch.changed(watch.version() + 1000, never);
      await watch.close();
      await closed;
    });
  });
}

export async function until(watch: PolicyWatch, isSo: () => boolean): Promise<void> {
  const end = AbortSignal.timeout(10_000);
  for (;;) {
    const since = watch.version();
    if (isSo()) return;
    if (end.aborted) throw new Error('it never came');
    await watch.changed(since, end);
  }
}

function of(watch: PolicyWatch, name: string): SeenPolicy | undefined {
  return watch.policies().find(({ policy }) => policy.name === name);
}

function specOf(seen: SeenPolicy | undefined): readonly [string, MigPolicySpec | string] {
  if (seen === undefined) return ['', 'no such policy'];
  return [seen.policy.name, seen.ok ? seen.policy.spec : seen.why];
}

function mustBe(seen: SeenPolicy | undefined): SeenPolicy {
  if (seen === undefined) throw new Error('there is no such policy');
  return seen;
}
