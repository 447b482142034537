/** What a rule is asked, and what it is told about the cluster. */
import type { MigModel } from '#core/catalogue/model';
import type { Finding } from './finding.js';
import type { Ask, PodSpec } from './pod-specs.js';

/** Who offers the slices. */
export type LintTarget = 'gke' | 'gpu-operator' | 'dra';

/** What a workload was seen to need: a line of an audit. */
export interface AuditedNeed {
  readonly workload: string;
  readonly namespace: string | null;
  readonly kind: string | null;
  /** Of the use alone, without headroom. */
  readonly memoryMiB: number;
  readonly profile: string | null;
}

export interface LintOptions {
  readonly target: LintTarget;
  /** Cards of the cluster; `null`: any that Mica knows. */
  readonly cards: readonly MigModel[] | null;
  readonly audited: readonly AuditedNeed[];
  /** Added to what was measured, e.g. 0.1. */
  readonly headroom: number;
}

export interface Rules {
  readonly ask?: (ask: Ask, options: LintOptions) => readonly Finding[];
  readonly pod?: (pod: PodSpec, options: LintOptions) => readonly Finding[];
  readonly document?: (document: unknown, options: LintOptions) => readonly Finding[];
}
