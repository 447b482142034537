/** What an emitter takes and gives: a plan in; files out, or a refusal that says what to do instead. */
import type { GpuModel } from '#core/catalogue/model';
import type { Fleet, Need } from '#core/plan/documents';
import type { Plan } from '#core/plan/plan';
import type { GkeOptions } from './gke/options.js';
import type { GpuOperatorOptions } from './gpu-operator/options.js';

export interface EmittedFile {
  /** Relative, with `/`; every part is a safe file name. */
  readonly path: string;
  readonly content: string;
  /** Unix permissions, e.g. 0o755; left out: the default. */
  readonly mode?: number;
}

/** Why a target cannot carry a plan. `message` says what stands in the way, `instead` what to do. */
export interface EmitRefusal {
  readonly kind: RefusalKind;
  readonly message: string;
  readonly instead: string;
}

export type RefusalKind =
  | 'nothing-planned'
  | 'unknown-model'
  | 'plan-mismatch'
  | 'node-name'
  | 'two-sizes'
  | 'mixed-modes'
  | 'empty-mig'
  | 'shared-beside-alone'
  | 'too-many-sharers'
  | 'busy-slices'
  | 'not-a-gke-machine'
  | 'size-not-offered'
  | 'attribute-spelling'
  | 'zone-needed'
  | 'no-bottlerocket-key';

export interface Refused {
  readonly ok: false;
  readonly why: EmitRefusal;
}

/** `notes`: what the reader must know before using the files, one sentence or two each. */
export type Emission =
  { readonly ok: true; readonly files: readonly EmittedFile[]; readonly notes: readonly string[] } | Refused;

export interface EmitOptions {
  /** Looks a GPU model up by its catalogue key. */
  readonly modelOf: (key: string) => GpuModel | undefined;
  /** The needs behind the plan: they tell how many GPUs one replica takes. Left out: one each. */
  readonly needs?: readonly Need[];
  /** The fleet behind the plan: it tells how many GPUs an owned node has. */
  readonly fleet?: Fleet;
  /** Container image of the workloads; left out: a placeholder that no registry serves. */
  readonly image?: string;
  /** Kubernetes namespace of the workloads; left out: none is written. */
  readonly namespace?: string;
  readonly gke?: GkeOptions;
  readonly gpuOperator?: GpuOperatorOptions;
}

export type Emitter = (plan: Plan, options: EmitOptions) => Emission;

export function refuse(kind: RefusalKind, message: string, instead: string): Refused {
  return { ok: false, why: { kind, message, instead } };
}
