/** Whether GKE cuts a slice size on an accelerator, and how it spells it; a "no" says what it offers. */
import { partitionSizesOf } from '#core/catalogue/gke-partition-sizes';

export type SizeAnswer =
  | { readonly ok: true; /** As the API spells it. */ readonly size: string; readonly perGpu: number }
  | {
      readonly ok: false;
      readonly why: {
        readonly kind: 'size-not-offered' | 'attribute-spelling';
        readonly message: string;
        readonly offered: readonly string[];
      };
    };

/** `spelling`: of the attribute of a size, where the user says which; GKE's own sources disagree. */
export function partitionSize(accelerator: string, profile: string, spelling?: '.' | '+'): SizeAnswer {
  const sizes = partitionSizesOf(accelerator);
  const offered = Object.keys(sizes);
  const perGpu = sizes[profile];
  if (perGpu === undefined) {
    const doubt = profile.startsWith('4g.')
      ? " GKE's partitioner knows 4g sizes and its autoscaler does not, so no pool is made from it."
      : '';
    const list = offered.join(', ') || 'no size at all';
    const message = `GKE does not list ${profile} for ${accelerator}; it lists ${list}.${doubt}`;
    return { ok: false, why: { kind: 'size-not-offered', message, offered } };
  }
  if (!profile.includes('+')) return { ok: true, size: profile, perGpu };
  if (spelling !== undefined) return { ok: true, size: profile.replace('+', spelling), perGpu };
  const message = `GKE may call ${profile} either ${dottedSize(profile)} or ${profile}: its own sources disagree`;
  return { ok: false, why: { kind: 'attribute-spelling', message, offered } };
}

/** As labels have it: `+` is not allowed there. */
export function dottedSize(size: string): string {
  return size.replace('+', '.');
}
