/** The shape of every document that a user may write. docs/reference/documents.md is held equal to it by a test. */
import { z } from 'zod';

export const apiVersion = 'mica/v1';

/** The largest machines have 16 GPUs. */
export const mostGpusPerNode = 16;
export const mostReplicas = 1_000_000;

/** The messages say what must be; the reader of the document adds what was found there. */
const wholeNumber = (from: number, to: number) => {
  const error = `must be a whole number from ${from} to ${to}`;
  return z.int({ error }).min(from, { error }).max(to, { error });
};
const flag = z.boolean({ error: 'must be true or false' });
const dollars = z
  .number({ error: 'must be an amount in dollars' })
  .nonnegative({ error: 'must be an amount in dollars, 0 or more' })
  .max(1e6, { error: 'must be dollars per hour, at most 1000000' });
const text = z
  .string({ error: 'must be text' })
  .min(1, { error: 'must not be empty' })
  .max(100, { error: 'must be at most 100 characters long' });
/** Names go into scripts, manifests and labels, so nothing in them may need quoting there. */
const name = z
  .string({ error: 'must be text (put a number in quotes)' })
  .regex(/^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/, {
    error:
      'must be 1 to 63 letters, digits, dots, dashes or underscores, with a letter or digit at both ends',
  });
const model = text;
const listOf = <T extends z.ZodType>(item: T, most: number) =>
  z.array(item, { error: 'must be a list' }).max(most, { error: `must have at most ${most} entries` });
const mapOf = <T extends z.core.$ZodLooseShape>(shape: T) =>
  z.strictObject(shape, {
    error: (issue) => (issue.code === 'invalid_type' ? 'must be a map of keys' : undefined),
  });

const unit = wholeNumber(0, 29);
const sizeUnits = wholeNumber(1, 30);

const fleetSpec = mapOf({
  nodes: listOf(
    mapOf({
      name,
      model,
      gpus: wholeNumber(1, mostGpusPerNode),
      usdPerHour: dollars.optional(),
      layouts: listOf(
        listOf(
          mapOf({ profile: text, start: unit, size: sizeUnits.optional(), busy: flag.default(false) }),
          30,
        ),
        mostGpusPerNode,
      ).optional(),
    }),
    20_000,
  ).default([]),
  rent: listOf(mapOf({ machineType: text, max: wholeNumber(1, 100_000).optional() }), 200).default([]),
});

const needsSpec = mapOf({
  needs: listOf(
    mapOf({
      name,
      count: wholeNumber(1, mostReplicas).default(1),
      memoryMiB: wholeNumber(1, 2 ** 24).optional(),
      memory: text.optional(),
      compute: mapOf({
        share: z
          .number({ error: 'must be a share of one card, e.g. 0.2' })
          .positive({ error: 'must be a share of one card, above 0' })
          .max(mostGpusPerNode, { error: `must be a share of one card, at most ${mostGpusPerNode}` }),
        of: model.optional(),
      }).optional(),
      gpus: wholeNumber(1, mostGpusPerNode).default(1),
      p2p: flag.default(false),
      media: flag.default(false),
      graphics: flag.default(false),
      isolation: z.enum(['hardware', 'shared'], { error: 'must be hardware or shared' }).default('hardware'),
      tenant: name.optional(),
      priority: wholeNumber(-1_000_000, 1_000_000).default(0),
      movable: flag.default(true),
    }),
    20_000,
  ),
});

const layoutSpec = mapOf({
  gpus: listOf(
    mapOf({
      node: name,
      index: wholeNumber(0, mostGpusPerNode - 1),
      placements: listOf(mapOf({ profile: text, start: unit.optional(), size: sizeUnits.optional() }), 30),
    }),
    20_000,
  ),
});

const pricesSpec = mapOf({
  prices: listOf(
    mapOf({
      machineType: text,
      usdPerHour: dollars,
      model: model.optional(),
      gpus: wholeNumber(1, mostGpusPerNode).optional(),
      region: text.optional(),
      asOf: text.optional(),
    }),
    2_000,
  ),
});

const documentOf = <K extends string, S extends z.ZodType>(kind: K, spec: S) =>
  mapOf({
    apiVersion: z.literal(apiVersion, { error: `must be ${apiVersion}` }),
    kind: z.literal(kind),
    spec,
  });

export const documentSchemas = {
  Fleet: documentOf('Fleet', fleetSpec),
  Needs: documentOf('Needs', needsSpec),
  Layout: documentOf('Layout', layoutSpec),
  Prices: documentOf('Prices', pricesSpec),
} as const;

export type Kind = keyof typeof documentSchemas;
export const kinds = Object.keys(documentSchemas) as readonly Kind[];

/** The spec of a document of that kind, defaults filled in. */
export type SpecOf<K extends Kind> = z.infer<(typeof documentSchemas)[K]>['spec'];

/** `mica.yaml`: what holds for every command where neither a flag nor the environment says otherwise. */
export const configSchema = mapOf({
  headroom: z
    .number({ error: 'must be a share, e.g. 0.1' })
    .min(0, { error: 'must be a share from 0 to 2' })
    .max(2, { error: 'must be a share from 0 to 2' })
    .optional(),
  prices: text.optional(),
  speeds: z
    .record(
      z.string(),
      z.number({ error: 'must be a number' }).positive({ error: 'must be a number above 0' }),
      {
        error: 'must be a map of GPU models to their speeds',
      },
    )
    .optional(),
  prometheusUrl: z.url({ protocol: /^https?$/, error: 'must be an http or https address' }).optional(),
});
