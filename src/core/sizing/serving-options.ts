/** Which profiles serve a need on one card and how many replicas share one: the planner's question, asked often. */
import type { GpuModel, Profile } from '#core/catalogue/model';
import type { Need } from '#core/plan/documents';
import { serve } from './serve.js';
import { replicasPerCard, replicasPerSlice } from './sharing.js';
import type { SizingOptions } from './wants.js';

/** One way to serve replicas. `whole`: the card with MIG off; several cards a replica where the need says so. */
export interface ServingOption {
  readonly profile: Profile | 'whole';
  /** 1 unless the need allows sharing. */
  readonly replicasPerSlice: number;
}

/** Smallest first; the whole card only where no slice serves. Empty: the card cannot serve the need. */
export function servingOptions(
  need: Need,
  card: GpuModel,
  options: SizingOptions = {},
): readonly ServingOption[] {
  const { wants, fits, wholeCause, wholeRefusal } = serve(need, card, options);
  if (card.kind === 'mig' && fits.length > 0) {
    return fits.map((profile) => ({ profile, replicasPerSlice: replicasPerSlice(wants, profile, card) }));
  }
  if (wholeCause === null || wholeRefusal !== null) return [];
  return [{ profile: 'whole', replicasPerSlice: replicasPerCard(wants, card) }];
}
