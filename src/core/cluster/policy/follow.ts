/** Whether a policy can be followed at all. */
import type { MigPolicy } from './mig-policy.js';

/** `null`: it can. */
export function whyNotFollowed({
  spec,
}: MigPolicy): { readonly reason: string; readonly message: string } | null {
  if (spec.backend !== 'gke' || spec.mode !== 'Auto') return null;
  return {
    reason: 'Unsupported',
    message:
      'On GKE other slices are other node pools: they cost money, and need rights in the cloud that the controller has not. ' +
      'Set mode: Recommend, and run `mica cluster pool change` as it says.',
  };
}
