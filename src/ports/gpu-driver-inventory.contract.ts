/** Contract cases: which GPUs there are, and what their driver says can be cut from them. */
import { describe, expect, it } from 'vitest';
import { models } from '#core/catalogue/catalogue';
import type { MigModel, Profile } from '#core/catalogue/model';
import type { DriverCard, GpuInfo } from './gpu-driver.js';
import {
  infoOf,
  machineFor,
  modelNamed,
  noSuchGpu,
  noSuchInstance,
  refusalOf,
  yes,
  type ContractSetup,
} from './gpu-driver-cases.contract.js';

/** Cases that hold on any machine and change nothing on it. */
export function readingCases(setup: () => Promise<Pick<ContractSetup, 'driver' | 'close'>>): void {
  describe('reading', () => {
    it('tells GPUs apart', async () => {
      const { driver } = await machineFor(setup);
      const gpus = await yes(driver.gpus());
      for (const key of ['uuid', 'index', 'pciBusId'] as const) {
        expect(new Set(gpus.map((gpu) => gpu[key])).size).toBe(gpus.length);
      }
      for (const gpu of gpus) {
        expect(gpu.uuid).toMatch(/^GPU-/);
        expect(gpu.pciBusId).toMatch(/^[0-9A-F]{8}:[0-9A-F]{2}:[0-9A-F]{2}\.[0-9A-F]$/);
        expect(gpu.pciDeviceId).toMatch(/^[0-9A-F]{4}$/);
        expect(gpu.driverVersion).not.toBe('');
        expect(gpu.name).not.toBe('');
      }
    });

    it('says of known cards what the catalogue says, or nothing before MIG is on', async () => {
      const { driver } = await machineFor(setup);
      for (const gpu of await yes(driver.gpus())) {
        const card = await driver.card(gpu.uuid);
        if (!card.ok) {
          expect(card.why.kind).toBe('not-supported');
          expect(gpu.mig?.current ?? false).toBe(false);
          continue;
        }
        const known = knownModel(gpu);
        if (known !== undefined) expectAsInCatalogue(card.value, known);
      }
    });

    it('lists only what fits the card', async () => {
      const { driver } = await machineFor(setup);
      for (const gpu of await yes(driver.gpus())) {
        const instances = await yes(driver.instances(gpu.uuid));
        if (gpu.mig?.current !== true) expect(instances).toEqual([]);
        const card = await driver.card(gpu.uuid);
        for (const { id, placement, profileId } of card.ok ? instances : []) {
          const profile = card.ok ? card.value.profiles.find((one) => one.id === profileId) : undefined;
          expect(profile).toMatchObject({ name: placement.profile, sizeUnits: placement.size });
          expect(profile?.starts).toContain(placement.start);
          expect(instances.filter((other) => other.id === id)).toHaveLength(1);
        }
        for (const { instanceId } of await yes(driver.processes(gpu.uuid))) {
          if (instanceId !== null) expect(instances.map(({ id }) => id)).toContain(instanceId);
        }
      }
    });

    it('does not know a GPU that is not there', async () => {
      const { driver } = await machineFor(setup);
      expect(await refusalOf(driver.card(noSuchGpu))).toBe('not-found');
      expect(await refusalOf(driver.instances(noSuchGpu))).toBe('not-found');
      expect(await refusalOf(driver.processes(noSuchGpu))).toBe('not-found');
    });

    it('waits for an Xid no longer than it is told', async () => {
      const { driver } = await machineFor(setup);
      expect(await yes(driver.nextXid(1))).toBeNull();
    });
  });
}

/** Cases on a machine that was made for the contract. */
export function inventoryCases(setup: () => Promise<ContractSetup>): void {
  readingCases(setup);

  describe('inventory', () => {
    it('knows every card by name, PCI id and memory, with MIG off', async () => {
      const { driver, gpus } = await machineFor(setup);
      for (const [key, uuid] of Object.entries(gpus)) {
        const model = modelNamed(key);
        const info = await infoOf(driver, uuid);
        expect(info.mig).toEqual({ current: false, pending: false });
        if (model.productNames.length > 0) expect(model.productNames).toContain(info.name);
        expect(model.pciDeviceIds).toContain(info.pciDeviceId);
        if (model.memoryMiB !== null) expect(info.memoryMiB).toBe(model.memoryMiB);
      }
    });

    it('says what can be cut once MIG is on, equal to the catalogue', async () => {
      const { driver, gpus } = await machineFor(setup);
      for (const [key, uuid] of Object.entries(gpus)) {
        const on = await driver.setMigMode(uuid, true);
        if (!on.ok) await yes(driver.reset(uuid));
        expectAsInCatalogue(await yes(driver.card(uuid)), modelNamed(key));
      }
    });

    it('changes nothing on a GPU that is not there', async () => {
      const { driver } = await machineFor(setup);
      expect(await refusalOf(driver.setMigMode(noSuchGpu, true))).toBe('not-found');
      expect(await refusalOf(driver.reset(noSuchGpu))).toBe('not-found');
      expect(await refusalOf(driver.createGpuInstance(noSuchGpu, 0, 0))).toBe('not-found');
      expect(await refusalOf(driver.createComputeInstance(noSuchGpu, noSuchInstance))).toBe('not-found');
      expect(await refusalOf(driver.destroyComputeInstance(noSuchGpu, noSuchInstance, 0))).toBe('not-found');
      expect(await refusalOf(driver.destroyGpuInstance(noSuchGpu, noSuchInstance))).toBe('not-found');
    });
  });
}

/** The one model with the GPU's PCI ids; none where the catalogue has several or none. */
function knownModel(gpu: GpuInfo): MigModel | undefined {
  const found = models().filter(
    (model): model is MigModel => model.kind === 'mig' && model.pciDeviceIds.includes(gpu.pciDeviceId),
  );
  return found.length === 1 ? found[0] : undefined;
}

/** Every published figure; drivers differ in usable memory, so any recorded figure will do there. */
function expectAsInCatalogue(card: DriverCard, model: MigModel): void {
  expect(card.gridUnits).toBe(model.gridUnits);
  expect(byId(card.profiles).map(geometryOf)).toEqual(byId(model.profiles).map(geometryOf));
  for (const known of model.profiles) {
    const told = card.profiles.find(({ id }) => id === known.id);
    const seenMiB = known.memoryMiBSeen ?? (known.memoryMiB === null ? [] : [known.memoryMiB]);
    if (seenMiB.length > 0) expect(seenMiB, `memory of ${known.name}`).toContain(told?.memoryMiB);
    if (known.sms !== null) expect(told?.sms, `SMs of ${known.name}`).toBe(known.sms);
    for (const [engine, count] of Object.entries(known.engines)) {
      if (count !== null) expect(told?.engines, known.name).toMatchObject({ [engine]: count });
    }
  }
}

function byId(profiles: readonly Profile[]): readonly Profile[] {
  return [...profiles].sort((a, b) => a.id - b.id);
}

function geometryOf(profile: Profile): object {
  const { id, name, nvmlEnum, computeSlices, sizeUnits, maxCount, attribute } = profile;
  const starts = [...profile.starts].sort((a, b) => a - b);
  return { id, name, nvmlEnum, computeSlices, sizeUnits, starts, maxCount, attribute };
}
