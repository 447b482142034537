/** What callers send about tenants and usage. Whether names, quotas and places can be is for the engine to say. */
import { z } from 'zod';

const limit = z.number().nullable();
const places = z.array(z.string().max(200)).max(1000);
const lifeMs = z.number().nullable();

export const tenantForm = z.string().max(200);
export const tokenForm = z.string().max(200);

export const newTenantForm = z.strictObject({
  name: tenantForm,
  quota: z.strictObject({ slices: limit, memoryMiB: limit, share: limit }),
  dedicated: places,
  tokenLifeMs: lifeMs,
});

export const tenantChangeForm = z.strictObject({
  quota: z.strictObject({ slices: limit, memoryMiB: limit, share: limit }).partial().optional(),
  dedicate: places.optional(),
  release: places.optional(),
});

export const newTokenForm = z.strictObject({ lifeMs });

const machinePrice = z.strictObject({
  machineType: z.string(),
  model: z.string(),
  gpus: z.number(),
  usdPerHour: z.number().nullable(),
  estimate: z.boolean(),
  source: z.string(),
  region: z.string().nullable(),
  asOf: z.string().nullable(),
});

export const usageForm = z.strictObject({
  question: z.strictObject({
    sinceMs: z.number(),
    untilMs: z.number().nullable(),
    tenant: tenantForm.optional(),
  }),
  prices: z.array(machinePrice).max(1000),
});
