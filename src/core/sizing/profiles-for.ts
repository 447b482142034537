/** A need on one card, answered in full: what serves it, why the rest does not, and what to take. */
import type { GpuModel, MigModel, Profile } from '#core/catalogue/model';
import type { Need } from '#core/plan/documents';
import { formatMiB } from '#core/units';
import { isEstimate } from './compute.js';
import { usableMemory, type UsableMemory } from './memory.js';
import { explainRefusal, type RefusalKind } from './refusal.js';
import { serve, type Served } from './serve.js';
import { replicasPerCard, replicasPerSlice, sharingLoses } from './sharing.js';
import type { SizingOptions, Wants } from './wants.js';
import { explainWhole, explainWholeRefusal, type WholeCause } from './whole-gpu.js';

export interface Fit {
  readonly profile: Profile;
  /** What the slice is counted on for. */
  readonly memory: UsableMemory;
  /** Left once the replicas and their headroom are in; `null`: either figure is not known. */
  readonly spareMiB: number | null;
  readonly computeShareOfCard: number;
  /** 1 unless the need allows sharing. */
  readonly replicasPerSlice: number;
  /** The compute wish was converted from another card. */
  readonly estimate: boolean;
}

export interface Rejection {
  readonly profile: string;
  readonly why: { readonly kind: RefusalKind | 'unmapped'; readonly message: string };
}

export type Verdict =
  | { readonly kind: 'slice'; readonly profile: string; readonly why: string }
  | {
      readonly kind: 'whole-gpu';
      readonly cause: WholeCause;
      readonly gpus: number;
      readonly replicasPerGpu: number;
      readonly why: string;
    }
  | { readonly kind: 'none'; readonly cause: RefusalKind; readonly why: string };

export interface CardSizing {
  readonly model: string;
  /** Smallest first. */
  readonly fits: readonly Fit[];
  readonly rejected: readonly Rejection[];
  readonly verdict: Verdict;
}

/** Every profile of the card is in `fits` or in `rejected`, each rejection with its reason. */
export function profilesFor(need: Need, card: GpuModel, options: SizingOptions = {}): CardSizing {
  const served = serve(need, card, options);
  const fits = card.kind === 'mig' ? served.fits.map((profile) => fitOf(served.wants, profile, card)) : [];
  return {
    model: card.key,
    fits,
    rejected: rejectionsOf(served, card),
    verdict: verdictOf(served, fits, card),
  };
}

function fitOf(wants: Wants, profile: Profile, model: MigModel): Fit {
  const memory = usableMemory(profile, wants.assumeFromName);
  const replicas = replicasPerSlice(wants, profile, model);
  const isKnown = memory.memoryMiB !== null && wants.memoryMiB !== null;
  return {
    profile,
    memory,
    spareMiB: isKnown ? memory.memoryMiB - replicas * wants.memoryMiB : null,
    computeShareOfCard: profile.computeSlices / model.computeSlices,
    replicasPerSlice: replicas,
    estimate: isEstimate(wants.compute),
  };
}

function rejectionsOf({ wants, refused }: Served, card: GpuModel): readonly Rejection[] {
  switch (card.kind) {
    case 'no-mig':
      return [];
    case 'unmapped':
      return card.profileNames.map((profile) => ({
        profile,
        why: { kind: 'unmapped', message: 'its placements are not published' },
      }));
    case 'mig':
      return refused.map(({ profile, kind }) => ({
        profile: profile.name,
        why: { kind, message: explainRefusal(kind, wants, profile, card) },
      }));
  }
}

function verdictOf(served: Served, [smallest]: readonly Fit[], card: GpuModel): Verdict {
  const { wants, wholeCause, wholeRefusal } = served;
  if (smallest !== undefined) {
    return { kind: 'slice', profile: smallest.profile.name, why: sliceReason(wants, smallest) };
  }
  if (wholeCause === null) return wrongInKind(served, card);
  if (wholeRefusal !== null) {
    return { kind: 'none', cause: wholeRefusal, why: explainWholeRefusal(wholeRefusal, wants, card) };
  }
  const replicasPerGpu = replicasPerCard(wants, card);
  const why = `${explainWhole(wholeCause, wants)}${caveats(wants, replicasPerGpu)}`;
  return { kind: 'whole-gpu', cause: wholeCause, gpus: wants.gpus, replicasPerGpu, why };
}

/** No profile serves, and size is not why: what the largest plain one lacks, the whole card would lack too. */
function wrongInKind({ wants, refused }: Served, card: GpuModel): Verdict {
  const largest = refused.findLast(({ profile }) => profile.attribute === null);
  if (card.kind !== 'mig' || largest === undefined) {
    return { kind: 'none', cause: 'memory-unknown', why: 'no profile of the card is on record' };
  }
  const message = explainRefusal(largest.kind, wants, largest.profile, card);
  return {
    kind: 'none',
    cause: largest.kind,
    why: `even ${largest.profile.name} does not serve: ${message}`,
  };
}

function sliceReason(wants: Wants, { profile, memory, replicasPerSlice }: Fit): string {
  const size = `the smallest that serves: ${profile.name}`;
  const counted = memory.from === 'name' ? ' (assumed from its name)' : '';
  const room =
    wants.memoryMiB === null || memory.memoryMiB === null
      ? ''
      : ` gives ${formatMiB(memory.memoryMiB)}${counted}, ${formatMiB(wants.memoryMiB)} needed with headroom`;
  return `${size}${room}${caveats(wants, replicasPerSlice)}`;
}

function caveats(wants: Wants, replicas: number): string {
  const converted = isEstimate(wants.compute) ? '; compute converted from another card: an estimate' : '';
  const shared = replicas > 1 ? `; shared by ${replicas} replicas: ${sharingLoses}` : '';
  return `${converted}${shared}`;
}
