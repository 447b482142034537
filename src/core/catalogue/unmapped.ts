/** Cards that can do MIG but whose profile ids or placements were never published: Mica shows them and plans none. */
import { resetless } from './mig-enable.js';
import type { Attribute, MigEnable, ProfileOutline, UnmappedModel } from './model.js';
import { cite } from './sources.js';

/** One line of the documentation's table: the engines are copy, decoders, encoders, JPEG, OFA. */
interface Line {
  readonly slices: number;
  readonly gb: number;
  readonly attribute: Attribute | null;
  readonly nvmlEnum: number;
  readonly max: number;
  readonly engines: readonly [number, number, number, number, number];
}

// prettier-ignore
const rtxPro5000: readonly Line[] = [
  { slices: 1, gb: 24, attribute: null,      nvmlEnum: 0x0,  max: 2, engines: [1, 1, 1, 0, 0] },
  { slices: 1, gb: 24, attribute: '+me',     nvmlEnum: 0x7,  max: 1, engines: [1, 1, 1, 1, 1] },
  { slices: 1, gb: 24, attribute: '+gfx',    nvmlEnum: 0xa,  max: 2, engines: [1, 1, 1, 0, 0] },
  { slices: 1, gb: 24, attribute: '+me.all', nvmlEnum: 0xf,  max: 1, engines: [1, 3, 3, 1, 1] },
  { slices: 1, gb: 24, attribute: '-me',     nvmlEnum: 0xd,  max: 2, engines: [1, 0, 0, 0, 0] },
  { slices: 2, gb: 48, attribute: null,      nvmlEnum: 0x1,  max: 1, engines: [4, 3, 3, 1, 1] },
  { slices: 2, gb: 48, attribute: '+gfx',    nvmlEnum: 0xb,  max: 1, engines: [4, 3, 3, 1, 1] },
];

// prettier-ignore
const rtxPro4500: readonly Line[] = [
  { slices: 1, gb: 16, attribute: null,      nvmlEnum: 0x0,  max: 2, engines: [1, 1, 1, 1, 0] },
  { slices: 1, gb: 16, attribute: '+gfx',    nvmlEnum: 0xa,  max: 2, engines: [1, 1, 1, 1, 0] },
  { slices: 1, gb: 16, attribute: '+me.all', nvmlEnum: 0xf,  max: 1, engines: [1, 3, 3, 2, 1] },
  { slices: 1, gb: 16, attribute: '-me',     nvmlEnum: 0xd,  max: 2, engines: [1, 0, 0, 0, 0] },
  { slices: 2, gb: 32, attribute: null,      nvmlEnum: 0x1,  max: 1, engines: [2, 3, 3, 2, 1] },
  { slices: 2, gb: 32, attribute: '+gfx',    nvmlEnum: 0xb,  max: 1, engines: [2, 3, 3, 2, 1] },
];

// prettier-ignore
const thor: readonly Line[] = [
  { slices: 1, gb: 0, attribute: null,   nvmlEnum: 0x0,  max: 1, engines: [1, 1, 1, 1, 0] },
  { slices: 1, gb: 0, attribute: '+me',  nvmlEnum: 0x7,  max: 1, engines: [1, 1, 1, 1, 1] },
  { slices: 1, gb: 0, attribute: '+gfx', nvmlEnum: 0xa,  max: 1, engines: [1, 1, 1, 1, 0] },
  { slices: 2, gb: 0, attribute: null,   nvmlEnum: 0x1,  max: 1, engines: [1, 1, 1, 1, 0] },
  { slices: 2, gb: 0, attribute: '+gfx', nvmlEnum: 0xb,  max: 1, engines: [1, 1, 1, 1, 0] },
  { slices: 3, gb: 0, attribute: null,   nvmlEnum: 0x2,  max: 1, engines: [1, 2, 2, 2, 1] },
  { slices: 3, gb: 0, attribute: '+gfx', nvmlEnum: 0x11, max: 1, engines: [1, 2, 2, 2, 1] },
];

function listed(lines: readonly Line[]): Pick<UnmappedModel, 'profileNames' | 'profiles'> {
  const profiles = lines.map(({ slices, gb, attribute, nvmlEnum, max, engines }): ProfileOutline => {
    const [copy, decoders, encoders, jpeg, ofa] = engines;
    return {
      name: `${slices}g.${gb}gb${attribute ?? ''}`,
      nvmlEnum,
      computeSlices: slices,
      maxCount: max,
      attribute,
      memoryMiB: null,
      sms: null,
      engines: { copy, decoders, encoders, jpeg, ofa },
      confidence: 'documented',
      derivedFields: ['nvmlEnum'],
      sources: cite('docs-profiles'),
    };
  });
  return { profileNames: profiles.map((profile) => profile.name), profiles };
}

const unknownEnable: MigEnable = {
  minDriver: null,
  minVbios: null,
  resetToToggle: null,
  modePersistsReboot: null,
  needsComputeDisplayMode: null,
};

/** An id in the driver's list of cards, of which no profile was found. */
const onlyAnId = {
  kind: 'unmapped',
  aliases: [],
  gkeAccelerators: [],
  memoryMiB: null,
  sms: null,
  migEnable: unknownEnable,
  computeSlices: null,
  maxInstances: null,
  profileNames: [],
  profiles: [],
  sources: cite('driver-readme'),
} as const;

export const unmapped: readonly UnmappedModel[] = [
  {
    kind: 'unmapped',
    key: 'rtx-pro-5000-blackwell-48gb',
    name: 'NVIDIA RTX PRO 5000 Blackwell 48GB',
    productNames: ['NVIDIA RTX PRO 5000 Blackwell'],
    aliases: ['rtx-pro-5000-48gb'],
    gkeAccelerators: [],
    architecture: 'Blackwell',
    pciDeviceIds: ['2BB3'],
    pciSubsystemIds: ['204D'],
    memoryMiB: null,
    memoryGB: 48,
    sms: null,
    migEnable: resetless('575.57.08', { minVbios: '98.02.73.00.00' }),
    computeSlices: 2,
    maxInstances: 2,
    ...listed(rtxPro5000),
    sources: cite('docs-profiles', 'docs-support', 'driver-readme'),
    notes: [
      'older docs (v580) and a mig-parted test show 1g.12gb / 2g.24gb-me / 4g.48gb instead: superseded',
      'the 72GB variant shares device id 2BB3 (subsystem 227A): profiles unknown',
      'CE 4 for the full profile is as printed in the docs',
    ],
  },
  {
    kind: 'unmapped',
    key: 'rtx-pro-4500-blackwell-32gb',
    name: 'NVIDIA RTX PRO 4500 Blackwell',
    productNames: ['NVIDIA RTX PRO 4500 Blackwell', 'NVIDIA RTX PRO 4500 Blackwell Server Edition'],
    aliases: [],
    gkeAccelerators: [],
    architecture: 'Blackwell',
    pciDeviceIds: ['2C31'],
    memoryMiB: null,
    memoryGB: 32,
    sms: null,
    migEnable: resetless('575.64'),
    computeSlices: 2,
    maxInstances: 2,
    ...listed(rtxPro4500),
    sources: cite('docs-profiles', 'docs-support', 'driver-readme'),
    notes: ['no +me profile; a test fixture gives 32623 MiB in total'],
  },
  {
    kind: 'unmapped',
    key: 'thor-igpu',
    name: 'NVIDIA Thor iGPU (GB10B)',
    productNames: [],
    aliases: [],
    gkeAccelerators: [],
    architecture: 'Blackwell',
    pciDeviceIds: [],
    memoryMiB: null,
    memoryGB: null,
    sms: null,
    migEnable: { ...unknownEnable, minDriver: '595' },
    computeSlices: 3,
    maxInstances: 2,
    ...listed(thor),
    sources: cite('docs-profiles', 'docs-support'),
    notes: [
      'unified memory: every profile reports 0 GB',
      'at most one compute plus one +gfx instance; 3g alone',
      'driver 595 comes with JetPack 7.2',
    ],
  },
  {
    ...onlyAnId,
    key: 'rtx-pro-5000-blackwell-72gb',
    name: 'NVIDIA RTX PRO 5000 72GB Blackwell',
    productNames: ['NVIDIA RTX PRO 5000 72GB Blackwell'],
    architecture: 'Blackwell',
    pciDeviceIds: ['2BB3'],
    pciSubsystemIds: ['227A'],
    memoryGB: 72,
    notes: ['nothing published on its profiles'],
  },
  {
    ...onlyAnId,
    key: 'a100-64gb-sxm',
    name: 'NVIDIA A100-SXM-64GB',
    productNames: ['NVIDIA A100-SXM-64GB'],
    architecture: 'Ampere',
    pciDeviceIds: ['20B3'],
    memoryGB: 64,
    notes: ['nothing published on its profiles'],
  },
  {
    ...onlyAnId,
    key: 'h20-nvl16',
    name: 'NVIDIA H20 NVL16',
    productNames: [],
    architecture: 'Hopper',
    pciDeviceIds: ['230E'],
    memoryGB: null,
    notes: ['nothing published on its profiles'],
  },
  {
    ...onlyAnId,
    key: 'h100-2339',
    name: 'NVIDIA H100 (variant not sourced)',
    productNames: [],
    architecture: 'Hopper',
    pciDeviceIds: ['2339'],
    memoryGB: null,
    notes: ['the driver calls PCI id 2339 "NVIDIA H100"; nothing else is published'],
  },
];
