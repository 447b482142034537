/** RTX PRO 6000 Blackwell, three editions of one chip: twelve placement units, four compute slices, no 3g profile. */
import { resetless } from './mig-enable.js';
import type { Confidence, MigModel, Profile } from './model.js';
import { usable } from './seven-slice.js';
import { cite, type SourceId } from './sources.js';

// prettier-ignore
const rows = [
  // The engines: copy, media (each of decoders, encoders and JPEG), OFA
  { slices: 1, attribute: null,      nvmlEnum: 0x0,  id: 14, max: 4, copy: 1, media: 1, ofa: 0 },
  { slices: 1, attribute: '+me',     nvmlEnum: 0x7,  id: 21, max: 1, copy: 1, media: 1, ofa: 1 },
  { slices: 1, attribute: '+gfx',    nvmlEnum: 0xa,  id: 47, max: 4, copy: 1, media: 1, ofa: 0 },
  { slices: 1, attribute: '+me.all', nvmlEnum: 0xf,  id: 65, max: 1, copy: 1, media: 4, ofa: 1 },
  { slices: 1, attribute: '-me',     nvmlEnum: 0xd,  id: 67, max: 4, copy: 1, media: 0, ofa: 0 },
  { slices: 2, attribute: null,      nvmlEnum: 0x1,  id: 5,  max: 2, copy: 2, media: 2, ofa: 0 },
  { slices: 2, attribute: '+gfx',    nvmlEnum: 0xb,  id: 35, max: 2, copy: 2, media: 2, ofa: 0 },
  { slices: 2, attribute: '+me.all', nvmlEnum: 0x10, id: 64, max: 1, copy: 2, media: 4, ofa: 1 },
  { slices: 2, attribute: '-me',     nvmlEnum: 0xe,  id: 66, max: 2, copy: 2, media: 0, ofa: 0 },
  { slices: 4, attribute: null,      nvmlEnum: 0x3,  id: 0,  max: 1, copy: 4, media: 4, ofa: 1 },
  { slices: 4, attribute: '+gfx',    nvmlEnum: 0xc,  id: 32, max: 1, copy: 4, media: 4, ofa: 1 },
] as const;

const startsOf = { 1: [0, 3, 6, 9], 2: [0, 6], 4: [0] } as const;

type Slices = keyof typeof startsOf;
type Row = (typeof rows)[number];

/** What is known of one edition; figures are per number of compute slices. */
interface Edition {
  readonly memoryMiB: Readonly<Record<Slices, number | readonly [number, ...number[]] | null>>;
  readonly sms: Readonly<Record<Slices, number | null>>;
  readonly confidence: Confidence;
  readonly derivedFields: (row: Row) => Profile['derivedFields'];
  readonly sources: readonly SourceId[];
}

function profilesOf(edition: Edition): readonly Profile[] {
  return rows.map((row) => ({
    name: `${row.slices}g.${row.slices * 24}gb${row.attribute ?? ''}`,
    id: row.id,
    nvmlEnum: row.nvmlEnum,
    computeSlices: row.slices,
    sizeUnits: row.slices * 3,
    starts: startsOf[row.slices],
    maxCount: row.max,
    attribute: row.attribute,
    ...usable(edition.memoryMiB[row.slices]),
    sms: edition.sms[row.slices],
    engines: { copy: row.copy, decoders: row.media, encoders: row.media, jpeg: row.media, ofa: row.ofa },
    confidence: edition.confidence,
    derivedFields: edition.derivedFields(row),
    sources: edition.sources,
  }));
}

const shared = {
  kind: 'mig',
  architecture: 'Blackwell',
  memoryGB: 96,
  computeSlices: 4,
  gridUnits: 12,
  maxInstances: 4,
} as const;

const sharedNotes = [
  'no 3g.* profile; the 12-unit placement grid is not a GiB or SM count (1g = 3 units)',
  'only as many media engines as the card has: +me.all takes all 4 and then only -me profiles can be added',
];

const smsSeen = { 1: 46, 2: 94, 4: 188 };

/** The lab guide used these ids on a Max-Q; the rest are taken over from the Server Edition. */
const idsSeenOnMaxQ: readonly number[] = [14, 5, 0];

export const rtxPro: readonly MigModel[] = [
  {
    ...shared,
    key: 'rtx-pro-6000-blackwell-server',
    name: 'NVIDIA RTX PRO 6000 Blackwell Server Edition',
    productNames: ['NVIDIA RTX PRO 6000 Blackwell Server Edition'],
    aliases: ['rtx-pro-6000', 'rtx-pro-6000-server', 'rtx-pro-server-6000'],
    gkeAccelerators: ['nvidia-rtx-pro-6000'],
    pciDeviceIds: ['2BB5'],
    memoryMiB: 97887,
    sms: 188,
    migEnable: resetless('575.51.03', { needsComputeDisplayMode: false }),
    profiles: profilesOf({
      memoryMiB: { 1: [24192, 23680], 2: [48512, 47616], 4: 97408 },
      sms: smsSeen,
      confidence: 'observed',
      derivedFields: () => [],
      sources: cite(
        'rtx-server-lifecycle',
        'rtx-server-hami',
        'rtx-server-bottlerocket',
        'rtx-server-gke',
        'docs-profiles',
      ),
    }),
    sources: cite('docs-support', 'driver-readme', 'mig-parted-config', 'rtx-server-lifecycle'),
    notes: [
      ...sharedNotes,
      'other memory figures: vGPU host driver 580.105.06 (cubecos issue 312: 23.12 / 46.50 GiB)',
    ],
  },
  {
    ...shared,
    key: 'rtx-pro-6000-blackwell-workstation',
    name: 'NVIDIA RTX PRO 6000 Blackwell Workstation Edition',
    productNames: ['NVIDIA RTX PRO 6000 Blackwell Workstation Edition'],
    aliases: ['rtx-pro-6000-workstation'],
    gkeAccelerators: [],
    pciDeviceIds: ['2BB1'],
    memoryMiB: null,
    sms: 188,
    migEnable: resetless('575.51.03', { minVbios: '98.02.55.00.00', needsComputeDisplayMode: true }),
    profiles: profilesOf({
      memoryMiB: { 1: 24192, 2: 48512, 4: 97280 },
      sms: smsSeen,
      confidence: 'observed',
      derivedFields: () => ['starts'],
      sources: cite('rtx-workstation-lgip', 'docs-profiles'),
    }),
    sources: cite('docs-support', 'driver-readme', 'rtx-workstation-lgip'),
    notes: [
      ...sharedNotes,
      '2BB1 is not in mig-parted device filters',
      'truenas repo: MIG worked with 570.172.08 although docs say R575',
    ],
  },
  {
    ...shared,
    key: 'rtx-pro-6000-blackwell-maxq',
    name: 'NVIDIA RTX PRO 6000 Blackwell Max-Q Workstation Edition',
    productNames: ['NVIDIA RTX PRO 6000 Blackwell Max-Q Workstation Edition'],
    aliases: ['rtx-pro-6000-maxq', 'rtx-pro-6000-max-q'],
    gkeAccelerators: [],
    pciDeviceIds: ['2BB4'],
    memoryMiB: null,
    sms: null,
    migEnable: resetless('575.51.03', { minVbios: '98.02.6A.00.00', needsComputeDisplayMode: true }),
    profiles: profilesOf({
      memoryMiB: { 1: null, 2: null, 4: null },
      sms: { 1: null, 2: null, 4: null },
      confidence: 'documented',
      derivedFields: (row) =>
        idsSeenOnMaxQ.includes(row.id) ? ['starts', 'sizeUnits'] : ['id', 'starts', 'sizeUnits'],
      sources: cite('docs-profiles', 'rtx-maxq-lab'),
    }),
    sources: cite('docs-support', 'driver-readme', 'rtx-maxq-lab'),
    notes: [
      ...sharedNotes,
      '2BB4 is not in mig-parted device filters',
      'ids 14/5/0 confirmed by the lab guide; other ids and the placements are those of the Server Edition (derived); memory and SMs left null: no raw Max-Q -lgip found',
    ],
  },
];
