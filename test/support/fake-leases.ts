/** Leases of slices in memory, which check that nobody shares one. */
import { randomUUID } from 'node:crypto';
import type { LeasableSlice } from '#core/run/slice';
import type { Lease, Leases } from '#engines/run/leases';

export interface FakeLeases extends Leases {
  /** Slices kept from everybody, with why. */
  readonly quarantined: ReadonlyMap<string, string>;
  readonly free: readonly LeasableSlice[];
  /** Takes a lease from its holder. */
  readonly lose: (slice: string) => void;
  /** From now on something stays in the slice. */
  readonly spoil: (slice: string) => void;
}

export function fakeSlices(count: number): readonly LeasableSlice[] {
  return Array.from({ length: count }, (_, place) => ({
    id: `GPU-${Math.floor(place / 4)}/1g.24gb:${(place % 4) * 3}#${(place % 4) + 3}`,
    gpuUuid: `GPU-${Math.floor(place / 4)}`,
    gpuIndex: Math.floor(place / 4),
    model: 'rtx-pro-6000-blackwell-server',
    profile: '1g.24gb',
    start: (place % 4) * 3,
    instanceId: (place % 4) + 3,
    device: `MIG-${place}`,
    memoryMiB: 24_192,
    sizeUnits: 3,
    gridUnits: 12,
  }));
}

export function fakeLeases(slices: readonly LeasableSlice[]): FakeLeases {
  const free = [...slices];
  const quarantined = new Map<string, string>();
  const held = new Map<string, AbortController>();
  const spoiled = new Set<string>();
  let waiting: (() => void)[] = [];
  const wakeAll = (): void => {
    for (const wake of waiting.splice(0)) wake();
  };

  const holding = (slice: LeasableSlice): Lease => {
    const lost = new AbortController();
    held.set(slice.id, lost);
    let isOver = false;
    const clean: Lease['clean'] = async () => {
      if (!spoiled.has(slice.id)) return { ok: true };
      const why = 'something stays in it';
      quarantined.set(slice.id, why);
      return { ok: false, quarantined: [{ slice: slice.id, why }] };
    };
    return {
      // Never another's: what was started under it is looked for on the whole machine.
      id: `lease-${randomUUID()}`,
      slices: [slice],
      lost: lost.signal,
      bind: async () => {
        if (lost.signal.aborted) throw new Error('the lease is over');
      },
      unbind: async () => undefined,
      clean,
      quarantine: async (id, why) => void quarantined.set(id, why),
      release: async () => {
        const answer = await clean();
        if (isOver) return answer;
        isOver = true;
        held.delete(slice.id);
        if (!quarantined.has(slice.id)) free.push(slice);
        wakeAll();
        return answer;
      },
    };
  };

  return {
    free,
    quarantined,
    lose: (slice) => held.get(slice)?.abort(),
    spoil: (slice) => void spoiled.add(slice),
    acquire: async (_wish, { signal }) => {
      for (;;) {
        const slice = free.shift();
        if (slice !== undefined) return { ok: true, lease: holding(slice) };
        if (held.size === 0) return { ok: false, why: { kind: 'impossible', message: 'no slice is left' } };
        if (signal.aborted) return { ok: false, why: { kind: 'aborted', message: 'aborted' } };
        await new Promise<void>((resolve) => {
          waiting = [...waiting, resolve];
          signal.addEventListener('abort', () => resolve(), { once: true });
        });
      }
    },
  };
}
