/**
 * A simulated machine with processes that lease its slices: each has the ports of its own, and may die or stop at any
 * moment; what it started lives on until somebody ends it.
 */
import { simulatedDriver } from '../../src/adapters/simulated/driver.js';
import { Faults } from '../../src/adapters/simulated/faults.js';
import { parseGpuList } from '../../src/adapters/simulated/gpu-list.js';
import { newMachine } from '../../src/adapters/simulated/machine-state.js';
import { simulatedMachine, type SimulatedMachine } from '../../src/adapters/simulated/machine.js';
import { inMemory } from '../../src/adapters/simulated/state-store.js';
import type { LeasableSlice } from '#core/run/slice';
import type { EndLeasePorts } from '#engines/run/end-lease';
import type { LeasePorts } from '#engines/run/ports';
import type { GpuDriver } from '#ports/gpu-driver';
import type { ProcessMark, RunStore } from '#ports/run-store';
import { memoryRunStore } from './memory-run-store.js';
import { VirtualClock } from './virtual-clock.js';

class Death extends Error {}

/** What a process started: it sits in its slice until it ends. */
interface Group {
  readonly mark: ProcessMark;
  readonly slice: LeasableSlice;
  isAlive: boolean;
  isOpen: boolean;
  /** What it does on SIGTERM; `undying`: no signal ends it, as a process that hangs in the kernel. */
  readonly manner: 'polite' | 'stubborn' | 'undying';
  /** The lease that it was started under, where it is in no group that anybody knows of. */
  escapedFrom?: string;
}

export interface Actor {
  readonly ports: EndLeasePorts;
  readonly mark: ProcessMark;
  /** As `kill -9`: none of its calls ends any more. */
  readonly die: () => void;
  /** As Ctrl-Z: its calls end that much later. */
  readonly stop: (ms: number) => void;
  /** A group of its own that waits behind a gate; `open` lets the program on the slice begin, if it still lives. */
  readonly gate: (slice: LeasableSlice, manner?: Group['manner']) => Promise<ProcessMark>;
  readonly open: (group: ProcessMark) => Promise<void>;
  /** Both. */
  readonly start: (slice: LeasableSlice, manner?: Group['manner']) => Promise<ProcessMark>;
}

export interface RunWorld {
  readonly clock: VirtualClock;
  readonly store: RunStore;
  readonly driver: GpuDriver;
  readonly faults: Faults;
  readonly machine: SimulatedMachine;
  readonly uuids: readonly string[];
  readonly actor: () => Actor;
  readonly end: (group: ProcessMark) => Promise<void>;
  readonly isAlive: (group: ProcessMark) => boolean;
  /** It was never in a group that is bound: only its environment says whose it is. */
  readonly escape: (group: ProcessMark, lease: string) => void;
  /** Twice at once on one slice, as `slice: pid and pid`. */
  readonly clashes: readonly string[];
  readonly cut: (index: number, ...places: readonly string[]) => Promise<void>;
  /** Everybody dies: a heart that beats on would keep the clock running for ever. */
  readonly close: () => void;
}

export function runWorld(gpus: string): RunWorld {
  const list = parseGpuList(gpus);
  if (!list.ok) throw new Error(list.why.message);
  const state = newMachine(list.models);
  const states = inMemory(state);
  const machine = simulatedMachine(states);
  const clock = new VirtualClock();
  const faults = new Faults();
  const driver = simulatedDriver({ store: states, clock, latencyScale: 0, faults });
  const store = memoryRunStore();
  const groups = new Map<number, Group>();
  const alive = new Map<number, string>();
  const clashes: string[] = [];
  let lastPid = 100;
  let lastId = 0;

  const end = async ({ pid }: ProcessMark): Promise<void> => {
    const group = groups.get(pid);
    if (group?.isAlive !== true) return;
    group.isAlive = false;
    if (group.isOpen) await machine.removeClient(group.slice.gpuUuid, pid);
  };
  const runner: LeasePorts['runner'] = {
    isGroupAlive: ({ pid }) => groups.get(pid)?.isAlive === true,
    signalGroup: (mark, signal) => {
      const group = groups.get(mark.pid);
      if (group?.isAlive !== true) return false;
      if (group.manner === 'polite' || (group.manner === 'stubborn' && signal === 'SIGKILL')) {
        clock.in(30, () => end(mark));
      }
      return true;
    },
    marked: (line) =>
      [...groups.values()].flatMap(({ escapedFrom, isAlive, mark }) =>
        isAlive && line === `MICA_LEASE=${escapedFrom}` ? [mark] : [],
      ),
    signalProcess: (mark, signal) => runner.signalGroup(mark, signal),
  };
  const newMark = (): ProcessMark => ({ pid: (lastPid += 1), startedAt: `t${lastPid}`, bootId: 'boot' });

  const actor = (): Actor => {
    const mark = newMark();
    alive.set(mark.pid, mark.startedAt);
    let stoppedUntilMs = 0;
    const live = async (): Promise<void> => {
      while (clock.nowMs() < stoppedUntilMs) await clock.sleep(stoppedUntilMs - clock.nowMs());
      // A dead process does not even fail.
      if (!alive.has(mark.pid)) await new Promise(() => undefined);
    };
    const mortal = <T extends object>(target: T): T =>
      new Proxy(target, {
        get: (object, key) => {
          const value: unknown = Reflect.get(object, key, object);
          if (typeof value !== 'function' || key === 'nowMs') return value;
          return async (...args: unknown[]): Promise<unknown> => {
            await live();
            const answer: unknown = await Reflect.apply(value, object, args);
            await live();
            return answer;
          };
        },
      });
    const guarded =
      <Args extends readonly unknown[], T>(call: (...args: Args) => T) =>
      (...args: Args): T => {
        if (!alive.has(mark.pid)) throw new Death();
        return call(...args);
      };
    const ports: EndLeasePorts = {
      store: mortal(store),
      driver: mortal(driver),
      clock: mortal(clock),
      processes: {
        bootId: () => 'boot',
        isAlive: (pid) => alive.has(pid),
        startOf: (pid) => alive.get(pid) ?? null,
        signal: () => false,
      },
      runner: {
        isGroupAlive: runner.isGroupAlive,
        signalGroup: guarded(runner.signalGroup),
        marked: guarded(runner.marked),
        signalProcess: guarded(runner.signalProcess),
      },
      self: mark,
      newId: () => `lease-${(lastId += 1)}`,
    };
    const gate: Actor['gate'] = async (slice, manner = 'polite') => {
      await live();
      const group: Group = { mark: newMark(), slice, isAlive: true, isOpen: false, manner };
      groups.set(group.mark.pid, group);
      return group.mark;
    };
    const open: Actor['open'] = async ({ pid }) => {
      await live();
      const group = groups.get(pid);
      if (group?.isAlive !== true) return;
      const { slice } = group;
      for (const other of groups.values()) {
        if (other.isAlive && other.isOpen && other.slice.id === slice.id) {
          clashes.push(`${slice.id}: ${other.mark.pid} and ${pid}`);
        }
      }
      group.isOpen = true;
      await machine.addClient(slice.gpuUuid, {
        pid,
        name: 'job',
        usedMiB: 512,
        instanceId: slice.instanceId,
      });
    };
    return {
      ports,
      mark,
      die: () => void alive.delete(mark.pid),
      stop: (ms) => (stoppedUntilMs = clock.nowMs() + ms),
      gate,
      open,
      start: async (slice, manner) => {
        const group = await gate(slice, manner);
        await open(group);
        return group;
      },
    };
  };

  return {
    clock,
    store,
    driver,
    faults,
    machine,
    uuids: state.gpus.map(({ uuid }) => uuid),
    actor,
    end,
    isAlive: ({ pid }) => groups.get(pid)?.isAlive === true,
    escape: ({ pid }, lease) => {
      const group = groups.get(pid);
      if (group !== undefined) group.escapedFrom = lease;
    },
    clashes,
    close: () => alive.clear(),
    cut: async (index, ...places) => {
      const uuid = state.gpus[index]?.uuid ?? '';
      await driver.setMigMode(uuid, true);
      await driver.reset(uuid);
      const card = await driver.card(uuid);
      for (const place of places) {
        const [name, start] = place.split(':');
        const profile = card.ok ? card.value.profiles.find((one) => one.name === name) : undefined;
        const made = await driver.createGpuInstance(uuid, profile?.id ?? -1, Number(start));
        if (!made.ok) throw new Error(made.why.message);
        await driver.createComputeInstance(uuid, made.value.id);
      }
    },
  };
}
