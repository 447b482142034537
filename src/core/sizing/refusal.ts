/** Why a profile does not serve a need: first the kind, cheap enough for planning; then the sentence, for people. */
import { unreachable } from '#core/errors';
import type { Engines, MigModel, Profile } from '#core/catalogue/model';
import { formatMiB } from '#core/units';
import { computeRoom, wholeReplicas } from './compute.js';
import { usableMemory } from './memory.js';
import type { Wants } from './wants.js';

export type MediaRefusal = 'no-media' | 'media-unknown';
export type SizeRefusal = 'memory' | 'memory-unknown' | 'compute' | 'compute-unknown';
export type RefusalKind = 'whole-gpu-only' | 'attribute' | 'no-graphics' | MediaRefusal | SizeRefusal;

/** The first wish that the profile fails; `null`: it serves the need. */
export function refusalOf(wants: Wants, profile: Profile, model: MigModel): RefusalKind | null {
  if (wants.wholeOnly !== null) return 'whole-gpu-only';
  const wrongInKind = attributeRefusal(wants, profile) ?? mediaRefusal(wants, profile.engines);
  if (wrongInKind !== null) return wrongInKind;
  const { memoryMiB } = usableMemory(profile, wants.assumeFromName);
  return sizeRefusal(wants, memoryMiB, computeRoom(wants.compute, profile, model));
}

/** True for refusals that a larger profile, or the whole card, may overcome. */
export function isAboutSize(kind: RefusalKind): kind is SizeRefusal {
  return kind.startsWith('memory') || kind.startsWith('compute');
}

export function explainRefusal(kind: RefusalKind, wants: Wants, profile: Profile, model: MigModel): string {
  switch (kind) {
    case 'whole-gpu-only':
      return wholeOnlyReason(wants);
    case 'attribute':
      return attributeReasons[profile.attribute ?? 'none'];
    case 'no-graphics':
      return 'graphics run only in +gfx slices';
    case 'no-media':
      return 'owns no decoder, encoder or JPEG engine';
    case 'media-unknown':
      return 'its media engines are not published';
    case 'memory':
      return tooSmall(usableMemory(profile, wants.assumeFromName).memoryMiB ?? 0, wants.memoryMiB ?? 0);
    case 'memory-unknown':
      return 'its usable memory is not published';
    case 'compute':
      return tooSlow(wants, profile, model);
    case 'compute-unknown':
      return wants.compute.kind === 'unknown' ? wants.compute.message : 'its SMs are not published';
    default:
      return unreachable(kind);
  }
}

/** Any one decoder, encoder or JPEG engine will do: a need does not say which of them it uses. */
export function mediaRefusal(wants: Wants, { decoders, encoders, jpeg }: Engines): MediaRefusal | null {
  if (!wants.media) return null;
  const counts = [decoders, encoders, jpeg];
  if (counts.some((count) => count !== null && count > 0)) return null;
  return counts.includes(null) ? 'media-unknown' : 'no-media';
}

/** Whether so much memory, and room for so many replicas by compute, hold one replica; `null` figures are unknown. */
export function sizeRefusal(wants: Wants, memoryMiB: number | null, room: number | null): SizeRefusal | null {
  if (wants.memoryMiB !== null) {
    if (memoryMiB === null) return 'memory-unknown';
    if (memoryMiB < wants.memoryMiB) return 'memory';
  }
  if (room === null) return 'compute-unknown';
  return wholeReplicas(room) < 1 ? 'compute' : null;
}

export function wholeOnlyReason(wants: Wants): string {
  return wants.wholeOnly === 'p2p'
    ? 'GPU-to-GPU copies (P2P, NCCL) do not work between MIG instances'
    : `a replica spans ${wants.gpus} GPUs, and MIG instances cannot copy to one another (no P2P)`;
}

/** `gives 23.1 GiB, 24.2 GiB needed`; in MiB where the rounded figures would look alike. */
export function tooSmall(givenMiB: number, neededMiB: number): string {
  const [given, needed] = [formatMiB(givenMiB), formatMiB(neededMiB)];
  return given === needed
    ? `gives ${givenMiB} MiB, ${neededMiB} MiB needed`
    : `gives ${given}, ${needed} needed`;
}

const attributeReasons = {
  '+me': 'takes a media engine that is not asked for',
  '+me.all': "takes all of the card's media engines, which are not asked for",
  '+gfx': 'is for graphics, which is not asked for',
  '-me': 'gives its media engines up, and is taken only when asked for',
  none: 'has no attribute',
} as const;

function attributeRefusal(wants: Wants, profile: Profile): RefusalKind | null {
  if (wants.graphics) return profile.attribute === '+gfx' ? null : 'no-graphics';
  switch (profile.attribute) {
    case null:
      return null;
    case '+gfx':
      return 'attribute';
    case '+me':
    case '+me.all':
      return wants.media ? null : 'attribute';
    case '-me':
      if (wants.media) return 'no-media';
      return wants.withoutMediaEngines ? null : 'attribute';
    default:
      return unreachable(profile.attribute);
  }
}

function tooSlow(wants: Wants, profile: Profile, model: MigModel): string {
  const { compute } = wants;
  if (compute.kind === 'sms') {
    const converted = `${compute.sms.toFixed(1).replace('.0', '')} SMs needed (converted by SM count)`;
    if (profile.sms !== null) return `has ${profile.sms} SMs, ${converted}`;
    return `has ${profile.computeSlices} of ${model.computeSlices} compute slices, ${converted}`;
  }
  const share = compute.kind === 'share' ? compute.share : 0;
  const needed = Math.ceil(share * model.computeSlices - 1e-9);
  return `has ${profile.computeSlices} of ${model.computeSlices} compute slices, ${needed} needed`;
}
