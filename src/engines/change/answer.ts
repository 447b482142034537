/** What a change of a machine answers: per GPU what became of it, what was kept, made and destroyed, and why. */
import type { Placement } from '#core/geometry/placement';
import type { CardState, GpuAction } from '#core/plan/gpu-actions';
import type { DriverFailure, DriverRefusal } from '#ports/gpu-driver';

export type Outcome =
  /** It was as wanted already. */
  | 'unchanged'
  | 'done'
  /** Something failed, and the GPU holds again what it held before. */
  | 'rolled-back'
  /** Nothing was touched. */
  | 'refused'
  /** The mode is set and waits for a reboot; `restore` goes on from there. */
  | 'needs-reboot'
  /** Neither the old nor the new layout: `left` and `next` say how to go on. */
  | 'failed';

/** A process in the way. */
export interface Holder {
  readonly pid: number;
  readonly name: string | null;
  readonly usedMiB: number | null;
  /** The slice that it is in; `null`: it is on the GPU as a whole. */
  readonly placement: Placement | null;
}

export type Why =
  | { readonly kind: 'busy'; readonly message: string; readonly holders: readonly Holder[] }
  /** Instances that Mica did not make would have to go. */
  | { readonly kind: 'foreign'; readonly message: string; readonly instances: readonly Placement[] }
  /** Slices that would have to go are leased. */
  | {
      readonly kind: 'leased';
      readonly message: string;
      readonly leases: readonly {
        readonly id: string;
        readonly pid: number;
        readonly command: readonly string[];
        readonly slices: readonly string[];
      }[];
    }
  /** Another change has the GPU. */
  | { readonly kind: 'locked'; readonly message: string; readonly pid: number | null }
  | {
      readonly kind: 'driver';
      readonly message: string;
      readonly refusal: DriverRefusal;
      /** NVML's return code. */
      readonly code: number | null;
    }
  | {
      readonly kind:
        | 'unknown-gpu'
        | 'named-twice'
        | 'no-mig'
        | 'unknown-profile'
        | 'no-room'
        | 'max-count'
        | 'engines'
        /** The mode would have to change, and may not. */
        | 'mode'
        /** An earlier change was interrupted here. */
        | 'unfinished'
        /** Another GPU of the same change failed or was refused. */
        | 'other-gpu'
        | 'needs-reboot'
        /** The driver said yes, and the GPU does not show it; or somebody else changes the GPU at the same time. */
        | 'unverified'
        /** The journal, or the driver altogether, is out of reach. */
        | 'broken'
        | 'interrupted';
      readonly message: string;
    };

export interface GpuOutcome {
  /** `null`: no such GPU. */
  readonly index: number | null;
  readonly uuid: string | null;
  readonly outcome: Outcome;
  readonly kept: readonly Placement[];
  /** What was made, of the new layout or of the old one in a roll-back. */
  readonly created: readonly Placement[];
  readonly destroyed: readonly Placement[];
  readonly why?: Why;
  /** Failed: what the GPU holds now; `null`: it does not say. */
  readonly left?: CardState | null;
  /** Failed or needs-reboot: what to do now, with the command. */
  readonly next?: string;
  /** Dry run: what would be done. */
  readonly steps?: readonly GpuAction[];
  /** Dry run: processes that would be drained first. */
  readonly drains?: readonly Holder[];
}

export interface ChangeAnswer {
  readonly outcome: Outcome;
  /** The journal's name, for `history` and `undo`; `null`: nothing was begun. */
  readonly change: string | null;
  readonly gpus: readonly GpuOutcome[];
}

/** The outcome of the whole: the worst of its GPUs. */
export function worstOf(gpus: readonly Pick<GpuOutcome, 'outcome'>[]): Outcome {
  return badFirst.find((outcome) => gpus.some((gpu) => gpu.outcome === outcome)) ?? 'unchanged';
}

export function driverWhy({ why }: DriverFailure, doing: string): Why {
  const message = `could not ${doing}: ${why.message}${advice[why.kind]}`;
  return { kind: 'driver', refusal: why.kind, code: why.code, message };
}

export function brokenWhy(doing: string, error: unknown): Why {
  const cause = error instanceof Error ? error.message : String(error);
  return { kind: 'broken', message: `could not ${doing}: ${cause}` };
}

const badFirst: readonly Outcome[] = [
  'failed',
  'needs-reboot',
  'rolled-back',
  'refused',
  'done',
  'unchanged',
];

/** What the refusal means here, and what to do about it. */
const advice: Record<DriverRefusal, string> = {
  'in-use':
    '; something holds it (a monitoring agent, a desktop or a process that just came): end what `mica node doctor` names, or wait with --wait',
  'no-permission': '; run as root',
  'no-room':
    '; there is no room, or somebody else has just taken this very place: look with `mica node show` and try again',
  'not-supported': '; `mica node doctor` says what this card or its driver lacks',
  'not-found': '; somebody else has just destroyed it: look with `mica node show` and try again',
  'reset-required': '; reset the GPU or reboot, and try again',
  'bad-argument': '; the card has changed meanwhile: look with `mica node show` and try again',
  lost: '; the GPU is gone from the bus or the driver was unloaded: look into the kernel log (`dmesg`), then reboot',
  unknown: '; the kernel log (`dmesg`) may say why: look there and try again',
};
