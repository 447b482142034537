/** Who holds which GPU, for a controller: what it cannot find out it does without, and says so. */
import type { ReconcilePorts } from '#engines/reconcile/ports';
import type { News } from '#engines/reconcile/news';
import { askedHolders, claimHolders } from '../cluster/surroundings.js';

/** Nodes wait for the answer. */
const longestMs = 20_000;

export function holdersFrom(
  prometheus: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
  onNews: (news: News) => void,
): ReconcilePorts['holders'] {
  return async (state, nodes, signal) => {
    const fromClaims = claimHolders(state, nodes);
    if (prometheus === undefined) return fromClaims;
    try {
      const soon = AbortSignal.any([signal, AbortSignal.timeout(longestMs)]);
      return new Map([...fromClaims, ...(await askedHolders(state, prometheus, env, soon))]);
    } catch (error) {
      const words = error instanceof Error ? error.message : String(error);
      const message = `which pod holds which GPU is not known, so that more pods may have to go: ${words}`;
      if (!signal.aborted) onNews({ kind: 'trouble', message });
      return fromClaims;
    }
  };
}
