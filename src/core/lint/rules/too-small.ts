/** A slice that holds less than the workload was seen to use runs out of memory on its first busy day. */
import { migModels } from '#core/catalogue/catalogue';
import { findProfile } from '#core/catalogue/find-profile';
import type { MigModel } from '#core/catalogue/model';
import type { AuditedNeed, Rules } from '../rule.js';
import { migSizeOf, type Ask, type PodSpec } from '../pod-specs.js';

export const tooSmall: Rules = {
  ask: (ask, { audited, cards, headroom }) => {
    const need = audited.find((one) => isAbout(one, ask.pod));
    const size = sizeAsked(ask);
    if (need === undefined || size === null) return [];
    const memoryMiB = smallestMemory(cards ?? migModels(), size);
    const wantedMiB = need.memoryMiB * (1 + headroom);
    if (memoryMiB === null || memoryMiB >= wantedMiB) return [];
    const fits =
      need.profile !== null && (smallestMemory(cards ?? migModels(), need.profile) ?? 0) >= wantedMiB;
    const instead = fits ? need.profile : null;
    const key = instead === null ? null : `nvidia.com/mig-${instead.replaceAll('+', '.')}`;
    const isMig = migSizeOf(ask.resource) !== null;
    return [
      {
        ...{ rule: 'too-small', severity: 'error', path: ask.path },
        message:
          `${size} has ${memoryMiB} MiB, and ${need.workload} used up to ${need.memoryMiB} MiB ` +
          `(${Math.ceil(wantedMiB)} with headroom)`,
        fix: instead === null ? 'give it a larger slice, or a whole GPU' : `ask for ${instead}`,
        edits: key === null || !isMig ? [] : [{ kind: 'rename', path: ask.path, key }],
      },
    ];
  },
};

function sizeAsked({ pod, resource }: Ask): string | null {
  if (resource !== 'nvidia.com/gpu') return migSizeOf(resource.replace(/\.shared$/, ''));
  const selector = pod.spec['nodeSelector'] as Readonly<Record<string, unknown>> | undefined;
  const size = selector?.['cloud.google.com/gke-gpu-partition-size'];
  return typeof size === 'string' ? size : null;
}

function isAbout({ workload, namespace, kind }: AuditedNeed, { owner }: PodSpec): boolean {
  const isSame = workload === owner.name && (kind === null || kind === owner.kind);
  return isSame && (namespace === null || owner.namespace === null || namespace === owner.namespace);
}

/** On the card where it is smallest. */
function smallestMemory(cards: readonly MigModel[], size: string): number | null {
  const sizes = cards.flatMap((card) => {
    const found = findProfile(card, size);
    return found.ok && found.profile.memoryMiB !== null ? [found.profile.memoryMiB] : [];
  });
  return sizes.length === 0 ? null : Math.min(...sizes);
}
