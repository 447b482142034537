/** Contract cases: MIG mode, resets, reboots and privileges. */
import { describe, expect, it } from 'vitest';
import {
  ampereOf,
  clientsOf,
  gpuOf,
  infoOf,
  machineFor,
  makeInstance,
  modelNamed,
  profileNamed,
  refusalOf,
  resetless,
  skipFor,
  yes,
  type ContractSetup,
} from './gpu-driver-cases.contract.js';

const off = { current: false, pending: false };
const on = { current: true, pending: true };
const small = profileNamed(resetless, '1g.10gb').id;
const noAmpere = 'this machine has no card that needs a reset';

export function modeCases(setup: () => Promise<ContractSetup>): void {
  describe('MIG mode', () => {
    it('is needed before anything is cut', async () => {
      const machine = await machineFor(setup);
      const uuid = gpuOf(machine, resetless);
      expect(await refusalOf(machine.driver.createGpuInstance(uuid, small, 0))).toBe('not-supported');
      expect(await yes(machine.driver.instances(uuid))).toEqual([]);
    });

    it('changes at once on Hopper, and setting it again changes nothing', async () => {
      const machine = await machineFor(setup);
      const { driver } = machine;
      const uuid = gpuOf(machine, resetless);
      expect(await yes(driver.setMigMode(uuid, true))).toEqual(on);
      expect(await infoOf(driver, uuid)).toMatchObject({ mig: on });
      await makeInstance(driver, uuid, small, 0);
      expect(await yes(driver.setMigMode(uuid, true))).toEqual(on);
      expect(await yes(driver.instances(uuid))).toHaveLength(1);
    });

    it('stays while somebody uses the GPU', async (context) => {
      const machine = await machineFor(setup);
      const { addClient, removeClient } = await clientsOf(machine, context);
      const { driver } = machine;
      const uuid = gpuOf(machine, resetless);
      await addClient(uuid, null, { pid: 4711, usedMiB: 100 });
      expect(await refusalOf(driver.setMigMode(uuid, true))).toBe('in-use');
      expect((await infoOf(driver, uuid)).mig?.current).toBe(false);
      await removeClient(uuid, 4711);
      expect(await yes(driver.setMigMode(uuid, true))).toEqual(on);
    });

    it('stays on while there are instances', async () => {
      const machine = await machineFor(setup);
      const { driver } = machine;
      const uuid = gpuOf(machine, resetless);
      await yes(driver.setMigMode(uuid, true));
      const { gi, ci } = await makeInstance(driver, uuid, small, 0);
      expect(await refusalOf(driver.setMigMode(uuid, false))).toBe('in-use');
      await yes(driver.destroyComputeInstance(uuid, gi.id, ci.id));
      expect(await refusalOf(driver.setMigMode(uuid, false))).toBe('in-use');
      await yes(driver.destroyGpuInstance(uuid, gi.id));
      expect(await yes(driver.setMigMode(uuid, false))).toEqual(off);
      expect(await infoOf(driver, uuid)).toMatchObject({ mig: off });
    });

    it('waits for a reset on Ampere', async (context) => {
      const machine = await machineFor(setup);
      const { driver } = machine;
      const ampere = ampereOf(machine);
      if (ampere === undefined) return skipFor(machine, context, noAmpere);
      const pending = { current: false, pending: true };
      const [profile] = modelNamed(ampere.key).profiles;
      expect(await refusalOf(driver.setMigMode(ampere.uuid, true))).toBe('reset-required');
      expect(await infoOf(driver, ampere.uuid)).toMatchObject({ mig: pending });
      expect(await refusalOf(driver.createGpuInstance(ampere.uuid, profile?.id ?? 0, 0))).toBe(
        'not-supported',
      );
      if (machine.addClient !== undefined && machine.removeClient !== undefined) {
        await machine.addClient(ampere.uuid, null, { pid: 4711, usedMiB: 100 });
        expect(await refusalOf(driver.reset(ampere.uuid))).toBe('in-use');
        expect(await infoOf(driver, ampere.uuid)).toMatchObject({ mig: pending });
        await machine.removeClient(ampere.uuid, 4711);
      }
      await yes(driver.reset(ampere.uuid));
      expect(await infoOf(driver, ampere.uuid)).toMatchObject({ mig: on });
      await makeInstance(driver, ampere.uuid, profile?.id ?? 0, profile?.starts[0] ?? 0);
    });

    it('is taken back on Ampere before the reset', async (context) => {
      const machine = await machineFor(setup);
      const { driver } = machine;
      const ampere = ampereOf(machine);
      if (ampere === undefined) return skipFor(machine, context, noAmpere);
      await driver.setMigMode(ampere.uuid, true);
      expect(await yes(driver.setMigMode(ampere.uuid, false))).toEqual(off);
      await yes(driver.reset(ampere.uuid));
      expect(await infoOf(driver, ampere.uuid)).toMatchObject({ mig: off });
    });
  });

  describe('a reset', () => {
    it('takes all instances of its GPU, and none of another', async () => {
      const machine = await machineFor(setup);
      const { driver } = machine;
      const uuid = gpuOf(machine, resetless);
      await yes(driver.setMigMode(uuid, true));
      await makeInstance(driver, uuid, small, 3);
      const other = ampereOf(machine);
      if (other !== undefined) await yes(driver.reset(other.uuid));
      expect(await yes(driver.instances(uuid))).toHaveLength(1);
      await yes(driver.reset(uuid));
      expect(await yes(driver.instances(uuid))).toEqual([]);
    });
  });

  describe('a reboot', () => {
    it('takes all instances, and the mode where the catalogue says so', async (context) => {
      const machine = await machineFor(setup);
      if (machine.reboot === undefined) return skipFor(machine, context, 'this machine is not rebooted');
      const { addClient } = await clientsOf(machine, context);
      for (const uuid of Object.values(machine.gpus)) await machine.driver.setMigMode(uuid, true);
      const uuid = gpuOf(machine, resetless);
      await makeInstance(machine.driver, uuid, small, 0);
      await addClient(uuid, null, { pid: 4711, usedMiB: 100 });
      const after = await machine.reboot();
      for (const [key, gpu] of Object.entries(machine.gpus)) {
        const survives = modelNamed(key).migEnable.modePersistsReboot === true;
        expect(await infoOf(after, gpu), key).toMatchObject({ mig: survives ? on : off });
        expect(await yes(after.instances(gpu))).toEqual([]);
        expect(await yes(after.processes(gpu))).toEqual([]);
      }
      await yes(after.setMigMode(uuid, true));
      expect(await yes(after.instances(uuid))).toEqual([]);
    });
  });

  describe('without privileges', () => {
    it('everything can be read and nothing changed', async (context) => {
      const machine = await machineFor(setup);
      if (machine.setPrivileged === undefined)
        return skipFor(machine, context, 'this machine has no privileges to take');
      const { driver } = machine;
      const uuid = gpuOf(machine, resetless);
      await yes(driver.setMigMode(uuid, true));
      const { gi, ci } = await makeInstance(driver, uuid, small, 0);
      await machine.setPrivileged(false);
      expect(await refusalOf(driver.setMigMode(uuid, false))).toBe('no-permission');
      expect(await refusalOf(driver.reset(uuid))).toBe('no-permission');
      expect(await refusalOf(driver.createGpuInstance(uuid, small, 1))).toBe('no-permission');
      expect(await refusalOf(driver.createComputeInstance(uuid, gi.id))).toBe('no-permission');
      expect(await refusalOf(driver.destroyComputeInstance(uuid, gi.id, ci.id))).toBe('no-permission');
      expect(await refusalOf(driver.destroyGpuInstance(uuid, gi.id))).toBe('no-permission');
      expect(await yes(driver.instances(uuid))).toHaveLength(1);
      await machine.setPrivileged(true);
      await yes(driver.createGpuInstance(uuid, small, 1));
    });
  });
}
