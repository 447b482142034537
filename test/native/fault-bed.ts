/** One change made again and again on the double, each time with other calls of the library failing. */
import { openSync, readFileSync, truncateSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { openNvml } from '#adapters/nvml/driver';
import { modelByKey } from '#core/catalogue/catalogue';
import type { ChangeAnswer } from '#engines/change/answer';
import { changeGpus } from '#engines/change/change';
import type { ChangePorts } from '#engines/change/ports';
import { restoreLayouts, type RestoreAnswer } from '#engines/change/restore';
import type { GpuDriver } from '#ports/gpu-driver';
import { wanted } from '../support/change-machine.js';
import { MemoryJournal } from '../support/memory-journal.js';
import { VirtualClock } from '../support/virtual-clock.js';
import { changing, type Cut, type Scenario } from './fault-scenarios.js';
import { makeMachine, type DoubleMachine, type LoggedCall } from './machine.js';

/** What became of one change, and of what was done about it once the library was well again. */
export interface Trial {
  /** Lines of the double's script. */
  readonly faults: readonly string[];
  readonly answer: ChangeAnswer;
  /** The calls of the change, in order. */
  readonly calls: readonly LoggedCall[];
  /** By GPU, as `1g.10gb:0 3g.40gb:4`. */
  readonly holds: readonly string[];
  /** Journals that are still open after the change. */
  readonly openAfter: number;
  /** Destroying calls on a slice that is in both layouts. */
  readonly keptTouched: number;
  /** The same change again, at once. */
  readonly meanwhile: ChangeAnswer | null;
  readonly restored: RestoreAnswer;
  readonly holdsRestored: readonly string[];
  readonly again: ChangeAnswer;
  readonly holdsAgain: readonly string[];
}

export interface FaultBed {
  readonly trial: (...faults: readonly string[]) => Promise<Trial>;
  readonly close: () => Promise<void>;
}

export const inWords = (cut: Cut): string => (cut === null ? 'mig off' : cut.join(' '));

export function isChanging({ call }: LoggedCall): boolean {
  return call in changing;
}

/** Each trial begins with the machine as it was: its state is a file. */
export async function faultBed(scenario: Scenario): Promise<FaultBed> {
  const machine = makeMachine(scenario.cards);
  let driver = await openNvml(machine);
  const serials = await cut(machine, driver, scenario);
  const statePath = join(machine.folder, 'state');
  const before = readFileSync(statePath);
  const stateFile = openSync(statePath, 'r+');
  const wishes = scenario.wish.map((places, gpu) => wanted(gpu, ...(places ?? [null])));
  const options = { ...scenario.options, mayDestroyForeign: 'all' } as const;

  const begin = (faults: readonly string[]): ChangePorts & { readonly journal: MemoryJournal } => {
    writeSync(stateFile, before, 0, before.length, 0);
    truncateSync(join(machine.folder, 'log'));
    machine.setClients(clientsOf(scenario, serials));
    machine.setFaults(...faults);
    const clock = new VirtualClock();
    return { driver, clock, journal: new MemoryJournal(), processes: obedient(machine, clock) };
  };
  return {
    trial: async (...faults) => {
      const ports = begin(faults);
      const answer = await changeGpus(ports, wishes, options);
      const calls = machine.calls();
      const openAfter = (await ports.journal.names()).length;
      const meanwhile = openAfter === 0 ? null : await changeGpus(ports, wishes, options);
      machine.setFaults();
      // A library that did not start again after a reset is one for the next process.
      if (!(await driver.gpus()).ok) {
        await driver.close();
        driver = await openNvml(machine);
      }
      const well = { ...ports, driver };
      const holds = await holdingsOf(driver);
      const restored = await restoreLayouts(well);
      const holdsRestored = await holdingsOf(driver);
      const again = await changeGpus(well, wishes, options);
      const holdsAgain = await holdingsOf(driver);
      const keptTouched = machine.calls().filter((call) => isOfKept(call, serials)).length;
      return {
        ...{ faults, answer, calls, holds, openAfter, keptTouched, meanwhile },
        ...{ restored, holdsRestored, again, holdsAgain },
      };
    },
    close: async () => {
      await driver.close();
      machine.remove();
    },
  };
}

interface Serial {
  readonly gpu: number;
  readonly instanceId: number;
  readonly start: number;
  readonly serial: number;
  readonly isKept: boolean;
}

/** Cuts by hand; the double numbers its instances, so that one made anew in the same place shows. */
async function cut(
  machine: DoubleMachine,
  driver: GpuDriver,
  { cards, before, wish }: Scenario,
): Promise<readonly Serial[]> {
  for (const [gpu, places] of before.entries()) {
    if (places === null) continue;
    machine.setMode(gpu, true);
    const model = modelByKey(cards[gpu]?.key ?? '');
    for (const place of places) {
      const [name, start] = place.split(':');
      const profile = model?.kind === 'mig' ? model.profiles.find((one) => one.name === name) : undefined;
      const uuid = machine.uuids[gpu] ?? '';
      const made = await driver.createGpuInstance(uuid, profile?.id ?? -1, Number(start));
      if (!made.ok) throw new Error(made.why.message);
      await driver.createComputeInstance(uuid, made.value.id);
    }
  }
  // What is remembered of a card is read now, so that every trial makes the same calls.
  await holdingsOf(driver);
  return machine
    .calls()
    .filter(({ call, code }) => call === 'nvmlDeviceCreateGpuInstanceWithPlacement' && code === 0)
    .map(({ at: { gpu = -1, gi = -1, start = -1, serial = -1 } }) => ({
      ...{ gpu, instanceId: gi, start, serial },
      isKept:
        before[gpu]?.some((place) => place.endsWith(`:${start}`) && wish[gpu]?.includes(place)) === true,
    }));
}

function clientsOf({ busy }: Scenario, serials: readonly Serial[]) {
  return busy.map(({ gpu, start, pid }) => {
    const slice = serials.find((one) => one.gpu === gpu && one.start === start);
    return { pid, gpu, instanceId: slice?.instanceId ?? null, memoryMiB: 2000, name: 'python' };
  });
}

/** Processes go as soon as they are asked to. */
function obedient(machine: DoubleMachine, clock: VirtualClock): ChangePorts['processes'] {
  const leave = (pid: number): void => machine.setClients(machine.clients().filter((one) => one.pid !== pid));
  return {
    bootId: () => null,
    pidNamespace: () => null,
    startOf: (pid) => `${pid}`,
    signal: (pid) => {
      clock.in(700, () => leave(pid));
      return true;
    },
    isAlive: () => true,
    nameOf: () => null,
  };
}

function isOfKept({ call, at }: LoggedCall, serials: readonly Serial[]): boolean {
  return call.endsWith('Destroy') && serials.some(({ serial, isKept }) => isKept && serial === at['serial']);
}

async function holdingsOf(driver: GpuDriver): Promise<readonly string[]> {
  const gpus = await driver.gpus();
  if (!gpus.ok) throw new Error(gpus.why.message);
  return Promise.all(
    gpus.value.map(async ({ uuid, mig }) => {
      const card = await driver.card(uuid);
      const instances = await driver.instances(uuid);
      if (!card.ok || !instances.ok) throw new Error(`${uuid} does not answer`);
      const pending = mig?.current === mig?.pending ? '' : ', changing';
      if (mig?.current !== true) return `mig off${pending}`;
      const inOrder = [...instances.value].sort((a, b) => a.placement.start - b.placement.start);
      const words = inOrder.map(({ placement: { profile, start }, computeInstances }) =>
        computeInstances.length === 1 ? `${profile}:${start}` : `${profile}:${start}?`,
      );
      return `${words.join(' ')}${pending}`;
    }),
  );
}
