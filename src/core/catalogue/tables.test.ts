/** Laws that every table of the catalogue obeys, whatever figures stand in it. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { migModels, models } from './catalogue.js';
import { nameParts } from './profile-name.js';
import { citation, sources } from './sources.js';
import { machineTypes } from './machine-types.js';
import { misnomers } from './misnomers.js';

describe.each(migModels().map((model) => [model.key, model] as const))('%s', (_key, model) => {
  test('every placement lies on the grid, and starts ascend', () => {
    for (const { name, starts, sizeUnits } of model.profiles) {
      expect(starts, name).toEqual([...starts].sort((a, b) => a - b));
      expect(new Set(starts).size, name).toBe(starts.length);
      expect(Math.min(...starts), name).toBe(0);
      expect(Math.max(...starts) + sizeUnits, name).toBeLessThanOrEqual(model.gridUnits);
    }
  });

  test('names say the compute slices and the attribute; ids, names and enums are unique', () => {
    for (const profile of model.profiles) {
      expect(nameParts(profile.name), profile.name).toMatchObject({
        computeInstance: null,
        computeSlices: profile.computeSlices,
        attribute: profile.attribute,
      });
    }
    for (const field of ['id', 'name', 'nvmlEnum'] as const) {
      expect(new Set(model.profiles.map((profile) => profile[field])).size).toBe(model.profiles.length);
    }
  });

  test('one profile is the whole card, and no profile may be cut more often than it has room', () => {
    const whole = model.profiles.filter((profile) => profile.sizeUnits === model.gridUnits);
    expect(whole[0]).toMatchObject({ id: 0, computeSlices: model.computeSlices, maxCount: 1 });
    for (const profile of model.profiles) {
      expect(profile.maxCount).toBeLessThanOrEqual(profile.starts.length);
      expect(profile.maxCount).toBeLessThanOrEqual(model.maxInstances);
      expect(profile.maxCount * profile.computeSlices).toBeLessThanOrEqual(model.computeSlices);
    }
  });

  test('more compute and more units never mean less memory, fewer SMs or fewer copy engines', () => {
    const pairs = model.profiles.flatMap((small) => model.profiles.map((large) => [small, large] as const));
    for (const [small, large] of pairs) {
      if (small.computeSlices > large.computeSlices || small.sizeUnits > large.sizeUnits) continue;
      for (const [less, more] of [
        [small.memoryMiB, large.memoryMiB],
        [small.sms, large.sms],
        [small.engines.copy, large.engines.copy],
      ] as const) {
        if (less !== null && more !== null)
          expect(less, `${small.name} ${large.name}`).toBeLessThanOrEqual(more);
      }
    }
  });

  test('a memory figure is a multiple of 64 MiB, below what its name says, and among the figures seen', () => {
    for (const { name, memoryMiB, memoryMiBSeen } of model.profiles) {
      if (memoryMiB === null) continue;
      const seen = memoryMiBSeen ?? [memoryMiB];
      expect(seen, name).toContain(memoryMiB);
      expect(seen, name).toEqual([...seen].sort((a, b) => a - b));
      for (const figure of seen) {
        expect(figure % 64, name).toBe(0);
        expect(figure / 1024, name).toBeLessThan(nameParts(name)?.memoryGB ?? 0);
      }
      if (model.memoryMiB !== null) expect(memoryMiB).toBeLessThan(model.memoryMiB);
    }
  });
});

test('a 3g.72gb exists on the GH200 144GB and nowhere else', () => {
  const owners = migModels().filter((model) => model.profiles.some((profile) => profile.name === '3g.72gb'));
  expect(owners.map((model) => model.key)).toEqual(['gh200-144gb']);
});

test('keys and PCI ids have their form, and every fact cites a source that has a text', () => {
  const keys = models().map((model) => model.key);
  expect(new Set(keys).size).toBe(keys.length);
  for (const model of models()) {
    expect(model.key).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/);
    for (const id of [...model.pciDeviceIds, ...(model.pciSubsystemIds ?? [])])
      expect(id).toMatch(/^[0-9A-F]{4}$/);
    const profileSources = model.kind === 'no-mig' ? [] : model.profiles.map((profile) => profile.sources);
    for (const cited of [model.sources, ...profileSources]) {
      expect(cited.length, model.key).toBeGreaterThan(0);
      for (const id of cited) expect(Object.keys(sources)).toContain(id);
    }
  }
});

test('every source is cited somewhere, and an unknown id stands for itself', () => {
  const used = new Set(
    models().flatMap((model) => [
      ...model.sources,
      ...(model.kind === 'no-mig' ? [] : model.profiles.flatMap((profile) => profile.sources)),
    ]),
  );
  for (const misnomer of misnomers) for (const id of misnomer.sources) used.add(id);
  expect(Object.keys(sources).filter((id) => !used.has(id))).toEqual([]);
  expect(citation('driver-readme')).toContain('open-gpu-kernel-modules');
  fc.assert(fc.property(fc.string(), (id) => Object.hasOwn(sources, id) || citation(id) === id));
});

test('a misnomer is no profile of its card, and what to use instead is', () => {
  for (const { models: keys, name, instead } of misnomers) {
    for (const key of keys) {
      const names = migModels()
        .find((model) => model.key === key)
        ?.profiles.map((profile) => profile.name);
      expect(names, `${key} ${name}`).toEqual(expect.arrayContaining([...instead]));
      expect(names).not.toContain(name);
    }
  }
});

test('machine types name models of the catalogue, each once, and GKE knows their accelerator', () => {
  const names = machineTypes.map((machine) => machine.name);
  expect(new Set(names).size).toBe(names.length);
  for (const machine of machineTypes) {
    const model = models().find((one) => one.key === machine.model);
    expect(model, machine.name).toBeDefined();
    expect(machine.gpus).toBeGreaterThan(0);
    expect(machine.source).not.toBe('');
    if (machine.cloud === 'gcp') expect(model?.gkeAccelerators).toContain(machine.accelerator);
    else expect(machine.accelerator).toBeNull();
  }
});
