/**
 * The configuration file of nvidia-mig-parted (v1), read as strictly as that tool reads it: named configurations, each a
 * list of entries that say which GPUs they are about and how many instances of each profile those carry.
 */
import { z } from 'zod';
import { checkShape, type Checked } from './check-shape.js';
import { longestYamlBytes, readYaml } from './yaml-source.js';

export interface MigPartedEntry {
  /** `0x2BB510DE`: device id, then vendor; left out: any card. */
  readonly deviceFilter?: readonly string[];
  readonly devices: 'all' | readonly number[];
  readonly migEnabled: boolean;
  /** Instances by profile; empty where MIG is off. */
  readonly counts: Readonly<Record<string, number>>;
}

export type MigPartedFile = ReadonlyMap<string, readonly MigPartedEntry[]>;

/** Every configuration of the file, since a mistake in one of them is a mistake in the file. */
export function readMigParted(text: string, file: string): Checked<MigPartedFile> {
  const whole = { file, line: 1, column: 1 };
  const refuse = (message: string): Checked<never> => ({
    ok: false,
    problems: [{ where: whole, path: '', message }],
  });
  if (text.length > longestYamlBytes) return refuse('is larger than 1 MiB');
  const source = readYaml(text, file);
  if (!source.ok) return source;
  const [document, second] = source.documents;
  if (document === undefined) return refuse('is empty');
  if (second !== undefined) return refuse('holds several documents; a mig-parted file is one');
  const checked = checkShape(fileSchema, document);
  if (!checked.ok) return checked;
  const configs = Object.entries(checked.value['mig-configs'] ?? {});
  return { ok: true, value: new Map(configs.map(([name, entries]) => [name, entries.map(entryOf)])) };
}

function entryOf(entry: z.infer<typeof entrySchema>): MigPartedEntry {
  const filter = entry['device-filter'];
  return {
    ...(filter === undefined ? {} : { deviceFilter: typeof filter === 'string' ? [filter] : filter }),
    devices: entry.devices,
    migEnabled: entry['mig-enabled'],
    counts: entry['mig-devices'] ?? {},
  };
}

const mapError = (issue: { readonly code?: string }): string | undefined =>
  issue.code === 'invalid_type' ? 'must be a map of keys' : undefined;
const listError = 'must be a list';
const deviceIndex = z.int({ error: 'must be a whole number, 0 or more' }).min(0, {
  error: 'must be a whole number, 0 or more',
});
const count = z.int({ error: 'must be a whole number, 0 or more' }).min(0, {
  error: 'must be a whole number, 0 or more',
});
const filterError = 'must be a device id, as in 0x2BB510DE, or a list of them';
const devicesError = "must be 'all' or a list of GPU indexes";

/** What a profile may look like; whether a card has it is for the card to say. */
const profileForm = /^(\d+c\.)?\d+g\.\d+gb([+-][a-z0-9]+(\.[a-z0-9]+)*(,[a-z0-9]+)*)?$/;

const entrySchema = z
  .strictObject(
    {
      'device-filter': z
        .union([z.string(), z.array(z.string(), { error: listError })], { error: filterError })
        .optional(),
      devices: z.union([z.literal('all'), z.array(deviceIndex)], { error: devicesError }),
      'mig-enabled': z.boolean({ error: 'must be true or false' }),
      'mig-devices': z.record(z.string(), count, { error: mapError }).optional(),
    },
    { error: mapError },
  )
  .superRefine((entry, context) => {
    const counts = entry['mig-devices'];
    const say = (message: string): void =>
      context.addIssue({ code: 'custom', message, path: ['mig-devices'] });
    if (entry['mig-enabled'] && counts === undefined) {
      say("must be there where 'mig-enabled' is true; {} for none");
    }
    if (counts === undefined) return;
    if (!entry['mig-enabled'] && Object.keys(counts).length > 0) {
      say("must be left out where 'mig-enabled' is false");
    }
    const [strange] = Object.keys(counts).filter((profile) => !profileForm.test(profile));
    if (strange !== undefined) say(`must name profiles as in 1g.24gb+me; '${strange}' is none`);
    const all = Object.values(counts);
    if (all.length > 0 && all.every((one) => one === 0)) say('must count at least one instance');
  });

const fileSchema = z.strictObject(
  {
    version: z.literal('v1', { error: 'must be v1' }),
    'mig-configs': z
      .record(
        z.string(),
        z.array(entrySchema, { error: listError }).min(1, { error: 'must have at least one entry' }),
        { error: mapError },
      )
      .refine((configs) => Object.keys(configs).length > 0, { error: 'must have at least one configuration' })
      .optional(),
  },
  { error: mapError },
);
