/** Holds a value against its schema, and says what is wrong in the words of the file: key, place, what was found. */
import type { z } from 'zod';
import { didYouMean } from '../did-you-mean.js';
import { describePath, describeValue, type Problem } from './problem.js';
import type { SourceDocument } from './yaml-source.js';

export type Checked<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problems: readonly Problem[] };

export function checkShape<S extends z.ZodType>(schema: S, source: SourceDocument): Checked<z.infer<S>> {
  const checked = schema.safeParse(source.value);
  if (checked.success) return { ok: true, value: checked.data };
  const problems = checked.error.issues.flatMap((issue) => problemsOf(issue, schema, source));
  // A number that breaks two rules with one message is one problem.
  const distinct = new Map(problems.map((problem) => [`${problem.path} ${problem.message}`, problem]));
  return { ok: false, problems: [...distinct.values()] };
}

function problemsOf(issue: z.core.$ZodIssue, schema: z.ZodType, source: SourceDocument): readonly Problem[] {
  if (issue.code === 'unrecognized_keys') {
    const known = keysAt(schema, issue.path);
    return issue.keys.map((key) => {
      const path = [...issue.path, key];
      return {
        where: source.whereIsKey(path),
        path: describePath(path),
        message: `unknown key${didYouMean(key, known) || `; known here: ${known.join(', ')}`}`,
      };
    });
  }
  const found = valueAt(source.value, issue.path);
  const message =
    found === undefined ? `is missing; it ${issue.message}` : `${issue.message}, got ${describeValue(found)}`;
  return [{ where: source.whereIs(issue.path), path: describePath(issue.path), message }];
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (inner, key) =>
      typeof inner === 'object' && inner !== null && Object.hasOwn(inner, key)
        ? (inner as Record<PropertyKey, unknown>)[key]
        : undefined,
    value,
  );
}

/** The keys that the schema allows in the map at the path. */
function keysAt(schema: z.ZodType, path: readonly PropertyKey[]): readonly string[] {
  let inner: unknown = schema;
  for (const key of path) {
    const { shape, element, valueType } = unwrapped(inner);
    inner = typeof key === 'number' ? element : (shape?.[String(key)] ?? valueType);
  }
  return Object.keys(unwrapped(inner).shape ?? {});
}

interface Wrapper {
  readonly shape?: Readonly<Record<string, unknown>>;
  readonly element?: unknown;
  /** Of a map whose keys are names. */
  readonly valueType?: unknown;
  readonly unwrap?: () => unknown;
}

/** Optional and default wrap what they hold; an array's own `unwrap` is its element, so arrays stop the descent. */
function unwrapped(schema: unknown): Wrapper {
  const wrapper = (schema ?? {}) as Wrapper;
  return wrapper.element === undefined && wrapper.unwrap !== undefined
    ? unwrapped(wrapper.unwrap())
    : wrapper;
}
