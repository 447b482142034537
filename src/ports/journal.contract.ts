/** What every JournalStore must do, as a suite that each adapter runs on stores of its own making. */
import { describe, expect, it, onTestFinished } from 'vitest';
import type { JournalHistory, JournalStore } from './journal.js';

export interface JournalContractSetup {
  readonly store: JournalStore & JournalHistory;
  /** Another store on the same records, as the next process would open it. */
  readonly reopen: () => Promise<JournalStore & JournalHistory>;
  readonly close: () => Promise<void>;
}

/** Nothing has been written before. */
export function journalContract(name: string, setup: () => Promise<JournalContractSetup>): void {
  const begin = async () => {
    const made = await setup();
    onTestFinished(() => made.close());
    return made;
  };

  describe(`${name}: the contract of a journal`, () => {
    it('is empty at first', async () => {
      const { store } = await begin();
      expect(await store.names()).toEqual([]);
      expect(await store.closed()).toEqual([]);
      expect(await store.read('change')).toEqual([]);
      await store.close('change');
      expect(await store.closed()).toEqual([]);
    });

    it('gives records back in order, to the next process too', async () => {
      const { store, reopen } = await begin();
      const records = [{ step: 1 }, 'two\n', null, [4, { five: '⑤ "\\' }], 6.5, false];
      for (const record of records) await store.append('GPU-1/a b', record);
      await store.append('other', 1);
      for (const one of [store, await reopen()]) {
        expect(await one.read('GPU-1/a b')).toEqual(records);
        expect([...(await one.names())].sort()).toEqual(['GPU-1/a b', 'other']);
      }
    });

    it('keeps the order of appends that do not wait for each other', async () => {
      const { store } = await begin();
      const numbers = Array.from({ length: 30 }, (_, index) => index);
      await Promise.all(numbers.map((number) => store.append('change', number)));
      expect(await store.read('change')).toEqual(numbers);
    });

    it('keeps what a caller passed in as it was then', async () => {
      const { store } = await begin();
      const record = { steps: [1] };
      const written = store.append('change', record);
      record.steps.push(2);
      await written;
      expect(await store.read('change')).toEqual([{ steps: [1] }]);
    });

    it('refuses what it could not give back', async () => {
      const { store } = await begin();
      await store.append('change', 1);
      await expect(store.append('change', undefined)).rejects.toThrow(TypeError);
      await store.append('change', 2);
      expect(await store.read('change')).toEqual([1, 2]);
    });

    it('keeps closed journals in order and frees their names', async () => {
      const { store, reopen } = await begin();
      for (const [name, record] of [
        ['b', 1],
        ['a', 2],
        ['b', 3],
      ] as const) {
        await store.append(name, record);
        await store.close(name);
        expect(await store.names()).toEqual([]);
        expect(await store.read(name)).toEqual([]);
      }
      const closed = await (await reopen()).closed();
      expect(closed.map(({ name }) => name)).toEqual(['b', 'a', 'b']);
      expect(new Set(closed.map(({ id }) => id)).size).toBe(3);
      expect(await Promise.all(closed.map((journal) => journal.read()))).toEqual([[1], [2], [3]]);
    });

    it('forgets what it is told to, and nothing else', async () => {
      const { store, reopen } = await begin();
      for (const [index, name] of ['a', 'b', 'a', 'c'].entries()) {
        await store.append(name, index);
        await store.close(name);
      }
      await store.append('a', 'open');
      const before = await store.closed();
      const ids = before.map(({ id }) => id);
      await store.forget([ids[0] ?? '', ids[3] ?? '', 'never-there']);
      for (const one of [store, await reopen()]) {
        const left = await one.closed();
        expect(left.map(({ id }) => id)).toEqual([ids[1], ids[2]]);
        expect(await Promise.all(left.map((journal) => journal.read()))).toEqual([[1], [2]]);
        expect(await one.read('a')).toEqual(['open']);
      }
      // Listed before it went.
      expect(await before[0]?.read()).toEqual([]);
      await store.forget([ids[0] ?? '']);
      await store.close('a');
      const last = (await store.closed()).at(-1);
      expect(last?.name).toBe('a');
      expect(ids).not.toContain(last?.id);
    });

    it('has one lock per key, until it is released', async () => {
      const { store, reopen } = await begin();
      const first = await store.lock('GPU-1');
      expect(first.ok).toBe(true);
      expect(await (await reopen()).lock('GPU-1')).toEqual({ ok: false, pid: process.pid });
      expect((await store.lock('GPU-2')).ok).toBe(true);
      if (first.ok) await first.release();
      expect((await store.lock('GPU-1')).ok).toBe(true);
    });
  });
}
