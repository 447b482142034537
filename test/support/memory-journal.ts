/**
 * A journal and its locks in memory, with what a file would do to values: they come back as JSON. Methods that a test
 * may replace, to fill the disk say, are not read-only.
 */
import type { ClosedJournal, JournalHistory, JournalStore } from '#ports/journal';

export class MemoryJournal implements JournalStore, JournalHistory {
  readonly #open = new Map<string, string[]>();
  #closed: { readonly id: string; readonly name: string; readonly lines: readonly string[] }[] = [];
  #closedCount = 0;
  readonly #locks = new Map<string, number>();

  /** The process that asks for locks. */
  pid = 100;

  readonly read = async (name: string): Promise<readonly unknown[]> => parsed(this.#open.get(name) ?? []);

  append = async (name: string, record: unknown): Promise<void> => {
    this.#open.set(name, [...(this.#open.get(name) ?? []), JSON.stringify(record)]);
  };

  readonly names = async (): Promise<readonly string[]> => [...this.#open.keys()];

  readonly close = async (name: string): Promise<void> => {
    const lines = this.#open.get(name);
    if (lines === undefined) return;
    this.#closed.push({ id: `${(this.#closedCount += 1)}-${name}`, name, lines });
    this.#open.delete(name);
  };

  readonly closed = async (): Promise<readonly ClosedJournal[]> =>
    this.#closed.map(({ id, name, lines }) => ({
      id,
      name,
      read: async () => parsed(this.#closed.some((one) => one.id === id) ? lines : []),
    }));

  forget: JournalHistory['forget'] = async (ids) => {
    this.#closed = this.#closed.filter(({ id }) => !ids.includes(id));
  };

  lock: JournalStore['lock'] = async (key) => {
    const holder = this.#locks.get(key);
    if (holder !== undefined) return { ok: false, pid: holder };
    this.#locks.set(key, this.pid);
    return { ok: true, release: async () => void this.#locks.delete(key) };
  };

  /** The process is gone, and its locks with it. */
  dropLocks(): void {
    this.#locks.clear();
  }
}

function parsed(lines: readonly string[]): readonly unknown[] {
  return lines.map((line): unknown => JSON.parse(line));
}
