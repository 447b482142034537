/** Ampere cards with MIG: A30, and A100 with its kin. */
import { withReset } from './mig-enable.js';
import type { MigModel, Profile } from './model.js';
import { engineColumns, namesOnly, sevenSlice, usable } from './seven-slice.js';
import { cite } from './sources.js';

// prettier-ignore
const a30Rows = [
  // name, NVML enum, id, slices = units, starts, max, MiB, SMs, copy/decoders/JPEG/OFA, note
  { name: '1g.6gb',     nvmlEnum: 0x0, id: 14, size: 1, starts: [0, 1, 2, 3], max: 4, memoryMiB: 5952,  sms: 14, engines: [1, 1, 0, 0],
    note: 'docs table says 0 NVDEC; the real -lgip and the MIG device row say 1' },
  { name: '1g.6gb+me',  nvmlEnum: 0x7, id: 21, size: 1, starts: [0, 1, 2, 3], max: 1, memoryMiB: 5952,  sms: 14, engines: [1, 1, 1, 1], note: 'R470+' },
  { name: '2g.12gb',    nvmlEnum: 0x1, id: 5,  size: 2, starts: [0, 2],       max: 2, memoryMiB: 11968, sms: 28, engines: [2, 2, 0, 0] },
  { name: '2g.12gb+me', nvmlEnum: 0x8, id: 6,  size: 2, starts: [0, 2],       max: 1, memoryMiB: 11968, sms: 28, engines: [2, 2, 1, 1], note: 'R525+' },
  { name: '4g.24gb',    nvmlEnum: 0x3, id: 0,  size: 4, starts: [0],          max: 1, memoryMiB: [24000, 24064], sms: 56, engines: [4, 4, 1, 1] },
] as const;

const a30Profiles = a30Rows.map((row): Profile => {
  const [copy, decoders, jpeg, ofa] = row.engines;
  return {
    name: row.name,
    id: row.id,
    nvmlEnum: row.nvmlEnum,
    computeSlices: row.size,
    sizeUnits: row.size,
    starts: row.starts,
    maxCount: row.max,
    attribute: row.name.endsWith('+me') ? '+me' : null,
    ...usable(row.memoryMiB),
    sms: row.sms,
    engines: { copy, decoders, encoders: 0, jpeg, ofa },
    confidence: 'observed',
    derivedFields: [],
    sources: cite('a30-lab', 'docs-profiles'),
    ...('note' in row && { note: row.note }),
  };
});

export const ampere: readonly MigModel[] = [
  {
    kind: 'mig',
    key: 'a30-24gb',
    name: 'NVIDIA A30',
    productNames: ['NVIDIA A30'],
    aliases: [],
    gkeAccelerators: [],
    architecture: 'Ampere',
    pciDeviceIds: ['20B7'],
    memoryMiB: 24576,
    memoryGB: 24,
    sms: 56,
    computeSlices: 4,
    gridUnits: 4,
    maxInstances: 4,
    migEnable: withReset('460.73.01'),
    profiles: a30Profiles,
    sources: cite('a30-lab', 'docs-support', 'driver-readme', 'mig-parted-config'),
    notes: [
      'NVML on A30 reports wrong per-profile InstanceCount in places: mig-parted hard-codes a workaround',
      'InstaSlice lists a 3g.24gb for A30: does not exist',
    ],
  },
  {
    key: 'a100-40gb',
    name: 'NVIDIA A100 40GB (SXM4 / PCIe), A800 40GB',
    productNames: [
      'NVIDIA A100-SXM4-40GB',
      'NVIDIA A100-PCIE-40GB',
      'NVIDIA A100-PG509-200',
      'NVIDIA A800-SXM4-40GB',
      'NVIDIA A800 40GB Active',
    ],
    aliases: ['a800-40gb'],
    gkeAccelerators: ['nvidia-tesla-a100'],
    architecture: 'Ampere',
    pciDeviceIds: ['20B0', '20B1', '20F1', '20F6', '20BD'],
    memoryMiB: 40960,
    memoryGB: 40,
    sms: 108,
    migEnable: withReset('450.80.02'),
    ...sevenSlice({
      gb: [5, 10, 10, 20, 20, 40],
      memoryMiB: [4864, [9856, 9984], [9856, 9984], [19968, 20096], [19968, 20096], [40192, 40320]],
      sms: [14, 14, 28, 42, 56, 98],
      engines: engineColumns.ampere,
      confidence: 'observed',
      derivedFields: [],
      sources: ['docs-profiles', 'docs-start', 'a100-40-instaslice', 'dra-capture'],
      except: { '1g.5gb+me': { note: 'R470+' }, '1g.10gb': { note: 'R525+' } },
    }),
    sources: cite('docs-support', 'driver-readme', 'mig-parted-config', 'smi-a100'),
    notes: [
      '108 SMs on the GPU, 98 usable in MIG mode',
      'other memory figures: newer-driver capture (p4d)',
      'A800 ids grouped with A100 by mig-parted; numbers not observed on A800; 20BD (A800-SXM4-40GB) is missing from mig-parted',
    ],
  },
  {
    key: 'a100-80gb',
    name: 'NVIDIA A100 80GB (SXM4 / PCIe), A800 80GB',
    productNames: [
      'NVIDIA A100-SXM4-80GB',
      'NVIDIA A100 80GB PCIe',
      'NVIDIA PG509-210',
      'NVIDIA A800-SXM4-80GB',
      'NVIDIA A800 80GB PCIe',
      'NVIDIA A800 80GB PCIe LC',
    ],
    aliases: ['a800-80gb'],
    gkeAccelerators: ['nvidia-a100-80gb'],
    architecture: 'Ampere',
    pciDeviceIds: ['20B2', '20B5', '20F3', '20F5'],
    memoryMiB: 81920,
    memoryGB: 80,
    sms: 108,
    migEnable: withReset('450.80.02'),
    ...sevenSlice({
      gb: [10, 20, 20, 40, 40, 80],
      memoryMiB: [[9728, 9984], 19968, 19968, 40192, 40192, [80896, 80384, 80640]],
      sms: [14, 14, 28, 42, 56, 98],
      engines: engineColumns.ampere,
      confidence: 'observed',
      derivedFields: [],
      sources: ['a100-80-placements', 'docs-profiles', 'a100-80-lgip-1', 'a100-80-lgip-2'],
    }),
    sources: cite('docs-support', 'driver-readme', 'mig-parted-config'),
    notes: [
      'drivers 535/545 made mig-parted name the 3g profile 3g.39gb (NVIDIA/mig-parted issue 31): names depend on the reported memory',
    ],
  },
  {
    key: 'pg506-96gb',
    name: 'NVIDIA PG506-232 (A100-class 96GB board)',
    productNames: ['NVIDIA PG506-232'],
    aliases: [],
    gkeAccelerators: [],
    architecture: 'Ampere',
    pciDeviceIds: ['20B6'],
    memoryMiB: null,
    memoryGB: 96,
    sms: null,
    migEnable: withReset(null),
    ...sevenSlice({
      gb: [12, 24, 24, 48, 48, 96],
      memoryMiB: null,
      sms: null,
      engines: engineColumns.unknown,
      confidence: 'derived',
      derivedFields: namesOnly,
      sources: ['mig-parted-config', 'driver-readme'],
    }),
    sources: cite('mig-parted-config', 'driver-readme'),
    notes: ['names from mig-parted config only'],
  },
];
