/** Contract cases: what does not fit is refused and changes nothing. */
import { describe, expect, it } from 'vitest';
import {
  cutOn,
  gpuOf,
  machineFor,
  makeInstance,
  profileNamed,
  refusalOf,
  resetless,
  rtxPro,
  skipFor,
  yes,
  type ContractSetup,
} from './gpu-driver-cases.contract.js';

const idOf = (key: string, name: string) => profileNamed(key, name).id;
const noRtxPro = 'this machine has no RTX PRO 6000';

export function capacityCases(setup: () => Promise<ContractSetup>): void {
  describe('room', () => {
    it('is refused where something is already, this very profile or another', async () => {
      const machine = await machineFor(setup);
      const { driver } = machine;
      const uuid = gpuOf(machine, resetless);
      await yes(driver.setMigMode(uuid, true));
      await makeInstance(driver, uuid, idOf(resetless, '2g.20gb'), 2);
      for (const [profile, start] of [
        ['2g.20gb', 2],
        ['1g.10gb', 2],
        ['1g.10gb', 3],
        ['1g.20gb', 2],
        ['3g.40gb', 0],
        ['7g.80gb', 0],
      ] as const) {
        const answer = driver.createGpuInstance(uuid, idOf(resetless, profile), start);
        expect(await refusalOf(answer), `${profile}:${start}`).toBe('no-room');
      }
      expect(await cutOn(driver, uuid)).toEqual(['2g.20gb:2']);
    });

    it('is refused where the profile cannot begin, or is none of the card', async () => {
      const machine = await machineFor(setup);
      const { driver } = machine;
      const uuid = gpuOf(machine, resetless);
      await yes(driver.setMigMode(uuid, true));
      for (const [profile, start] of [
        ['3g.40gb', 2],
        ['2g.20gb', 6],
        ['1g.10gb', 7],
        ['7g.80gb', 1],
        ['1g.10gb', 8],
        ['4g.40gb', 4],
      ] as const) {
        const kind = await refusalOf(driver.createGpuInstance(uuid, idOf(resetless, profile), start));
        expect(['bad-argument', 'no-room'], `${profile}:${start}`).toContain(kind);
      }
      for (const unknown of [47, 4242]) {
        const kind = await refusalOf(driver.createGpuInstance(uuid, unknown, 0));
        expect(['bad-argument', 'not-supported'], `profile ${unknown}`).toContain(kind);
      }
      expect(await cutOn(driver, uuid)).toEqual([]);
    });

    it('is refused beyond the most that a profile may stand on a card', async () => {
      const machine = await machineFor(setup);
      const { driver } = machine;
      const uuid = gpuOf(machine, resetless);
      await yes(driver.setMigMode(uuid, true));
      await makeInstance(driver, uuid, idOf(resetless, '1g.10gb+me'), 3);
      expect(await refusalOf(driver.createGpuInstance(uuid, idOf(resetless, '1g.10gb+me'), 0))).toBe(
        'no-room',
      );
      await makeInstance(driver, uuid, idOf(resetless, '1g.10gb'), 0);
      expect(await cutOn(driver, uuid)).toEqual(['1g.10gb:0', '1g.10gb+me:3']);
    });

    it('is refused where another instance has the media engines', async (context) => {
      const machine = await machineFor(setup);
      const { driver } = machine;
      const uuid = machine.gpus[rtxPro];
      if (uuid === undefined) return skipFor(machine, context, noRtxPro);
      await yes(driver.setMigMode(uuid, true));
      await makeInstance(driver, uuid, idOf(rtxPro, '1g.24gb+me.all'), 0);
      for (const profile of ['1g.24gb', '1g.24gb+gfx', '1g.24gb+me']) {
        expect(await refusalOf(driver.createGpuInstance(uuid, idOf(rtxPro, profile), 3)), profile).toBe(
          'no-room',
        );
      }
      await makeInstance(driver, uuid, idOf(rtxPro, '1g.24gb-me'), 3);
      await makeInstance(driver, uuid, idOf(rtxPro, '2g.48gb-me'), 6);
      expect(await cutOn(driver, uuid)).toEqual(['1g.24gb+me.all:0', '1g.24gb-me:3', '2g.48gb-me:6']);
    });

    it('that is free but split helps nobody', async (context) => {
      const machine = await machineFor(setup);
      const { driver } = machine;
      const uuid = machine.gpus[rtxPro];
      if (uuid === undefined) return skipFor(machine, context, noRtxPro);
      await yes(driver.setMigMode(uuid, true));
      for (const start of [3, 6]) await makeInstance(driver, uuid, idOf(rtxPro, '1g.24gb'), start);
      for (const start of [0, 6]) {
        const kind = await refusalOf(driver.createGpuInstance(uuid, idOf(rtxPro, '2g.48gb'), start));
        expect(kind, `2g.48gb:${start}`).toBe('no-room');
      }
      for (const start of [0, 9]) await makeInstance(driver, uuid, idOf(rtxPro, '1g.24gb'), start);
    });
  });
}
