/**
 * The slice sizes that GKE cuts, and how many of each per GPU: it always cuts the whole GPU.
 *
 * Source: the size table in the source of GKE's cluster autoscaler (public file, "Copyright 2026 Google"), read 2026.
 * Labels spell an attribute with `.`; GKE's own partitioner (GoogleCloudPlatform/container-engine-accelerators
 * @992db81, 2026-06-11, partition_gpu) spells the same sizes with `+`, and lists 4g sizes for A100 to B200 that this
 * table lacks. What the API accepts of those is not known.
 */
const sizes: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  'nvidia-tesla-a100': { '1g.5gb': 7, '2g.10gb': 3, '3g.20gb': 2, '7g.40gb': 1 },
  'nvidia-a100-80gb': { '1g.10gb': 7, '2g.20gb': 3, '3g.40gb': 2, '7g.80gb': 1 },
  'nvidia-h100-80gb': { '1g.10gb': 7, '1g.20gb': 4, '2g.20gb': 3, '3g.40gb': 2, '7g.80gb': 1 },
  'nvidia-h100-mega-80gb': { '1g.10gb': 7, '1g.20gb': 4, '2g.20gb': 3, '3g.40gb': 2, '7g.80gb': 1 },
  'nvidia-h200-141gb': { '1g.18gb': 7, '1g.35gb': 4, '2g.35gb': 3, '3g.71gb': 2, '7g.141gb': 1 },
  'nvidia-b200': { '1g.23gb': 7, '1g.45gb': 4, '2g.45gb': 3, '3g.90gb': 2, '7g.180gb': 1 },
  'nvidia-gb200': { '1g.23gb': 7, '1g.47gb': 4, '2g.47gb': 3, '3g.93gb': 2, '7g.186gb': 1 },
  'nvidia-rtx-pro-6000': {
    '1g.24gb': 4,
    '1g.24gb+me': 1,
    '1g.24gb+gfx': 4,
    '1g.24gb+me.all': 1,
    '1g.24gb-me': 4,
    '2g.48gb': 2,
    '2g.48gb+gfx': 2,
    '2g.48gb+me.all': 1,
    '2g.48gb-me': 2,
    '4g.96gb': 1,
    '4g.96gb+gfx': 1,
  },
};

/** The accelerators that GKE partitions. */
export const partitionedAccelerators: readonly string[] = Object.keys(sizes);

/** Sizes of an accelerator by profile name, with the slices that one GPU is cut into; empty where GKE has none. */
export function partitionSizesOf(accelerator: string): Readonly<Record<string, number>> {
  return sizes[accelerator] ?? {};
}
