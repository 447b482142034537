/** One change at a time for each GPU, across processes. */
import type { Why } from './answer.js';
import type { ChangePorts } from './ports.js';
import { openGpus, type Past } from './records.js';

export interface Locked {
  /** Why a GPU could not be had, by UUID. */
  readonly refused: ReadonlyMap<string, Why>;
  readonly release: () => Promise<void>;
}

/** In the order of their UUIDs, so that of two changes racing for the same GPUs one gets them all. */
export async function lockGpus({ journal }: ChangePorts, uuids: readonly string[]): Promise<Locked> {
  const refused = new Map<string, Why>();
  const held: (() => Promise<void>)[] = [];
  const release = async (): Promise<void> => {
    // One that cannot be given back, on a full disk say, ends with this process; what was done is still to be told.
    for (const one of held.splice(0).reverse()) await one().catch(() => undefined);
  };
  try {
    for (const uuid of [...new Set(uuids)].sort()) {
      const lock = await journal.lock(`gpu-${uuid}`);
      if (lock.ok) held.push(lock.release);
      else refused.set(uuid, lockedWhy(lock.pid));
    }
  } catch (error) {
    await release();
    throw error;
  }
  return { refused, release };
}

/** A GPU that an earlier change left half done is first put in order. */
export function unfinishedWhy({ changes, unreadable }: Past, uuid: string): Why | null {
  const [name] = unreadable;
  if (name !== undefined) {
    const message = `the journal ${name} was written by another version of Mica and is not finished; finish it with that version`;
    return { kind: 'unfinished', message };
  }
  const open = changes.find((change) => change.isOpen && openGpus(change).some((gpu) => gpu.uuid === uuid));
  if (open === undefined) return null;
  const message = `an earlier change (${open.name}) was interrupted here; run \`mica node restore\` first`;
  return { kind: 'unfinished', message };
}

function lockedWhy(pid: number | null): Why {
  const who = pid === null ? 'another process' : `pid ${pid}`;
  return { kind: 'locked', pid, message: `${who} is changing this GPU; try again when it is through` };
}
