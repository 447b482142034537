/** Cards without MIG that a fleet may own: they are counted whole. Figures are those of one GPU. */
import type { WholeModel } from './model.js';
import { cite, type SourceId } from './sources.js';

interface Card {
  readonly key: string;
  readonly product: string | readonly string[];
  readonly pci: readonly string[];
  readonly subsystem?: readonly string[];
  readonly gb: number;
  /** The total as nvidia-smi prints it; the smallest where drivers differ. */
  readonly mib: number | null;
  readonly sms: number | null;
  readonly aliases?: readonly string[];
  readonly gke?: readonly string[];
  readonly sources: readonly SourceId[];
  readonly note?: string;
}

// prettier-ignore
const cards: Readonly<Record<string, readonly Card[]>> = {
  Pascal: [
    { key: 'p4-8gb', product: 'Tesla P4', pci: ['1BB3'], gb: 8, mib: null, sms: null, gke: ['nvidia-tesla-p4'],
      sources: cite('pci-ids', 'gce-gpus') },
    { key: 'p100-16gb', product: ['Tesla P100-PCIE-16GB', 'Tesla P100-SXM2-16GB'], pci: ['15F8', '15F9'], gb: 16, mib: 16280, sms: 56,
      gke: ['nvidia-tesla-p100'], sources: cite('pci-ids', 'gce-gpus', 'smi-totals', 'torch-properties'),
      note: 'current drivers print 16384 MiB, a part of it reserved' },
  ],
  Volta: [
    { key: 'v100-16gb', product: ['Tesla V100-SXM2-16GB', 'Tesla V100-PCIE-16GB'], pci: ['1DB1', '1DB4'], gb: 16, mib: 16160, sms: 80,
      aliases: ['v100m16'], gke: ['nvidia-tesla-v100'], sources: cite('pci-ids', 'gce-gpus', 'smi-totals', 'torch-properties'),
      note: 'current drivers print 16384 MiB, a part of it reserved' },
    { key: 'v100-32gb', product: ['Tesla V100-SXM2-32GB', 'Tesla V100-PCIE-32GB'], pci: ['1DB5', '1DB6'],
      gb: 32, mib: 32510, sms: 80, aliases: ['v100m32'], sources: cite('pci-ids', 'smi-totals', 'torch-properties'),
      note: 'current drivers print 32768 MiB, a part of it reserved' },
  ],
  Turing: [
    { key: 't4-16gb', product: 'Tesla T4', pci: ['1EB8'], gb: 16, mib: 15360, sms: 40, gke: ['nvidia-tesla-t4'],
      sources: cite('smi-t4', 'gce-gpus', 'torch-properties') },
  ],
  Ampere: [
    { key: 'a2-16gb', product: 'NVIDIA A2', pci: ['25B6'], subsystem: ['157E'], gb: 16, mib: 15356, sms: null,
      sources: cite('driver-readme', 'smi-totals') },
    { key: 'a10-24gb', product: 'NVIDIA A10', pci: ['2236'], gb: 24, mib: 23028, sms: null, sources: cite('driver-readme', 'smi-totals') },
    { key: 'a10g-24gb', product: 'NVIDIA A10G', pci: ['2237'], gb: 24, mib: 23028, sms: 80,
      sources: cite('driver-readme', 'smi-totals', 'torch-properties') },
    { key: 'a16-16gb', product: 'NVIDIA A16', pci: ['25B6'], subsystem: ['14A9'], gb: 16, mib: 15356, sms: null,
      sources: cite('driver-readme', 'smi-totals'), note: 'one board carries four of these GPUs' },
    { key: 'a40-48gb', product: 'NVIDIA A40', pci: ['2235'], gb: 48, mib: 46068, sms: 84,
      sources: cite('driver-readme', 'smi-totals', 'torch-properties') },
  ],
  'Ada Lovelace': [
    { key: 'l4-24gb', product: 'NVIDIA L4', pci: ['27B8'], gb: 24, mib: 23034, sms: null, gke: ['nvidia-l4'],
      sources: cite('driver-readme', 'gce-gpus', 'smi-totals') },
    { key: 'l40-48gb', product: 'NVIDIA L40', pci: ['26B5'], gb: 48, mib: 46068, sms: null, sources: cite('driver-readme', 'smi-totals') },
    { key: 'l40s-48gb', product: 'NVIDIA L40S', pci: ['26B9'], gb: 48, mib: 46068, sms: 142,
      sources: cite('smi-l40s', 'driver-readme', 'torch-properties') },
    { key: 'rtx-4090-24gb', product: 'NVIDIA GeForce RTX 4090', pci: ['2684'], gb: 24, mib: 24564, sms: 128, aliases: ['4090'],
      sources: cite('driver-readme', 'smi-totals', 'torch-properties') },
  ],
};

export const withoutMig: readonly WholeModel[] = Object.entries(cards).flatMap(([architecture, ofOne]) =>
  ofOne.map((card): WholeModel => {
    const productNames = typeof card.product === 'string' ? [card.product] : card.product;
    return {
      kind: 'no-mig',
      key: card.key,
      name: productNames.join(' / '),
      productNames,
      aliases: card.aliases ?? [],
      gkeAccelerators: card.gke ?? [],
      architecture,
      pciDeviceIds: card.pci,
      ...(card.subsystem && { pciSubsystemIds: card.subsystem }),
      memoryMiB: card.mib,
      memoryGB: card.gb,
      sms: card.sms,
      sources: card.sources,
      notes: card.note === undefined ? [] : [card.note],
    };
  }),
);
