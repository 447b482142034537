/** On-demand prices by machine type, whole machine, USD per hour: every figure under the source that it was read from. */

/** Figures that share a source, a region and a date. */
export interface PriceList {
  readonly source: string;
  /** `null`: the source names none. */
  readonly region: string | null;
  readonly asOf: string;
  /** The source does not sell at these figures; they only put machines in order of cost. */
  readonly estimate: boolean;
  readonly usdPerHour: Readonly<Record<string, number>>;
}

export const priceLists: readonly PriceList[] = [
  {
    source: 'Compute Engine on-demand prices as recorded in dstackai/dstack pull request 3213',
    region: 'us-central1',
    asOf: '2025-10',
    estimate: false,
    usdPerHour: {
      'g4-standard-48': 4.5001,
      'g4-standard-96': 9.0002,
      'g4-standard-192': 18.0003,
      'g4-standard-384': 36.0006,
    },
  },
  {
    source:
      'GKE cluster autoscaler source (module k8s.io/gke-autoscaling): figures that rank machines, not a price list',
    region: null,
    asOf: '2026',
    estimate: true,
    usdPerHour: {
      'a2-highgpu-1g': 3.673385,
      'a2-highgpu-8g': 29.387,
      'a2-megagpu-16g': 55.74,
      'a2-ultragpu-1g': 5.0688,
      'a2-ultragpu-8g': 40.5504,
      'a3-highgpu-1g': 10.62,
      'a3-highgpu-8g': 84.94,
      'a3-megagpu-8g': 93.4,
    },
  },
  {
    source:
      'EC2 on-demand prices in aws/karpenter-provider-aws@1d927085 pkg/providers/pricing/zz_generated.pricing_aws.go',
    region: 'us-east-1',
    asOf: '2026-07-20',
    estimate: false,
    usdPerHour: {
      'g7.2xlarge': 2.52,
      'g7.4xlarge': 3.04208,
      'g7.8xlarge': 4.08624,
      'g7.12xlarge': 7.12832,
      'g7.24xlarge': 14.25664,
      'g7.48xlarge': 28.51328,
      'g7e.2xlarge': 3.36312,
      'g7e.4xlarge': 3.99816,
      'g7e.8xlarge': 5.26824,
      'g7e.12xlarge': 8.28608,
      'g7e.24xlarge': 16.57216,
      'g7e.48xlarge': 33.14432,
      'p4d.24xlarge': 21.957642,
      'p4de.24xlarge': 27.44705,
      'p5.4xlarge': 6.88,
      'p5.48xlarge': 55.04,
      'p5en.48xlarge': 63.296,
      'p6-b200.48xlarge': 113.9328,
      'p6-b300.48xlarge': 142.416,
    },
  },
];

/** Why a machine type has no price, where there is more to say than that none was found. */
export const pricesMissing: Readonly<Record<string, string>> = {
  'a3-ultragpu-8g': 'the GKE autoscaler source carries only a placeholder for it',
  'a4-highgpu-8g': 'the GKE autoscaler source carries only a placeholder for it',
  'p5e.48xlarge': 'it is not in the EC2 list that Mica read',
};
