/** The policies of a cluster as they are known now, and whether one of them is another than when somebody last looked. */
import type { SeenPolicy } from '#core/cluster/policy/mig-policy';
import type { ReadPolicy } from './read-policy.js';

interface Shown extends ReadPolicy {
  /** All but what it says of itself. */
  readonly asked: string;
}

export class PolicyView {
  private readonly all = new Map<string, Shown>();
  /** By uid: the version that a write of ours made, until the watch has shown it. */
  private readonly unseen = new Map<string, string>();
  private readonly waiting = new Set<() => void>();
  private list: readonly SeenPolicy[] | undefined;
  private changes = 0;

  get version(): number {
    return this.changes;
  }

  policies(): readonly SeenPolicy[] {
    this.list ??= [...this.all.values()]
      .map(({ seen }) => seen)
      .sort((a, b) => (a.policy.name < b.policy.name ? -1 : 1));
    return this.list;
  }

  put(name: string, read: ReadPolicy): void {
    const asked = JSON.stringify({ ...read.seen, status: null });
    const before = this.all.get(name);
    const { uid } = read.seen.policy;
    if (this.unseen.get(uid) === read.resourceVersion) this.unseen.delete(uid);
    if (before?.asked === asked && before.resourceVersion === read.resourceVersion) return;
    this.all.set(name, { ...read, asked });
    this.list = undefined;
    if (before?.asked !== asked) this.countChange();
  }

  remove(name: string): void {
    const before = this.all.get(name);
    if (before === undefined) return;
    this.all.delete(name);
    this.unseen.delete(before.seen.policy.uid);
    this.list = undefined;
    this.countChange();
  }

  replace(all: ReadonlyMap<string, ReadPolicy>): void {
    for (const name of [...this.all.keys()]) if (!all.has(name)) this.remove(name);
    for (const [name, read] of all) this.put(name, read);
  }

  /** What that policy says of itself, if that is sure: no write of ours is still to be seen. */
  latest({ name, uid }: { readonly name: string; readonly uid: string }): ReadPolicy | null {
    const known = this.all.get(name);
    return known?.seen.policy.uid === uid && !this.unseen.has(uid) ? known : null;
  }

  wrote({ name, uid }: { readonly name: string; readonly uid: string }, resourceVersion: string): void {
    const known = this.all.get(name);
    if (known?.seen.policy.uid === uid && known.resourceVersion !== resourceVersion)
      this.unseen.set(uid, resourceVersion);
  }

  /** Of something beside the policies, too. */
  countChange(): void {
    this.changes += 1;
    this.wakeAll();
  }

  wakeAll(): void {
    for (const wake of [...this.waiting]) wake();
  }

  /** Until something changed after `since`, or one of the signals aborts. */
  async changed(since: number, ...ends: readonly AbortSignal[]): Promise<void> {
    while (this.changes <= since && !ends.some(({ aborted }) => aborted)) {
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          this.waiting.delete(wake);
          for (const end of ends) end.removeEventListener('abort', wake);
          resolve();
        };
        this.waiting.add(wake);
        for (const end of ends) end.addEventListener('abort', wake, { once: true });
      });
    }
  }
}
