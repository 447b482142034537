/** A journal and its locks in memory, with what a file would do to values: they come back as JSON. */
import type { ClosedJournal, JournalHistory, JournalStore } from '#ports/journal';

export class MemoryJournal implements JournalStore, JournalHistory {
  readonly #open = new Map<string, string[]>();
  readonly #closed: { readonly name: string; readonly lines: readonly string[] }[] = [];
  readonly #locks = new Map<string, number>();

  /** The process that asks for locks. */
  pid = 100;

  readonly read = async (name: string): Promise<readonly unknown[]> => parsed(this.#open.get(name) ?? []);

  /** Replaced where a test fills the disk. */
  append = async (name: string, record: unknown): Promise<void> => {
    this.#open.set(name, [...(this.#open.get(name) ?? []), JSON.stringify(record)]);
  };

  readonly names = async (): Promise<readonly string[]> => [...this.#open.keys()];

  readonly close = async (name: string): Promise<void> => {
    this.#closed.push({ name, lines: this.#open.get(name) ?? [] });
    this.#open.delete(name);
  };

  readonly closed = async (): Promise<readonly ClosedJournal[]> =>
    this.#closed.map(({ name, lines }, index) => ({
      id: `${index}-${name}`,
      name,
      read: async () => parsed(lines),
    }));

  readonly lock: JournalStore['lock'] = async (key) => {
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
