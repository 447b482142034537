/** What the objects of all kinds have, as they are on the wire, and how their parts become small values. */
import { z } from 'zod';
import type { GpuResources } from '#core/cluster/objects';

/** Servers written in Go say null for an empty list or map. */
export const stringMap = z.record(z.string(), z.string()).nullish();

export const quantities = z.record(z.string(), z.union([z.string(), z.number()])).nullish();

export const metadataFields = {
  name: z.string().min(1),
  uid: z.string().default(''),
  resourceVersion: z.string().default(''),
  creationTimestamp: z.string().nullish(),
  labels: stringMap,
  annotations: stringMap,
};

/** 0 where there is none. */
export function msOf(time: string | null | undefined): number {
  const ms = Date.parse(time ?? '');
  return Number.isNaN(ms) ? 0 : ms;
}

const gpuResource = /^nvidia\.com\/(gpu|mig-[\w.-]+)(\.shared)?$/;

function isGpuResource(name: string): boolean {
  return gpuResource.test(name);
}

export function gpuResourcesOf(all: z.infer<typeof quantities>): GpuResources {
  const found: Record<string, number> = {};
  for (const [name, said] of Object.entries(all ?? {})) {
    const count = isGpuResource(name) ? wholeNumber(said) : null;
    if (count !== null) found[name] = count;
  }
  return found;
}

const factors: Readonly<Record<string, number>> = { '': 1, k: 1e3, M: 1e6, Ki: 1024, Mi: 1024 ** 2 };

/** Extended resources are whole numbers, which may be spelled `1k`. */
function wholeNumber(said: string | number): number | null {
  const [, digits = '', suffix = ''] = /^(\d+)(k|M|Ki|Mi)?$/.exec(String(said)) ?? [];
  return digits === '' ? null : Number(digits) * (factors[suffix] ?? 1);
}

/** What others wrote for themselves, and can be long, is not ours to carry about. */
const longestAnnotation = 1024;

export function annotationsOf(all: z.infer<typeof stringMap>): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [key, value] of Object.entries(all ?? {})) {
    const isShort = value.length <= longestAnnotation;
    if ((isShort && !key.endsWith('/last-applied-configuration')) || /^([\w-]+\.)*mica\.dev\//.test(key))
      kept[key] = value;
  }
  return kept;
}
