/** What every NodePools adapter promises. Each test gets a cluster with one running pool of GPUs that can be cut. */
import { describe, expect, it, onTestFinished } from 'vitest';
import type { CallOptions, NodePools, PoolDraft, PoolWish } from './node-pools.js';

export interface PoolBed {
  readonly pools: NodePools;
  /** The pool that is there: two nodes, scales from 1 to 4. */
  readonly old: string;
  /** A size that its GPUs can be cut into, and is not. */
  readonly size: string;
  /** Requests that changed something. */
  readonly changes: () => number;
  readonly close: () => Promise<void>;
}

export function nodePoolsContract(adapter: string, open: () => Promise<PoolBed>): void {
  const call: CallOptions = { signal: new AbortController().signal, say: () => undefined };

  async function bed(): Promise<PoolBed> {
    const opened = await open();
    onTestFinished(opened.close);
    return opened;
  }

  function wishOn({ old, size }: PoolBed, said: Partial<PoolWish> = {}): PoolWish {
    return { name: 'new', like: old, cut: size, sharers: 1, nodes: 2, labels: { mark: 'ours' }, ...said };
  }

  async function drafted(there: PoolBed, said: Partial<PoolWish> = {}): Promise<PoolDraft> {
    const draft = await there.pools.draft(wishOn(there, said));
    if (!draft.ok) throw new Error(draft.why.message);
    return draft.value;
  }

  describe(`NodePools: ${adapter}`, () => {
    it('lists what is there, and knows what is not', async () => {
      const { pools, old } = await bed();
      const listed = await pools.list();
      expect(listed.ok && listed.value.map(({ name }) => name)).toEqual([old]);
      expect(await pools.get(old)).toMatchObject({
        ok: true,
        value: { name: old, state: 'running', scaling: { minNodes: 1, maxNodes: 4 } },
      });
      expect(await pools.get('nobody')).toEqual({ ok: true, value: null });
    });

    it('drafts without changing anything, and says what a node will offer', async () => {
      const there = await bed();
      const draft = await drafted(there);
      expect(draft).toMatchObject({ name: 'new', nodes: 2, labels: { mark: 'ours' } });
      expect(draft.slices).toEqual([{ profile: there.size, perNode: expect.any(Number) }]);
      expect(draft.requests.every(({ command }) => (command?.length ?? 0) > 3)).toBe(true);
      expect(there.changes()).toBe(0);
    });

    it('refuses a pool like none that is there, and a size that is none', async () => {
      const there = await bed();
      const { pools } = there;
      expect(await pools.draft(wishOn(there, { like: 'nobody' }))).toMatchObject({
        ok: false,
        why: { kind: 'not-found' },
      });
      expect(await pools.draft(wishOn(there, { cut: '9g.99gb' }))).toMatchObject({
        ok: false,
        why: { kind: 'not-offered' },
      });
      expect(there.changes()).toBe(0);
    });

    it('makes what was drafted, once, however often it is asked for', async () => {
      const there = await bed();
      const draft = await drafted(there);
      const made = await there.pools.create(draft, call);
      expect(made).toMatchObject({
        ok: true,
        value: { name: 'new', state: 'running', slices: draft.slices },
      });
      const before = there.changes();
      expect(await there.pools.create(await drafted(there), call)).toEqual(made);
      expect(there.changes()).toBe(before);
      const view = await there.pools.get('new');
      expect(view.ok && view.value?.labels).toMatchObject(draft.labels);
    });

    it('never takes the pool of somebody else for its own', async () => {
      const there = await bed();
      await there.pools.create(await drafted(there), call);
      const other = await drafted(there, { labels: { mark: 'theirs' } });
      expect(await there.pools.create(other, call)).toMatchObject({ ok: false, why: { kind: 'name-taken' } });
    });

    it('holds scaling, and gives it back as another pool has it', async () => {
      const there = await bed();
      const { pools, old } = there;
      await pools.create(await drafted(there), call);
      const before = await pools.get(old);
      expect(await pools.holdScaling(old, call)).toEqual({ ok: true, value: null });
      const held = await pools.get(old);
      expect(held.ok && (held.value?.scaling?.maxNodes ?? 0)).toBeLessThanOrEqual(2);
      expect(await pools.restoreScaling(old, 'new', call)).toEqual({ ok: true, value: null });
      expect(await pools.get(old)).toEqual(before);
    });

    it('removes a pool, and is content where there is none', async () => {
      const { pools, old } = await bed();
      const closing = await pools.closing(old);
      expect(closing.ok && closing.value.at(-1)?.method).toBe('DELETE');
      expect(await pools.remove(old, call)).toEqual({ ok: true, value: null });
      expect(await pools.get(old)).toEqual({ ok: true, value: null });
      expect(await pools.remove(old, call)).toEqual({ ok: true, value: null });
    });

    it('gives a pool another size', async () => {
      const { pools, old } = await bed();
      expect(await pools.resize(old, 3, call)).toEqual({ ok: true, value: null });
      expect(await pools.resize('nobody', 3, call)).toMatchObject({ ok: false, why: { kind: 'not-found' } });
    });

    it('gives up where it is interrupted, and says that it goes on', async () => {
      const there = await bed();
      const signal = AbortSignal.abort();
      const answer = await there.pools.create(await drafted(there), { ...call, signal });
      expect(answer).toMatchObject({ ok: false, why: { kind: 'timed-out' } });
      expect(await there.pools.create(await drafted(there), call)).toMatchObject({ ok: true });
    });
  });
}
