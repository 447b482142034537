/** A simulated machine with everything that a change needs: GPUs, a journal, time, and processes that can be signalled. */
import { simulatedDriver } from '../../src/adapters/simulated/driver.js';
import { Faults } from '../../src/adapters/simulated/faults.js';
import { parseGpuList } from '../../src/adapters/simulated/gpu-list.js';
import { newMachine } from '../../src/adapters/simulated/machine-state.js';
import { simulatedMachine, type SimulatedMachine } from '../../src/adapters/simulated/machine.js';
import { inMemory } from '../../src/adapters/simulated/state-store.js';
import type { ChangePorts } from '#engines/change/ports';
import type { GpuDriver, GpuInstance } from '#ports/gpu-driver';
import { MemoryJournal } from './memory-journal.js';
import { VirtualClock } from './virtual-clock.js';

export interface ChangeMachine {
  readonly ports: ChangePorts;
  readonly driver: GpuDriver;
  readonly machine: SimulatedMachine;
  readonly journal: MemoryJournal;
  readonly clock: VirtualClock;
  readonly faults: Faults;
  /** By index. */
  readonly uuids: readonly string[];
  /** What was signalled, as `SIGTERM 4211`. */
  readonly signals: string[];
  /** Processes that SIGTERM does not move, those that no signal reaches, and pids that others have got since. */
  readonly stubborn: Set<number>;
  readonly untouchable: Set<number>;
  readonly reused: Map<number, number>;
  /** As `mig off`, or `1g.10gb:0 3g.40gb:4`; an instance without a compute instance ends in `?`. */
  readonly holds: (index: number) => Promise<string>;
  /** Cuts by hand, as nvidia-smi would: not Mica's. */
  readonly cut: (index: number, ...places: string[]) => Promise<void>;
  /** A process in the instance at this start. */
  readonly use: (index: number, start: number | null, pid: number, name?: string) => Promise<void>;
}

export async function changeMachine(gpus: string): Promise<ChangeMachine> {
  const list = parseGpuList(gpus);
  if (!list.ok) throw new Error(list.why.message);
  const state = newMachine(list.models);
  const uuids = state.gpus.map(({ uuid }) => uuid);
  const store = inMemory(state);
  const machine = simulatedMachine(store);
  const clock = new VirtualClock();
  const journal = new MemoryJournal();
  const faults = new Faults();
  const driver = simulatedDriver({ store, clock, latencyScale: 0, faults });
  const quiet = simulatedDriver({ store, clock, latencyScale: 0 });
  const signals: string[] = [];
  const stubborn = new Set<number>();
  const untouchable = new Set<number>();
  /** Pids that have another process by now, by how often. */
  const reused = new Map<number, number>();
  let boots = 1;
  const startOf = (pid: number): string => `start ${pid}/${reused.get(pid) ?? 0}`;
  const uuidAt = (index: number): string => uuids[index] ?? '';
  const instancesOn = async (index: number): Promise<readonly GpuInstance[]> => {
    const answer = await quiet.instances(uuidAt(index));
    if (!answer.ok) throw new Error(answer.why.message);
    return [...answer.value].sort((a, b) => a.placement.start - b.placement.start);
  };
  return {
    ports: {
      driver,
      journal,
      clock,
      processes: {
        bootId: () => `boot ${boots}`,
        pidNamespace: () => null,
        startOf,
        signal: (pid, startedAt, signal) => {
          if (untouchable.has(pid) || startedAt !== startOf(pid)) return false;
          signals.push(`${signal} ${pid}`);
          if (signal === 'SIGKILL' || !stubborn.has(pid)) {
            clock.in(700, () => Promise.all(uuids.map((uuid) => machine.removeClient(uuid, pid))));
          }
          return true;
        },
        isAlive: () => true,
        nameOf: () => null,
      },
    },
    driver: quiet,
    machine: {
      ...machine,
      reboot: async () => {
        boots += 1;
        await machine.reboot();
      },
    },
    journal,
    clock,
    faults,
    uuids,
    signals,
    stubborn,
    untouchable,
    reused,
    holds: async (index) => {
      const listed = await quiet.gpus();
      const info = listed.ok ? listed.value[index] : undefined;
      if (info?.mig?.current !== true) return info?.mig?.pending === true ? 'mig off, pending on' : 'mig off';
      const words = (await instancesOn(index)).map(
        ({ placement, computeInstances }) =>
          `${placement.profile}:${placement.start}${computeInstances.length === 0 ? '?' : ''}`,
      );
      return `${words.join(' ')}${info.mig.pending ? '' : ', pending off'}`;
    },
    cut: async (index, ...places) => {
      const uuid = uuidAt(index);
      await quiet.setMigMode(uuid, true);
      await quiet.reset(uuid);
      const card = await quiet.card(uuid);
      for (const place of places) {
        const [name, start] = place.split(':');
        const profile = card.ok ? card.value.profiles.find((one) => one.name === name) : undefined;
        const made = await quiet.createGpuInstance(uuid, profile?.id ?? -1, Number(start));
        if (!made.ok) throw new Error(made.why.message);
        await quiet.createComputeInstance(uuid, made.value.id);
      }
    },
    use: async (index, start, pid, name = 'python') => {
      const inside = (await instancesOn(index)).find(({ placement }) => placement.start === start);
      await machine.addClient(uuidAt(index), { pid, name, usedMiB: 12_034, instanceId: inside?.id ?? null });
    },
  };
}

/** `wanted(0, '3g.40gb:0', '1g.10gb:4')`; `wanted(0, null)` is MIG off. */
export function wanted(gpu: number | string, ...places: (string | null)[]) {
  if (places[0] === null) return { gpu, want: { mig: false } } as const;
  const placements = places.map((place) => {
    const [profile = '', start] = (place ?? '').split(':');
    return { profile, start: Number(start) };
  });
  return { gpu, want: { mig: true, placements } } as const;
}
