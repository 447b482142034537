/** What callers send about leases: everything else is refused before anybody looks at it. */
import { z } from 'zod';

const word = (most: number) => z.string().min(1).max(most);

/** Of a lease or a request: no path, no blank, nothing that a terminal reads. */
export const idForm = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9.-]{0,127}$/, 'is not an id');
/** `GPU-…/1g.24gb:3#5`. */
const sliceForm = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9.+:#/-]{0,199}$/, 'is not a slice');

const wish = z.strictObject({
  slice: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('profile'), profile: z.string().regex(/^[A-Za-z0-9.+-]{1,64}$/) }),
    z.strictObject({
      kind: z.literal('memory'),
      memoryMiB: z
        .number()
        .positive()
        .max(2 ** 40),
    }),
    z.strictObject({ kind: z.literal('any') }),
  ]),
  count: z.int().min(1).max(1000),
  tenant: z.string().max(63).nullable(),
  priority: z.int().min(0).max(1000),
});

export const askForm = z.strictObject({
  /** Without a dot: the ids of tenants begin with their names. */
  id: z.string().regex(/^[A-Za-z0-9-]{1,64}$/, 'is not an id'),
  wish,
  command: z.array(z.string().max(1024)).max(64),
  queue: z.boolean(),
});

const processMark = z.strictObject({
  pid: z
    .int()
    .min(2)
    .max(2 ** 31 - 1),
  startedAt: z.string().regex(/^[A-Za-z0-9-]{1,40}$/),
  bootId: word(64).nullable(),
  pidNamespace: word(64).nullish(),
});

export const keepForm = z.strictObject({ groups: z.array(processMark).max(1000) });
export const quarantineForm = z.strictObject({ slice: sliceForm, why: z.string().max(1000) });
export const releaseForm = z.strictObject({
  peakMemoryMiB: z
    .number()
    .min(0)
    .max(2 ** 40)
    .nullable(),
});
export const xidsForm = z.strictObject({ after: z.int().nullable() });
export const usedForm = z.strictObject({ slice: sliceForm });
export const reopenForm = z.strictObject({ slice: sliceForm, force: z.boolean() });
