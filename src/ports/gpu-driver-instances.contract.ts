/** Contract cases: making and destroying instances, who is in them, and what they are called. */
import { describe, expect, it } from 'vitest';
import {
  clearGpu,
  clientsOf,
  cutOn,
  gpuOf,
  machineFor,
  makeInstance,
  noSuchInstance,
  profileNamed,
  refusalOf,
  resetless,
  rtxPro,
  skipFor,
  yes,
  type ContractSetup,
} from './gpu-driver-cases.contract.js';

const small = profileNamed(resetless, '1g.10gb').id;
const half = profileNamed(resetless, '3g.40gb').id;

/** An H100 with MIG on. */
async function hopper(setup: () => Promise<ContractSetup>) {
  const machine = await machineFor(setup);
  const uuid = gpuOf(machine, resetless);
  await yes(machine.driver.setMigMode(uuid, true));
  return { machine, uuid, driver: machine.driver };
}

export function instanceCases(setup: () => Promise<ContractSetup>): void {
  describe('instances', () => {
    it('begin where they are told to', async () => {
      const { driver, uuid } = await hopper(setup);
      const gi = await yes(driver.createGpuInstance(uuid, half, 4));
      expect(gi.placement).toEqual({ profile: '3g.40gb', start: 4, size: 4 });
      expect(gi).toMatchObject({ profileId: half, computeInstances: [] });
      for (const start of [2, 0]) await makeInstance(driver, uuid, small, start);
      expect(await cutOn(driver, uuid)).toEqual(['1g.10gb:0', '1g.10gb:2', '3g.40gb:4']);
      expect((await yes(driver.instances(uuid))).find(({ id }) => id === gi.id)).toMatchObject({
        profileId: half,
        placement: gi.placement,
        computeInstances: [],
      });
    });

    it('hold one compute instance that covers them', async () => {
      const { driver, uuid } = await hopper(setup);
      const { gi, ci } = await makeInstance(driver, uuid, half, 0);
      expect(ci.uuid).toMatch(/^MIG-/);
      expect(await refusalOf(driver.createComputeInstance(uuid, gi.id))).toBe('no-room');
      const [listed] = await yes(driver.instances(uuid));
      expect(listed).toMatchObject({ id: gi.id, computeInstances: [ci] });
      const memory = listed?.memory;
      if (memory != null) expect(memory.usedMiB).toBeLessThanOrEqual(memory.totalMiB);
    });

    it('need an idle GPU for the first of them, not for the next', async (context) => {
      const { machine, driver, uuid } = await hopper(setup);
      const { addClient, removeClient } = await clientsOf(machine, context);
      await addClient(uuid, null, { pid: 4711, usedMiB: 10 });
      expect(await refusalOf(driver.createGpuInstance(uuid, small, 0))).toBe('in-use');
      expect(await yes(driver.instances(uuid))).toEqual([]);
      await removeClient(uuid, 4711);
      const { gi } = await makeInstance(driver, uuid, small, 0);
      await addClient(uuid, gi.id, { pid: 4712, usedMiB: 10 });
      await makeInstance(driver, uuid, small, 1);
    });

    it('go compute instance first', async () => {
      const { driver, uuid } = await hopper(setup);
      const { gi, ci } = await makeInstance(driver, uuid, half, 0);
      expect(await refusalOf(driver.destroyGpuInstance(uuid, gi.id))).toBe('in-use');
      await yes(driver.destroyComputeInstance(uuid, gi.id, ci.id));
      expect(await yes(driver.instances(uuid))).toMatchObject([{ id: gi.id, computeInstances: [] }]);
      await yes(driver.destroyGpuInstance(uuid, gi.id));
      expect(await yes(driver.instances(uuid))).toEqual([]);
    });

    it('stay while somebody is in them, and their neighbours may go', async (context) => {
      const { machine, driver, uuid } = await hopper(setup);
      const { addClient, removeClient } = await clientsOf(machine, context);
      const busy = await makeInstance(driver, uuid, half, 0);
      const idle = await makeInstance(driver, uuid, half, 4);
      await addClient(uuid, busy.gi.id, { pid: 4711, usedMiB: 1000 });
      expect(await refusalOf(driver.destroyComputeInstance(uuid, busy.gi.id, busy.ci.id))).toBe('in-use');
      expect(await refusalOf(driver.destroyGpuInstance(uuid, busy.gi.id))).toBe('in-use');
      await yes(driver.destroyComputeInstance(uuid, idle.gi.id, idle.ci.id));
      await yes(driver.destroyGpuInstance(uuid, idle.gi.id));
      expect(await cutOn(driver, uuid)).toEqual(['3g.40gb:0']);
      await removeClient(uuid, 4711);
      await yes(driver.destroyComputeInstance(uuid, busy.gi.id, busy.ci.id));
    });

    it('are not found once they are gone, nor if they never were', async () => {
      const { driver, uuid } = await hopper(setup);
      const { gi, ci } = await makeInstance(driver, uuid, small, 0);
      expect(await refusalOf(driver.destroyComputeInstance(uuid, gi.id, ci.id + 1))).toBe('not-found');
      await clearGpu(driver, uuid);
      for (const id of [gi.id, noSuchInstance]) {
        expect(await refusalOf(driver.createComputeInstance(uuid, id))).toBe('not-found');
        expect(await refusalOf(driver.destroyComputeInstance(uuid, id, ci.id))).toBe('not-found');
        expect(await refusalOf(driver.destroyGpuInstance(uuid, id))).toBe('not-found');
      }
    });

    it('have the UUID of their GPU and GI id, again and again', async () => {
      const { driver, uuid } = await hopper(setup);
      const seen = new Map<number, string | null>();
      let repeats = 0;
      const make = async (start: number) => {
        const { gi, ci } = await makeInstance(driver, uuid, small, start);
        if (seen.has(gi.id)) {
          repeats += 1;
          expect(ci.uuid).toBe(seen.get(gi.id));
        }
        seen.set(gi.id, ci.uuid);
      };
      for (const start of [0, 1, 2, 3, 4, 5, 6]) await make(start);
      for (const { id, placement, computeInstances } of await yes(driver.instances(uuid))) {
        for (const ci of computeInstances) await yes(driver.destroyComputeInstance(uuid, id, ci.id));
        await yes(driver.destroyGpuInstance(uuid, id));
        await make(placement.start);
      }
      await clearGpu(driver, uuid);
      for (const start of [6, 2, 4, 0, 1, 5, 3]) await make(start);
      expect(repeats).toBeGreaterThan(0);
      expect(new Set(seen.values()).size).toBe(seen.size);
    });

    it('have other UUIDs on another GPU', async (context) => {
      const { machine, driver, uuid } = await hopper(setup);
      const other = machine.gpus[rtxPro];
      if (other === undefined) return skipFor(machine, context, 'this machine has no RTX PRO 6000');
      await yes(driver.setMigMode(other, true));
      const here = await makeInstance(driver, uuid, 0, 0);
      const there = await makeInstance(driver, other, 0, 0);
      expect(here.ci.uuid).not.toBe(there.ci.uuid);
    });

    it('are there for a second driver, and what that one does is there for the first', async () => {
      const { machine, driver, uuid } = await hopper(setup);
      const { gi, ci } = await makeInstance(driver, uuid, half, 0);
      const second = await machine.reopen();
      expect(await yes(second.gpus())).toEqual(await yes(driver.gpus()));
      expect(await yes(second.instances(uuid))).toMatchObject([{ id: gi.id, computeInstances: [ci] }]);
      await makeInstance(second, uuid, half, 4);
      await yes(second.destroyComputeInstance(uuid, gi.id, ci.id));
      expect(await refusalOf(driver.createGpuInstance(uuid, half, 4))).toBe('no-room');
      await yes(driver.destroyGpuInstance(uuid, gi.id));
      expect(await cutOn(second, uuid)).toEqual(['3g.40gb:4']);
    });
  });

  describe('processes', () => {
    it('are listed with the instance that they are in', async (context) => {
      const { machine, driver, uuid } = await hopper(setup);
      const { addClient, removeClient } = await clientsOf(machine, context);
      const one = await makeInstance(driver, uuid, half, 0);
      const two = await makeInstance(driver, uuid, half, 4);
      await addClient(uuid, one.gi.id, { pid: 4711, usedMiB: 1000 });
      await addClient(uuid, two.gi.id, { pid: 4712, usedMiB: 2000 });
      const listed = [...(await yes(driver.processes(uuid)))].sort((a, b) => a.pid - b.pid);
      expect(listed).toMatchObject([
        { pid: 4711, usedMiB: 1000, instanceId: one.gi.id },
        { pid: 4712, usedMiB: 2000, instanceId: two.gi.id },
      ]);
      await removeClient(uuid, 4711);
      expect(await yes(driver.processes(uuid))).toMatchObject([{ pid: 4712 }]);
    });

    it('are in no instance where MIG is off', async (context) => {
      const machine = await machineFor(setup);
      const { addClient } = await clientsOf(machine, context);
      const uuid = gpuOf(machine, resetless);
      await addClient(uuid, null, { pid: 4711, usedMiB: 1000 });
      expect(await yes(machine.driver.processes(uuid))).toMatchObject([
        { pid: 4711, usedMiB: 1000, instanceId: null },
      ]);
    });
  });
}
