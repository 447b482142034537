/** How profiles are spelled: by NVIDIA's tools, in Kubernetes resources, and what the parts of a name say. */
import type { Attribute } from './model.js';

/** The parts of `1c.3g.40gb+me`: a compute instance (`1c`) inside a GPU instance, or a GPU instance alone. */
export interface NameParts {
  /** Compute slices of a compute instance inside the GPU instance; `null`: the GPU instance itself. */
  readonly computeInstance: number | null;
  readonly computeSlices: number;
  readonly memoryGB: number;
  readonly attribute: Attribute | null;
}

/**
 * The name as nvidia-smi spells it: `nvidia.com/mig-1g.24gb.me.all`, `mig-1g.24gb.me.all` and `1G.24GB+ME.ALL` are all
 * `1g.24gb+me.all`. Kubernetes has no `+` in names; the `.shared` of time-slicing is dropped.
 */
export function asNvidiaSpells(text: string): string {
  let name = spelled.get(text);
  if (name === undefined) {
    name = spell(text);
    if (spelled.size >= mostSpelled) spelled.clear();
    spelled.set(text, name);
  }
  return name;
}

/** A cluster says the same few names thousands of times. */
const spelled = new Map<string, string>();
const mostSpelled = 1000;

function spell(text: string): string {
  return text
    .trim()
    .toLowerCase()
    .replace(/^nvidia\.com\//, '')
    .replace(/^mig[-\s]+/, '')
    .replace(/\.shared$/, '')
    .replace(/gb\.(me\.all|me|gfx)$/, 'gb+$1');
}

/** `undefined` where the text has not the form of a profile name. */
export function nameParts(name: string): NameParts | undefined {
  const match = /^(?:(\d+)c\.)?(\d+)g\.(\d+)gb(\+me\.all|\+me|\+gfx|-me)?$/.exec(name);
  if (match === null) return undefined;
  const [, computeInstance, computeSlices, memoryGB, attribute] = match;
  return {
    computeInstance: computeInstance === undefined ? null : Number(computeInstance),
    computeSlices: Number(computeSlices),
    memoryGB: Number(memoryGB),
    attribute: (attribute ?? null) as Attribute | null,
  };
}
