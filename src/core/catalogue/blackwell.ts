/** Data-centre Blackwell: B200, GB200, B300, GB300. */
import { resetless } from './mig-enable.js';
import type { MigModel, Profile } from './model.js';
import { engineColumns, namesOnly, sevenSlice } from './seven-slice.js';
import { cite } from './sources.js';

/** What stands in the release notes or a configuration file, without the figures that `-lgip` prints. */
const unpublished: Partial<Profile> = {
  confidence: 'documented',
  derivedFields: ['starts', 'nvmlEnum'],
  engines: { copy: null, decoders: null, encoders: 0, jpeg: null, ofa: null },
};

export const blackwell: readonly MigModel[] = [
  {
    key: 'b200-180gb',
    name: 'NVIDIA B200',
    productNames: ['NVIDIA B200'],
    aliases: [],
    gkeAccelerators: ['nvidia-b200'],
    architecture: 'Blackwell',
    pciDeviceIds: ['2901'],
    memoryMiB: 183359,
    memoryGB: 180,
    sms: 148,
    migEnable: resetless('570.133.20'),
    ...sevenSlice({
      gb: [23, 45, 45, 90, 90, 180],
      memoryMiB: [[20992, 22528], 45312, 45312, 91136, 91136, 182784],
      sms: [18, 30, 36, 70, 72, 148],
      engines: engineColumns.blackwell,
      confidence: 'observed',
      derivedFields: [],
      sources: ['dra-capture', 'b200-lgip', 'docs-profiles'],
    }),
    sources: cite('docs-support', 'driver-readme', 'mig-parted-config', 'smi-b200'),
    notes: [
      'docs table: 1 NVDEC/1 JPEG for every profile and 2g CE=3: contradicted by the capture and by -lgip',
      'Jan 2025 driver showed 1g = 22.00 GiB (mig-parted pull 166)',
    ],
  },
  {
    key: 'gb200-186gb',
    name: 'NVIDIA GB200',
    productNames: ['NVIDIA GB200'],
    aliases: [],
    gkeAccelerators: ['nvidia-gb200'],
    architecture: 'Blackwell',
    pciDeviceIds: ['2941'],
    memoryMiB: 189471,
    memoryGB: 186,
    sms: null,
    migEnable: resetless('570.133.20'),
    ...sevenSlice({
      gb: [23, 47, 47, 93, 93, 186],
      memoryMiB: [22528, 46592, 46592, null, null, null],
      sms: [18, 32, 38, null, null, null],
      engines: engineColumns.blackwell,
      confidence: 'observed',
      derivedFields: ['starts'],
      sources: ['gb200-lgip', 'mig-parted-config'],
      except: {
        '3g.93gb': unpublished,
        '4g.93gb': unpublished,
        '7g.186gb': unpublished,
      },
    }),
    sources: cite('docs-support', 'driver-readme', 'mig-parted-config', 'smi-gb200'),
    notes: [
      'CE/JPEG/OFA of 2g.47gb: that row is cut in issue 227, taken from gpu-operator pull 1303 (pre-production, same hardware)',
      'pre-production boards/drivers: 1g.24gb, 3g.95gb, 4g.95gb, 7g.189gb (gpu-operator pull 1303), still present in mig-parted config',
    ],
  },
  {
    key: 'b300-269gb',
    name: 'NVIDIA B300 SXM6',
    productNames: ['NVIDIA B300 SXM6 AC'],
    aliases: [],
    gkeAccelerators: [],
    architecture: 'Blackwell Ultra',
    pciDeviceIds: ['3182'],
    memoryMiB: null,
    memoryGB: 269,
    sms: null,
    migEnable: resetless('580.82.07'),
    ...sevenSlice({
      gb: [34, 67, 67, 135, 135, 269],
      memoryMiB: null,
      sms: null,
      engines: engineColumns.unknown,
      confidence: 'documented',
      derivedFields: namesOnly,
      sources: ['mig-parted-config', 'mig-parted-b300'],
    }),
    sources: cite('mig-parted-config', 'mig-parted-b300'),
    notes: [
      'memoryGB is the GiB figure of the 7g name; total memory not sourced; a mock fixture claims 33.75 GiB for 1g',
    ],
  },
  {
    key: 'gb300-278gb',
    name: 'NVIDIA GB300',
    productNames: ['NVIDIA GB300'],
    aliases: [],
    gkeAccelerators: ['nvidia-gb300'],
    architecture: 'Blackwell Ultra',
    pciDeviceIds: ['31C2'],
    memoryMiB: 284208,
    memoryGB: 278,
    sms: null,
    migEnable: resetless('595.58.03'),
    ...sevenSlice({
      gb: [35, 70, 70, 139, 139, 278],
      memoryMiB: null,
      sms: null,
      engines: engineColumns.unknown,
      confidence: 'documented',
      derivedFields: ['starts', 'computeSlices', 'sizeUnits', 'nvmlEnum'],
      sources: ['gb300-playbook', 'mig-parted-config'],
    }),
    sources: cite('driver-readme', 'mig-parted-config', 'gb300-playbook', 'smi-gb300'),
    notes: [
      'minimum driver: 595.58.03 is for DGX Station; a GB300 node ran 580.173.02 with MIG mode "Disabled" (= supported)',
    ],
  },
];
