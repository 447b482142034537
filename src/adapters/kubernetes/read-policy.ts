/** A MigPolicy as the API has it: a policy that can be followed, or words that name the fields which keep it from that. */
import { z } from 'zod';
import type { MigPolicySpec, SeenPolicy } from '#core/cluster/policy/mig-policy';
import { isTimeZone } from '#core/cluster/policy/windows';
import { metadataFields, msOf } from './object-fields.js';
import { statusIn } from './policy-status.js';

export interface ReadPolicy {
  readonly seen: SeenPolicy;
  readonly resourceVersion: string;
  /** As it is on the wire. */
  readonly status: unknown;
  readonly isDeleting: boolean;
}

/** What the CRD asks of these fields, too. */
export const policyPatterns = {
  profile: /^(whole|[1-9][0-9]*g\.[1-9][0-9]*gb(\+me\.all|\+me|\+gfx|-me)?)$/,
  start: /^([01][0-9]|2[0-3]):[0-5][0-9]$/,
  timeZone: /^[A-Za-z][A-Za-z0-9_+/-]*$/,
  labelValue: /^([A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?)?$/,
} as const;

const policyShape = z.object({
  metadata: z.object({
    ...metadataFields,
    generation: z.number().default(0),
    deletionTimestamp: z.string().nullish(),
  }),
  spec: z.unknown().optional(),
  status: z.unknown().optional(),
});

/** Throws where it is no object of a cluster at all. */
export function readPolicy(raw: unknown): ReadPolicy {
  const { metadata, spec, status } = policyShape.parse(raw);
  const { name, uid, generation, resourceVersion } = metadata;
  const known = { name, uid, generation, createdMs: msOf(metadata.creationTimestamp) };
  const said = statusIn(status);
  const read = specShape.safeParse(spec);
  return {
    seen: read.success
      ? { ok: true, policy: { ...known, spec: specOf(read.data) }, status: said }
      : { ok: false, policy: known, why: wordsFor(read.error.issues, spec), status: said },
    resourceVersion,
    status,
    isDeleting: (metadata.deletionTimestamp ?? '') !== '',
  };
}

const whole = (least: number, most: number) => {
  const error = `is not a whole number from ${least} to ${most}`;
  return z.number({ error }).int({ error }).min(least, { error }).max(most, { error });
};

const oneOf = <const T extends readonly [string, ...string[]]>(...names: T) =>
  z.enum(names, { error: `is not one of ${names.join(', ')}` });

const text = (pattern: RegExp, error: string) => z.string({ error }).regex(pattern, { error });

const labelKey = /^([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?\/)?[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$/;

const someOf = <T extends z.ZodType>(item: T, leftOut: string) => {
  const error = `is not a list of at least one; leave it out for ${leftOut}`;
  return z.array(item, { error }).min(1, { error });
};

const windowShape = z.object(
  {
    days: someOf(oneOf('Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'), 'every day').nullish(),
    start: text(policyPatterns.start, 'is not a time of day from 00:00 to 23:59'),
    durationMinutes: whole(1, 7 * 24 * 60),
    timeZone: text(policyPatterns.timeZone, 'is not a name of a time zone, as Europe/Berlin')
      .refine(isTimeZone, { error: 'is a time zone that is not known; the names are those of IANA' })
      .nullish(),
  },
  { error: 'is not a window with start and durationMinutes' },
);

/** Null is what a field has that was emptied: it counts as left out. */
const specShape = z.object(
  {
    nodeSelector: z
      .record(z.string(), text(policyPatterns.labelValue, 'is not a value that a label can have'), {
        error: 'is not a map of labels',
      })
      .check(({ value, issues }) => {
        for (const key of Object.keys(value).sort()) {
          if (labelKey.test(key)) continue;
          const message = 'is not a name that a label can have';
          issues.push({ code: 'custom', input: key, path: [key], params: { key }, message });
        }
      })
      .nullish(),
    backend: oneOf('gpu-operator', 'gke').nullish(),
    mode: oneOf('Recommend', 'Auto').nullish(),
    allowedProfiles: someOf(
      text(policyPatterns.profile, 'is neither the name of a profile, as 1g.24gb or 1g.24gb+me, nor whole'),
      'whatever serves',
    ).nullish(),
    maxUnavailable: whole(1, 1000).nullish(),
    evictions: oneOf('Never', 'Allowed').nullish(),
    pendingSeconds: whole(0, 24 * 3600).nullish(),
    cooldownSeconds: whole(0, 7 * 24 * 3600).nullish(),
    maintenanceWindows: z.array(windowShape, { error: 'is not a list of windows' }).nullish(),
  },
  { error: 'is not an object' },
);

function specOf(spec: z.infer<typeof specShape>): MigPolicySpec {
  return {
    nodeSelector: spec.nodeSelector ?? {},
    backend: spec.backend ?? 'gpu-operator',
    mode: spec.mode ?? 'Recommend',
    allowedProfiles: spec.allowedProfiles ?? null,
    maxUnavailable: spec.maxUnavailable ?? 1,
    evictions: spec.evictions ?? 'Never',
    pendingMs: (spec.pendingSeconds ?? 10) * 1000,
    cooldownMs: (spec.cooldownSeconds ?? 600) * 1000,
    maintenanceWindows: (spec.maintenanceWindows ?? []).map((window) => ({
      days: window.days ?? [],
      start: window.start,
      durationMinutes: window.durationMinutes,
      timeZone: window.timeZone ?? 'UTC',
    })),
  };
}

const mostFields = 5;
const longestValue = 80;

/** `spec.maintenanceWindows[0].start: "25:00" is not a time of day …`, once for each field. */
function wordsFor(issues: readonly z.core.$ZodIssue[], spec: unknown): string {
  const words = new Map<string, string>();
  for (const issue of issues) {
    if (words.size > mostFields) break;
    const { path, message } = issue;
    const key: unknown = issue.code === 'custom' ? issue.params?.['key'] : undefined;
    const field = (key === undefined ? path : path.slice(0, -1)).reduce<string>(
      (at, part) => (typeof part === 'number' ? `${at}[${part}]` : `${at}.${String(part)}`),
      'spec',
    );
    const value = key ?? path.reduce<unknown>((at, part) => (at as Record<PropertyKey, unknown>)[part], spec);
    if (!words.has(field))
      words.set(field, value === undefined ? `${field} is missing` : `${field}: ${shown(value)} ${message}`);
  }
  const more = words.size > mostFields ? ['and more'] : [];
  return [...[...words.values()].slice(0, mostFields), ...more].join('; ');
}

function shown(value: unknown): string {
  const json = JSON.stringify(value);
  return json.length <= longestValue ? json : `${json.slice(0, longestValue)}…`;
}
