/** The profile of a model that a name means; and when there is none, why people ask for it and what to use instead. */
import { migModels } from './catalogue.js';
import { closest } from './edit-distance.js';
import { misnomers } from './misnomers.js';
import type { MigModel, Profile } from './model.js';
import { asNvidiaSpells, nameParts, type NameParts } from './profile-name.js';
import { quoted } from './quoted.js';

export interface ProfileRefusal {
  readonly kind: 'unknown-profile';
  readonly message: string;
  /** Profiles of this model that may serve instead. */
  readonly instead: readonly string[];
}

export type ProfileAnswer =
  { readonly ok: true; readonly profile: Profile } | { readonly ok: false; readonly why: ProfileRefusal };

/** A model of the catalogue, or a card as its driver describes it. */
type ProfileOwner = Pick<MigModel, 'key' | 'profiles'>;

/**
 * By name, Kubernetes spelling or NVML id: `1g.24gb+me`, `1g.24gb.me`, `nvidia.com/mig-1g.24gb.me` and `21` are one
 * profile of the RTX PRO 6000. Case does not matter.
 */
export function findProfile(model: ProfileOwner, name: string): ProfileAnswer {
  const asked = asNvidiaSpells(name);
  const id = /^\d+$/.test(asked) ? Number(asked) : undefined;
  const profile = model.profiles.find((one) => one.name === asked || one.id === id);
  if (profile !== undefined) return { ok: true, profile };
  if (id !== undefined) return refuseId(model, id);
  const parts = nameParts(asked);
  if (parts === undefined) return refuseForm(model, name, asked);
  if (parts.computeInstance !== null)
    return refuseComputeInstance(model, asked, parts.computeInstance, parts);
  return (
    refuseMisnomer(model, asked, parts) ??
    refuseAttribute(model, asked, parts) ??
    refuseName(model, asked, parts)
  );
}

function refuseId(model: ProfileOwner, id: number): ProfileAnswer {
  const ids = model.profiles.map((profile) => `${profile.id} (${profile.name})`).join(', ');
  const message = `${model.key} has no profile with id ${id}; its ids are ${ids}`;
  return { ok: false, why: { kind: 'unknown-profile', message, instead: plainNames(model) } };
}

/** Not a profile name at all: a slip, or the beginning of one. */
function refuseForm(model: ProfileOwner, text: string, asked: string): ProfileAnswer {
  const names = model.profiles.map((profile) => profile.name);
  const begun = asked === '' ? [] : names.filter((one) => one.startsWith(asked));
  const meant = begun.length > 0 ? begun : closest(asked, names);
  const why = `${quoted(text)} is not a profile of ${model.key}`;
  if (meant.length > 0) return refuse(`${why}; did you mean`, meant, '?');
  return refuse(`${why}, which has`, plainNames(model), '', 'and');
}

function refuseComputeInstance(
  model: ProfileOwner,
  asked: string,
  slices: number,
  parts: NameParts,
): ProfileAnswer {
  const outer = asked.slice(asked.indexOf('.') + 1);
  const holder = model.profiles.some((one) => one.name === outer) ? [outer] : nearest(model, parts);
  const [own] = plain(model).filter((profile) => profile.computeSlices >= slices);
  const why =
    `${asked} is a compute instance inside a GPU instance; Mica plans GPU instances, each with one compute instance ` +
    'that fills it, because compute instances share memory';
  return refuse(`${why}; use`, [...new Set([...holder, ...(own === undefined ? [] : [own.name])])]);
}

function refuseMisnomer(model: ProfileOwner, asked: string, parts: NameParts): ProfileAnswer | undefined {
  const base = withoutAttribute(asked, parts);
  const known = misnomers.find((one) => one.name === base && one.models.includes(model.key));
  return known && refuse(`${model.key} has no ${base}: ${known.why}; use`, known.instead);
}

/** The slice exists, but not with the engines or graphics that its ending asks for. */
function refuseAttribute(model: ProfileOwner, asked: string, parts: NameParts): ProfileAnswer | undefined {
  if (parts.attribute === null) return undefined;
  const base = withoutAttribute(asked, parts);
  const variants = model.profiles.filter((one) => withoutAttribute(one.name, one) === base);
  if (variants.length === 0) return undefined;
  const others = modelsWith((profile) => profile.attribute === parts.attribute, model);
  const elsewhere =
    others.length === 0 || others.length > 3 ? '' : ` (only ${listed(others, 'and')} can do that)`;
  return refuse(
    `${model.key} has ${base}, but not with ${parts.attribute}${elsewhere}; use`,
    variants.map((one) => one.name),
  );
}

function withoutAttribute(name: string, parts: Pick<NameParts, 'attribute'>): string {
  return parts.attribute === null ? name : name.slice(0, -parts.attribute.length);
}

function refuseName(model: ProfileOwner, asked: string, parts: NameParts): ProfileAnswer {
  const others = modelsWith((profile) => profile.name === asked, model);
  const why =
    others.length === 0 ? 'no GPU that Mica knows has one' : `it is a profile of ${listed(others, 'and')}`;
  return refuse(`${model.key} has no ${asked}: ${why}; nearest here:`, nearest(model, parts));
}

/**
 * Profiles on either side of what was asked: the largest that asks for no more compute and memory, the smallest that
 * gives no less of either, and the smallest with the memory.
 */
function nearest(model: ProfileOwner, wish: NameParts): readonly string[] {
  const known = plain(model).flatMap((profile) => {
    const parts = nameParts(profile.name);
    return parts === undefined ? [] : [{ name: profile.name, ...parts }];
  });
  const within = known.filter(
    (one) => one.computeSlices <= wish.computeSlices && one.memoryGB <= wish.memoryGB,
  );
  const roomy = known.filter((one) => one.memoryGB >= wish.memoryGB);
  const [smallestAround] = roomy.filter((one) => one.computeSlices >= wish.computeSlices);
  const chosen = new Set([within.at(-1), roomy[0], smallestAround].map((one) => one?.name));
  const names = known.map((one) => one.name).filter((name) => chosen.has(name));
  return names.length > 0 ? names : known.slice(-1).map((one) => one.name);
}

/** Profiles without an attribute, smallest first. */
function plain(model: ProfileOwner): readonly Profile[] {
  return model.profiles
    .filter((profile) => profile.attribute === null)
    .sort((a, b) => a.sizeUnits - b.sizeUnits || a.computeSlices - b.computeSlices);
}

function plainNames(model: ProfileOwner): readonly string[] {
  return plain(model).map((profile) => profile.name);
}

function modelsWith(has: (profile: Profile) => boolean, except: Pick<MigModel, 'key'>): readonly string[] {
  const keys = migModels().filter((model) => model.key !== except.key && model.profiles.some(has));
  return keys.map((model) => model.key);
}

function refuse(why: string, instead: readonly string[], end = '', link: 'or' | 'and' = 'or'): ProfileAnswer {
  const message = `${why} ${listed(instead, link, instead.length)}${end}`;
  return { ok: false, why: { kind: 'unknown-profile', message, instead } };
}

/** `a, b or c`; of a long list the first three and how many more. */
function listed(names: readonly string[], link: 'or' | 'and', most = 3): string {
  if (names.length > most + 1) return `${names.slice(0, most).join(', ')} and ${names.length - most} more`;
  const [last = '', ...before] = [...names].reverse();
  return before.length === 0 ? last : `${before.reverse().join(', ')} ${link} ${last}`;
}
