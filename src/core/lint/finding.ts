/** What lint says of a manifest, and what would mend it. */

/** Keys and indices from the top of a document. */
export type Path = readonly (string | number)[];

/** A change of one document that a machine can make; later edits see the earlier ones. */
export type Edit =
  /** Maps on the way are made. */
  | { readonly kind: 'set'; readonly path: Path; readonly value: unknown }
  | { readonly kind: 'remove'; readonly path: Path }
  /** The value stays where it is. */
  | { readonly kind: 'rename'; readonly path: Path; readonly key: string }
  /** To the end of a list, which is made where there is none. */
  | { readonly kind: 'append'; readonly path: Path; readonly value: unknown }
  /** A document of its own, behind this one. */
  | { readonly kind: 'add-document'; readonly value: unknown };

/** `error`: it will not schedule, or be refused; `warning`: it will, and disappoint. */
export type Severity = 'error' | 'warning';

export interface Finding {
  readonly rule: RuleName;
  readonly severity: Severity;
  readonly path: Path;
  /** What is wrong, and why. */
  readonly message: string;
  /** What to do. */
  readonly fix: string;
  /** Empty: it takes a person. */
  readonly edits: readonly Edit[];
}

/** Every rule; docs/guides/lint.md says what each finds. */
export const ruleNames = [
  'plus-in-name',
  'unknown-profile',
  'not-on-this-card',
  'mig-resource-on-gke',
  'mig-resource-under-dra',
  'gke-size',
  'shared-count',
  'bad-count',
  'limits-and-requests',
  'toleration',
  'several-slices',
  'around-the-plugin',
  'too-small',
  'impossible-layout',
  'mps-on-mig',
] as const;

export type RuleName = (typeof ruleNames)[number];
