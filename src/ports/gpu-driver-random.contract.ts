/** Contract cases: whatever is tried in whatever order, the driver has exactly what a pure model of the card has. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { slotOf, spaceOf, type Slot, type Space } from '#core/geometry/space';
import { canAdd, stateFrom } from '#core/geometry/states';
import type { GpuDriver, GpuInstance } from './gpu-driver.js';
import {
  ampereOf,
  clearGpu,
  gpuOf,
  machineFor,
  modelNamed,
  resetless,
  rtxPro,
  skipFor,
  yes,
  type ContractSetup,
} from './gpu-driver-cases.contract.js';

const long = process.env['MICA_LONG'] === '1';

/** `pick` numbers profiles or instances, modulo how many there are. */
type Deed =
  | { readonly do: 'create'; readonly pick: number; readonly start: number }
  | {
      readonly do: 'add-compute' | 'remove-compute' | 'destroy' | 'enter' | 'leave';
      readonly pick: number;
    };

const pick = fc.nat(999);
const anyDeed: fc.Arbitrary<Deed> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('create' as const), pick, start: fc.nat(12) }) },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constantFrom('add-compute', 'remove-compute', 'destroy', 'enter', 'leave'),
      pick,
    }),
  },
);

export function randomCases(setup: () => Promise<ContractSetup>): void {
  describe('any sequence of calls', () => {
    it('leaves what a model of an H100 has', async () => {
      const machine = await machineFor(setup);
      await compareRuns(machine, resetless, gpuOf(machine, resetless));
    });

    it('leaves what a model of an RTX PRO 6000 has', async (context) => {
      const machine = await machineFor(setup);
      const uuid = machine.gpus[rtxPro];
      if (uuid === undefined) return skipFor(machine, context, 'this machine has no RTX PRO 6000');
      await compareRuns(machine, rtxPro, uuid);
    });

    it('leaves what a model of an Ampere card has', async (context) => {
      const machine = await machineFor(setup);
      const ampere = ampereOf(machine);
      if (ampere === undefined) return skipFor(machine, context, 'this machine has no Ampere card');
      await compareRuns(machine, ampere.key, ampere.uuid);
    });
  });
}

async function compareRuns(machine: ContractSetup, key: string, uuid: string): Promise<void> {
  const { driver } = machine;
  const on = await driver.setMigMode(uuid, true);
  if (!on.ok) await yes(driver.reset(uuid));
  const space = spaceOf(modelNamed(key), 'all');
  await fc.assert(
    fc.asyncProperty(fc.array(anyDeed, { minLength: 4, maxLength: 24 }), async (deeds) => {
      await emptyGpu(machine, driver, uuid);
      const model = new CardModel(space);
      for (const deed of deeds) await model.tryBoth(deed, machine, uuid);
      expect(model.asText()).toEqual(textOf(await yes(driver.instances(uuid))));
    }),
    { numRuns: long ? 500 : 25 },
  );
}

async function emptyGpu(machine: ContractSetup, driver: GpuDriver, uuid: string): Promise<void> {
  for (const { pid } of await yes(driver.processes(uuid))) await machine.removeClient?.(uuid, pid);
  await clearGpu(driver, uuid);
}

interface Modelled {
  readonly slot: Slot;
  readonly gi: GpuInstance;
  computeId: number | null;
  /** The process in it. */
  pid: number | null;
}

/** The card as geometry knows it: slots that are taken. It shares nothing with a driver but the catalogue. */
class CardModel {
  readonly #space: Space;
  readonly #instances: Modelled[] = [];
  #nextPid = 5000;

  constructor(space: Space) {
    this.#space = space;
  }

  /** Does the deed on the driver, and on the model as far as it is legal; the driver must agree that it is. */
  async tryBoth(deed: Deed, machine: ContractSetup, uuid: string): Promise<void> {
    const { driver } = machine;
    if (deed.do === 'create') return this.#create(deed, driver, uuid);
    const at = this.#instances.length === 0 ? -1 : deed.pick % this.#instances.length;
    const one = this.#instances[at];
    if (one === undefined) return;
    const { id } = one.gi;
    switch (deed.do) {
      case 'add-compute': {
        const made = await driver.createComputeInstance(uuid, id);
        expect(made.ok ? 'yes' : made.why.kind).toBe(one.computeId === null ? 'yes' : 'no-room');
        if (made.ok) one.computeId = made.value.id;
        return;
      }
      case 'remove-compute': {
        const gone = await driver.destroyComputeInstance(uuid, id, one.computeId ?? 0);
        const legal = one.computeId === null ? 'not-found' : one.pid === null ? 'yes' : 'in-use';
        expect(gone.ok ? 'yes' : gone.why.kind).toBe(legal);
        if (gone.ok) one.computeId = null;
        return;
      }
      case 'destroy': {
        const gone = await driver.destroyGpuInstance(uuid, id);
        expect(gone.ok ? 'yes' : gone.why.kind).toBe(one.computeId === null ? 'yes' : 'in-use');
        if (gone.ok) this.#instances.splice(at, 1);
        return;
      }
      case 'enter':
        if (one.computeId === null || one.pid !== null || machine.addClient === undefined) return;
        one.pid = this.#nextPid++;
        return machine.addClient(uuid, id, { pid: one.pid, usedMiB: 1 });
      case 'leave':
        if (one.pid === null) return;
        await machine.removeClient?.(uuid, one.pid);
        one.pid = null;
    }
  }

  async #create(
    { pick, start }: { readonly pick: number; readonly start: number },
    driver: GpuDriver,
    uuid: string,
  ): Promise<void> {
    const { profiles } = this.#space;
    const profile = profiles[pick % profiles.length]!;
    const slot = slotOf(this.#space, { profile: profile.name, start });
    const state = stateFrom(
      this.#space,
      this.#instances.map((one) => one.slot),
    );
    const legal = slot !== undefined && canAdd(this.#space, state, slot);
    const made = await driver.createGpuInstance(uuid, profile.id, start);
    expect(made.ok, `${profile.name}:${start} beside [${this.asText().join(' ')}]`).toBe(legal);
    if (!made.ok) {
      expect(slot === undefined ? ['bad-argument', 'no-room'] : ['no-room']).toContain(made.why.kind);
    } else if (slot !== undefined) {
      this.#instances.push({ slot, gi: made.value, computeId: null, pid: null });
    }
  }

  asText(): readonly string[] {
    return this.#instances
      .map(({ slot, gi, computeId }) => {
        const name = this.#space.profiles[slot.profileIndex]?.name ?? '';
        return lineOf(name, slot.start, gi.id, computeId === null ? [] : [computeId]);
      })
      .sort();
  }
}

function textOf(instances: readonly GpuInstance[]): readonly string[] {
  return instances
    .map(({ id, placement, computeInstances }) =>
      lineOf(
        placement.profile,
        placement.start,
        id,
        computeInstances.map((ci) => ci.id),
      ),
    )
    .sort();
}

function lineOf(profile: string, start: number, id: number, computeIds: readonly number[]): string {
  return `${profile}:${start} gi ${id} ci ${computeIds.join()}`;
}
