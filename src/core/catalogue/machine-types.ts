/** Which GPU a cloud machine type carries, and how many. Prices are kept elsewhere: they move, this does not. */

export interface MachineType {
  /** As the cloud spells it, e.g. `g4-standard-48`. */
  readonly name: string;
  readonly cloud: Cloud;
  /** Catalogue key of the GPUs inside. */
  readonly model: string;
  /** Below 1: a fraction of a card, cut by the cloud before the renter sees it. MIG cannot be used there. */
  readonly gpus: number;
  /** The value of the `cloud.google.com/gke-accelerator` label; `null` outside Google Cloud. */
  readonly accelerator: string | null;
  readonly source: string;
}

export type Cloud = 'gcp' | 'aws';

/** By its name, in any case. */
export function findMachineType(name: string): MachineType | undefined {
  const asked = name.toLowerCase();
  return machineTypes.find((machine) => machine.name === asked);
}

/** True for a machine type whose GPU is a vGPU slice made by the cloud: it has no card of its own to cut. */
export function isFractional(machine: MachineType): boolean {
  return machine.gpus < 1;
}

interface Family {
  readonly cloud: Cloud;
  readonly model: string;
  readonly accelerator?: string;
  readonly source: string;
  readonly gpus: Readonly<Record<string, number>>;
}

const clusterToolkit =
  'GoogleCloudPlatform/cluster-toolkit@1047080 pkg/config/machine_mappings.json (2026-06)';
const gkeAutoscaler = 'GKE cluster autoscaler source (module k8s.io/gke-autoscaling, 2026)';
const karpenter = 'aws/karpenter-provider-aws@1d92708 website instance-types.md (2026-08)';
const awsBatch = 'AWS Batch user guide, page "Run GPU jobs"';

const families: readonly Family[] = [
  {
    cloud: 'gcp',
    model: 'rtx-pro-6000-blackwell-server',
    accelerator: 'nvidia-rtx-pro-6000',
    source: clusterToolkit,
    gpus: { 'g4-standard-48': 1, 'g4-standard-96': 2, 'g4-standard-192': 4, 'g4-standard-384': 8 },
  },
  {
    cloud: 'gcp',
    model: 'rtx-pro-6000-blackwell-server',
    accelerator: 'nvidia-rtx-pro-6000',
    source:
      'GoogleCloudPlatform/container-engine-accelerators@c591acb4 manager.go (2026-05); cluster-toolkit',
    gpus: { 'g4-standard-6': 1 / 8, 'g4-standard-12': 1 / 4, 'g4-standard-24': 1 / 2 },
  },
  {
    cloud: 'gcp',
    model: 'a100-40gb',
    accelerator: 'nvidia-tesla-a100',
    source: clusterToolkit,
    gpus: {
      'a2-highgpu-1g': 1,
      'a2-highgpu-2g': 2,
      'a2-highgpu-4g': 4,
      'a2-highgpu-8g': 8,
      'a2-megagpu-16g': 16,
    },
  },
  {
    // The cluster toolkit gives these `nvidia-tesla-a100`; GKE's own name for the 80 GB card is used here.
    cloud: 'gcp',
    model: 'a100-80gb',
    accelerator: 'nvidia-a100-80gb',
    source: gkeAutoscaler,
    gpus: { 'a2-ultragpu-1g': 1, 'a2-ultragpu-2g': 2, 'a2-ultragpu-4g': 4, 'a2-ultragpu-8g': 8 },
  },
  {
    cloud: 'gcp',
    model: 'h100-80gb-sxm',
    accelerator: 'nvidia-h100-80gb',
    source: clusterToolkit,
    gpus: { 'a3-highgpu-1g': 1, 'a3-highgpu-2g': 2, 'a3-highgpu-4g': 4, 'a3-highgpu-8g': 8 },
  },
  {
    cloud: 'gcp',
    model: 'h100-80gb-sxm',
    accelerator: 'nvidia-h100-mega-80gb',
    source: clusterToolkit,
    gpus: { 'a3-megagpu-8g': 8 },
  },
  {
    cloud: 'gcp',
    model: 'h200-141gb',
    accelerator: 'nvidia-h200-141gb',
    source: clusterToolkit,
    gpus: { 'a3-ultragpu-8g': 8 },
  },
  {
    cloud: 'gcp',
    model: 'b200-180gb',
    accelerator: 'nvidia-b200',
    source: clusterToolkit,
    gpus: { 'a4-highgpu-8g': 8 },
  },
  {
    cloud: 'gcp',
    model: 'gb200-186gb',
    accelerator: 'nvidia-gb200',
    source: clusterToolkit,
    gpus: { 'a4x-highgpu-4g': 4 },
  },
  {
    cloud: 'gcp',
    model: 'l4-24gb',
    accelerator: 'nvidia-l4',
    source: clusterToolkit,
    gpus: { 'g2-standard-12': 1, 'g2-standard-24': 2, 'g2-standard-48': 4, 'g2-standard-96': 8 },
  },
  {
    cloud: 'gcp',
    model: 'l4-24gb',
    accelerator: 'nvidia-l4',
    source: 'Compute Engine documentation, page "GPU platforms"',
    gpus: { 'g2-standard-4': 1, 'g2-standard-8': 1 },
  },
  {
    cloud: 'aws',
    model: 'rtx-pro-6000-blackwell-server',
    source: karpenter,
    gpus: {
      'g7e.2xlarge': 1,
      'g7e.4xlarge': 1,
      'g7e.8xlarge': 1,
      'g7e.12xlarge': 2,
      'g7e.24xlarge': 4,
      'g7e.48xlarge': 8,
    },
  },
  {
    cloud: 'aws',
    model: 'rtx-pro-4500-blackwell-32gb',
    // No list of AWS was found; the 2xlarge is taken to carry one GPU because the larger 4xlarge does.
    source: 'public GitHub files of 2026 by users of the G7 family',
    gpus: {
      'g7.2xlarge': 1,
      'g7.4xlarge': 1,
      'g7.8xlarge': 1,
      'g7.12xlarge': 2,
      'g7.24xlarge': 4,
      'g7.48xlarge': 8,
    },
  },
  { cloud: 'aws', model: 'a100-40gb', source: karpenter, gpus: { 'p4d.24xlarge': 8 } },
  { cloud: 'aws', model: 'a100-80gb', source: karpenter, gpus: { 'p4de.24xlarge': 8 } },
  { cloud: 'aws', model: 'h100-80gb-sxm', source: karpenter, gpus: { 'p5.4xlarge': 1, 'p5.48xlarge': 8 } },
  { cloud: 'aws', model: 'h200-141gb', source: karpenter, gpus: { 'p5e.48xlarge': 8, 'p5en.48xlarge': 8 } },
  { cloud: 'aws', model: 'b200-180gb', source: karpenter, gpus: { 'p6-b200.48xlarge': 8 } },
  { cloud: 'aws', model: 'b300-269gb', source: karpenter, gpus: { 'p6-b300.48xlarge': 8 } },
  {
    cloud: 'aws',
    model: 't4-16gb',
    source: awsBatch,
    gpus: {
      'g4dn.xlarge': 1,
      'g4dn.2xlarge': 1,
      'g4dn.4xlarge': 1,
      'g4dn.8xlarge': 1,
      'g4dn.12xlarge': 4,
      'g4dn.16xlarge': 1,
    },
  },
  {
    cloud: 'aws',
    model: 'a10g-24gb',
    source: awsBatch,
    gpus: {
      'g5.xlarge': 1,
      'g5.2xlarge': 1,
      'g5.4xlarge': 1,
      'g5.8xlarge': 1,
      'g5.12xlarge': 4,
      'g5.16xlarge': 1,
      'g5.24xlarge': 4,
      'g5.48xlarge': 8,
    },
  },
  {
    cloud: 'aws',
    model: 'l4-24gb',
    source: awsBatch,
    gpus: {
      'g6.xlarge': 1,
      'g6.2xlarge': 1,
      'g6.4xlarge': 1,
      'g6.8xlarge': 1,
      'g6.12xlarge': 4,
      'g6.16xlarge': 1,
    },
  },
  {
    cloud: 'aws',
    model: 'l40s-48gb',
    source: 'meta-pytorch/torchx pull request 969 torchx/specs/named_resources_aws.py (2024-11)',
    gpus: {
      'g6e.xlarge': 1,
      'g6e.2xlarge': 1,
      'g6e.4xlarge': 1,
      'g6e.8xlarge': 1,
      'g6e.12xlarge': 4,
      'g6e.16xlarge': 1,
      'g6e.24xlarge': 4,
      'g6e.48xlarge': 8,
    },
  },
  {
    cloud: 'aws',
    model: 'v100-16gb',
    source: 'rapidsai/deployment source/cloud/aws/index.md',
    gpus: { 'p3.2xlarge': 1, 'p3.8xlarge': 4, 'p3.16xlarge': 8 },
  },
  {
    cloud: 'aws',
    model: 'v100-32gb',
    source: 'rapidsai/deployment source/cloud/aws/index.md',
    gpus: { 'p3dn.24xlarge': 8 },
  },
];

export const machineTypes: readonly MachineType[] = families.flatMap((family) =>
  Object.entries(family.gpus).map(([name, gpus]) => ({
    name,
    cloud: family.cloud,
    model: family.model,
    gpus,
    accelerator: family.accelerator ?? null,
    source: family.source,
  })),
);
