/** ResourceSlices and ResourceClaims: what DRA's GPU driver offers on which node, and which claims have it. */
import { z } from 'zod';
import type { DraClaim, DraDevice } from '#core/cluster/objects';
import { metadataFields } from './object-fields.js';

/** The newest first. Before v1beta2 a device has its attributes one level deeper. */
export const draVersions = ['v1', 'v1beta2', 'v1beta1'] as const;

const gpuDriver = 'gpu.nvidia.com';

const attribute = z.object({
  string: z.string().optional(),
  int: z.number().optional(),
  bool: z.boolean().optional(),
  version: z.string().optional(),
});
const attributes = z.record(z.string(), attribute).nullish();

const sliceShape = z.object({
  metadata: z.object(metadataFields),
  spec: z.object({
    driver: z.string(),
    nodeName: z.string().nullish(),
    pool: z.object({ name: z.string(), generation: z.number().default(0) }),
    devices: z
      .array(
        z.object({
          name: z.string(),
          nodeName: z.string().nullish(),
          attributes,
          basic: z.object({ attributes }).nullish(),
        }),
      )
      .nullish(),
  }),
});

export interface DeviceSlice {
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly node: string | null;
  readonly pool: string;
  readonly generation: number;
  /** None is taken here: that is for the claims to say. */
  readonly devices: readonly DraDevice[];
}

/** The others say how it does what it does. */
const keptAttributes = new Set(['type', 'profile', 'productName', 'uuid', 'parentUUID', 'pciBusID']);

/** `null`: of another driver. */
export function readSlice(raw: unknown): DeviceSlice | null {
  const { metadata, spec } = sliceShape.parse(raw);
  if (spec.driver !== gpuDriver) return null;
  const node = spec.nodeName ?? null;
  return {
    name: metadata.name,
    uid: metadata.uid,
    resourceVersion: metadata.resourceVersion,
    node,
    pool: spec.pool.name,
    generation: spec.pool.generation,
    devices: (spec.devices ?? []).map((device) => ({
      driver: spec.driver,
      pool: spec.pool.name,
      device: device.name,
      node: device.nodeName ?? node,
      attributes: attributesOf(device.attributes ?? device.basic?.attributes),
      taken: false,
    })),
  };
}

function attributesOf(all: z.infer<typeof attributes>): DraDevice['attributes'] {
  const found: Record<string, string | number | boolean> = {};
  for (const [name, { string, int, bool, version }] of Object.entries(all ?? {})) {
    const short = name.replace(/^.*\//, '');
    const value = string ?? int ?? bool ?? version;
    if (keptAttributes.has(short) && value !== undefined) found[short] = value;
  }
  return found;
}

const claimShape = z.object({
  metadata: z.object({ ...metadataFields, namespace: z.string().min(1) }),
  status: z
    .object({
      allocation: z
        .object({
          devices: z
            .object({
              results: z
                .array(
                  z.object({
                    driver: z.string(),
                    pool: z.string(),
                    device: z.string(),
                    adminAccess: z.boolean().nullish(),
                  }),
                )
                .nullish(),
            })
            .nullish(),
        })
        .nullish(),
      reservedFor: z.array(z.object({ resource: z.string(), name: z.string() })).nullish(),
    })
    .nullish(),
});

export interface SeenClaim extends DraClaim {
  readonly uid: string;
  readonly resourceVersion: string;
}

export function readClaim(raw: unknown): SeenClaim {
  const { metadata, status } = claimShape.parse(raw);
  const results = status?.allocation?.devices?.results ?? [];
  return {
    namespace: metadata.namespace,
    name: metadata.name,
    uid: metadata.uid,
    resourceVersion: metadata.resourceVersion,
    // Whoever looks after a device, as a monitor does, does not have it.
    devices: results
      .filter(({ driver, adminAccess }) => driver === gpuDriver && adminAccess !== true)
      .map(({ driver, pool, device }) => `${driver}/${pool}/${device}`),
    reservedFor: (status?.reservedFor ?? [])
      .filter(({ resource }) => resource === 'pods')
      .map(({ name }) => name),
  };
}
