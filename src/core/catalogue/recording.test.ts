/** The tables say what was recorded, field by field, and the rows seen on hardware once more by hand. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { modelByKey, models } from './catalogue.js';
import type { GpuModel, Profile, ProfileOutline } from './model.js';
import { citation, sources } from './sources.js';

type Row = [
  name: string,
  nvmlEnum: number,
  id: number | null,
  computeSlices: number,
  sizeUnits: number | null,
  starts: number[] | null,
  memoryMiB: number | null,
  memoryMiBVariants: number[],
  sms: number | null,
  engines: (number | null)[],
  maxCount: number,
  attribute: 'me' | 'gfx' | 'me.all' | '-me' | null,
  confidence: string,
  derived: string,
  note?: string,
];

interface RecordedModel {
  name: string;
  architecture: string;
  pciDeviceIds: string[];
  pciSubsystemIds?: string[];
  memoryMiB: number | null;
  memoryGB: number | null;
  sms: number | null;
  computeSlices: number;
  memorySlices: number | null;
  maxInstances: number;
  migEnable: Record<string, string | boolean | null>;
  sources: number[];
  notes: string[];
  profileSources: number[];
  profiles: Row[];
}

interface Recording {
  derivedFields: Record<string, string[]>;
  otherMigCapablePciIds: { id: string; name: string; subsystem?: string }[];
  sources: string[];
  models: Record<string, RecordedModel>;
}

const path = new URL('../../../fixtures/catalogue/mig-profiles.json', import.meta.url);
const recording = JSON.parse(readFileSync(path, 'utf8')) as Recording;
const recorded = Object.entries(recording.models);

/** The recording's field names, in the words of `Profile`. */
const fieldNames: Record<string, string> = {
  placements: 'starts',
  memorySlices: 'sizeUnits',
  nvmlProfile: 'nvmlEnum',
};

describe('the catalogue against the recording of 2026-11', () => {
  test('holds every model and every profile of it', () => {
    expect(recorded).toHaveLength(27);
    expect(recorded.flatMap(([, model]) => model.profiles)).toHaveLength(198);
    const known = models().filter((model) => model.kind !== 'no-mig');
    const extra = recording.otherMigCapablePciIds.map((other) => other.name);
    expect(known.map((model) => model.key).sort()).toEqual(
      [
        ...recorded.map(([key]) => key),
        ...known.filter((m) => extra.includes(m.name)).map((m) => m.key),
      ].sort(),
    );
    expect(known).toHaveLength(27 + extra.length);
  });

  test.each(recorded)('%s: the card', (key, record) => {
    const model = modelByKey(key);
    if (model === undefined || model.kind === 'no-mig') throw new Error(`${key} is missing`);
    expect(model).toMatchObject({
      name: record.name,
      architecture: record.architecture,
      pciDeviceIds: record.pciDeviceIds,
      memoryMiB: record.memoryMiB,
      memoryGB: record.memoryGB,
      sms: record.sms,
      computeSlices: record.computeSlices,
      maxInstances: record.maxInstances,
    });
    expect(model.pciSubsystemIds).toEqual(record.pciSubsystemIds);
    expect(model.kind === 'mig' ? model.gridUnits : null).toBe(record.memorySlices);
    expect(model.sources.map(citation)).toEqual(cited(record.sources));
    const notes = record.notes.map((note) => note.replace('memoryMiBVariants', 'other memory figures'));
    expect(model.notes.slice(0, notes.length)).toEqual(notes);
    const { minDriver, ...enable } = model.migEnable;
    expect(enable).toEqual({
      minVbios: record.migEnable['minVbios'] ?? null,
      needsComputeDisplayMode: record.migEnable['needsComputeDisplayMode'] ?? null,
      resetToToggle: record.migEnable['resetToToggle'],
      modePersistsReboot: record.migEnable['modePersistsReboot'],
    });
    expect(minDriver).toBe(driverIn(record.migEnable['minDriver']));
  });

  test.each(recorded)('%s: its profiles', (key, record) => {
    const profiles = profilesOf(modelByKey(key));
    expect(profiles.map(asRecorded)).toEqual(
      record.profiles.map((row) => recordedProfile(row, record.profileSources)),
    );
  });

  test.each(recording.otherMigCapablePciIds)('$name is known by its PCI id and nothing else', (other) => {
    const model = models().find((one) => one.name === other.name);
    expect(model).toMatchObject({ kind: 'unmapped', pciDeviceIds: [other.id], profiles: [] });
    expect(model?.pciSubsystemIds).toEqual(other.subsystem === undefined ? undefined : [other.subsystem]);
  });

  test('every citation of the recording is in the table of sources', () => {
    const texts: string[] = Object.values(sources);
    expect(recording.sources.filter((text) => !texts.includes(text))).toEqual([]);
  });
});

describe('rows that hardware printed', () => {
  // `nvidia-smi mig -lgip` and `-lgipp`: name, id, GiB as printed, MiB, SMs, starts, size.
  test.each([
    ['a100-80gb', '1g.10gb', 19, '9.50', 9728, 14, [0, 1, 2, 3, 4, 5, 6], 1],
    ['a100-80gb', '1g.20gb', 15, '19.50', 19968, 14, [0, 2, 4, 6], 2],
    ['a100-80gb', '2g.20gb', 14, '19.50', 19968, 28, [0, 2, 4], 2],
    ['a100-80gb', '3g.40gb', 9, '39.25', 40192, 42, [0, 4], 4],
    ['a100-80gb', '4g.40gb', 5, '39.25', 40192, 56, [0], 4],
    ['a100-80gb', '7g.80gb', 0, '79.00', 80896, 98, [0], 8],
    ['h100-94gb-nvl', '1g.12gb+me', 20, '10.75', 11008, 16, [0, 1, 2, 3, 4, 5, 6], 1],
    ['h100-94gb-nvl', '3g.47gb', 9, '46.38', 47488, 60, [0, 4], 4],
    ['h100-80gb-sxm', '1g.20gb', 15, '19.62', 20096, 26, [0, 2, 4, 6], 2],
    ['h100-80gb-pcie', '1g.20gb', 15, '19.62', 20096, 14, [0, 2, 4, 6], 2],
    ['b200-180gb', '4g.90gb', 5, '89.00', 91136, 72, [0], 4],
    ['a30-24gb', '1g.6gb', 14, '5.81', 5952, 14, [0, 1, 2, 3], 1],
    ['a30-24gb', '2g.12gb+me', 6, '11.69', 11968, 28, [0, 2], 2],
    ['a30-24gb', '4g.24gb', 0, '23.44', 24000, 56, [0], 4],
    ['rtx-pro-6000-blackwell-server', '1g.24gb', 14, '23.62', 24192, 46, [0, 3, 6, 9], 3],
    ['rtx-pro-6000-blackwell-server', '1g.24gb+me.all', 65, '23.62', 24192, 46, [0, 3, 6, 9], 3],
    ['rtx-pro-6000-blackwell-server', '2g.48gb-me', 66, '47.38', 48512, 94, [0, 6], 6],
    ['rtx-pro-6000-blackwell-server', '4g.96gb+gfx', 32, '95.12', 97408, 188, [0], 12],
    ['rtx-pro-6000-blackwell-workstation', '4g.96gb', 0, '95.00', 97280, 188, [0], 12],
  ])('%s %s', (key, name, id, printedGiB, memoryMiB, sms, starts, sizeUnits) => {
    const profile = profilesOf(modelByKey(key)).find((one) => one.name === name);
    expect(profile).toMatchObject({ id, memoryMiB, sms, starts, sizeUnits });
    // Half of the last digit, and a little for the tie.
    expect(Math.abs(memoryMiB / 1024 - Number(printedGiB))).toBeLessThan(0.0051);
  });

  test('the RTX PRO 6000 has eleven profiles, and its ids are those that GKE passes to nvidia-smi', () => {
    const profiles = profilesOf(modelByKey('rtx-pro-6000-blackwell-server'));
    expect(
      Object.fromEntries(profiles.map((profile) => [profile.name, 'id' in profile && profile.id])),
    ).toEqual({
      '1g.24gb': 14,
      '1g.24gb+me': 21,
      '1g.24gb+gfx': 47,
      '1g.24gb+me.all': 65,
      '1g.24gb-me': 67,
      '2g.48gb': 5,
      '2g.48gb+gfx': 35,
      '2g.48gb+me.all': 64,
      '2g.48gb-me': 66,
      '4g.96gb': 0,
      '4g.96gb+gfx': 32,
    });
  });
});

function profilesOf(model: GpuModel | undefined): readonly (Profile | ProfileOutline)[] {
  if (model === undefined || model.kind === 'no-mig') throw new Error('no such model with profiles');
  return model.profiles;
}

function asRecorded(profile: Profile | ProfileOutline): unknown {
  const { derivedFields, sources: ids, ...rest } = profile;
  return { ...rest, derivedFields: [...derivedFields].sort(), sources: ids.map(citation) };
}

function recordedProfile(row: Row, sourcesOfModel: number[]): unknown {
  const [name, nvmlEnum, id, computeSlices, sizeUnits, starts, memoryMiB, variants, sms, counts] = row;
  const [, , , , , , , , , , maxCount, attribute, confidence, derived, note] = row;
  const [copy, decoders, encoders, jpeg, ofa] = counts;
  return {
    name,
    nvmlEnum,
    computeSlices,
    ...(id !== null && { id, sizeUnits, starts }),
    memoryMiB,
    ...(memoryMiB !== null &&
      variants.length > 0 && { memoryMiBSeen: [memoryMiB, ...variants].sort((a, b) => a - b) }),
    sms,
    engines: { copy, decoders, encoders, jpeg, ofa },
    maxCount,
    attribute: attribute === null || attribute === '-me' ? attribute : `+${attribute}`,
    confidence,
    derivedFields: (recording.derivedFields[derived] ?? []).map((field) => fieldNames[field] ?? field).sort(),
    sources: cited(sourcesOfModel),
    ...(note !== undefined && { note }),
  };
}

function cited(positions: number[]): (string | undefined)[] {
  return positions.map((position) => recording.sources[position]);
}

/** `R525 >= 525.85.12` is recorded, `525.85.12` is in the table; of a bare branch its number. */
function driverIn(text: string | boolean | null | undefined): string | null {
  return typeof text === 'string'
    ? (/\d{3}(?:\.\d+)+/.exec(text)?.[0] ?? /\d{3}/.exec(text)?.[0] ?? null)
    : null;
}
