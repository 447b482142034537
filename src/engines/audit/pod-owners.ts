/** Several ways to find out who made a pod, the surest first. */
import { ownerFromName } from '#core/observe/owner-from-name';
import type { OwnerOf, PodName, PodOwners } from '#ports/pod-owners';

/** Each is asked only for the pods that those before it do not know. */
export function firstThatKnows(...sources: readonly PodOwners[]): PodOwners {
  return {
    ownersOf: async (pods, signal): Promise<OwnerOf> => {
      const known: OwnerOf[] = [];
      const ownerOf: OwnerOf = (pod) => {
        for (const one of known) {
          const owner = one(pod);
          if (owner !== null) return owner;
        }
        return null;
      };
      let unknown: readonly PodName[] = pods;
      for (const source of sources) {
        if (unknown.length === 0) break;
        known.push(await source.ownersOf(unknown, signal));
        unknown = unknown.filter((pod) => ownerOf(pod) === null);
      }
      return ownerOf;
    },
  };
}

/** A guess, for what nobody knows. */
export const ownersFromNames: PodOwners = {
  ownersOf:
    async () =>
    ({ pod }) =>
      ownerFromName(pod),
};
