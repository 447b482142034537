/** What a node of a group offers, as a label value: EKS itself keeps no such thing. `4x1g.24gb_1x2g.48gb`. */
import { asNvidiaSpells } from '#core/catalogue/profile-name';
import type { PromisedSlices } from '../slices-ready.js';

export const slicesLabel = 'mica.dev/slices';

export function slicesAsLabel(slices: readonly PromisedSlices[]): string {
  return slices.map(({ profile, perNode }) => `${perNode}x${(profile ?? 'gpu').replace('+', '.')}`).join('_');
}

/** `null`: it says nothing that can be read. */
export function slicesFromLabel(text: string | undefined): readonly PromisedSlices[] | null {
  if (text === undefined || text === '') return null;
  const slices = text.split('_').map((part) => {
    const [, perNode, name = ''] = /^(\d{1,4})x(\S+)$/.exec(part) ?? [];
    return { profile: name === 'gpu' ? null : asNvidiaSpells(name), perNode: Number(perNode ?? Number.NaN) };
  });
  return slices.some(({ perNode }) => Number.isNaN(perNode)) ? null : slices;
}
