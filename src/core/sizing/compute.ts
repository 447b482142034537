/** How much compute one replica asks of one card, and how often a slice or a whole card can serve that. */
import type { GpuModel, MigModel, Profile } from '#core/catalogue/model';
import type { ComputeWish } from '#core/plan/documents';

export type ComputeDemand =
  | { readonly kind: 'none' }
  /** A share of the candidate card. `estimate`: it was converted from another card by a speed ratio. */
  | { readonly kind: 'share'; readonly share: number; readonly estimate: boolean }
  /** Converted from another card by SM counts. Always an estimate: clocks and memory differ. */
  | { readonly kind: 'sms'; readonly sms: number }
  | { readonly kind: 'unknown'; readonly message: string };

/** Speed of a whole card by catalogue key, in any unit: only ratios count. */
export type Speeds = Readonly<Record<string, number>>;

/**
 * The wish, as a demand on this card. A share of the same card, or of no card in particular, is taken as it is. A
 * share of another card is converted by the user's speed ratio, else by SM counts if both cards have the same SMs;
 * between chips of different design no sourced ratio exists, so the answer is that nobody knows.
 */
export function computeDemand(
  wish: ComputeWish | undefined,
  card: GpuModel,
  measuredOn: GpuModel | undefined,
  speeds: Speeds = {},
): ComputeDemand {
  if (wish === undefined) return { kind: 'none' };
  if (wish.of === undefined || wish.of === card.key)
    return { kind: 'share', share: wish.share, estimate: false };
  const [from, to] = [speeds[wish.of], speeds[card.key]];
  if (from !== undefined && to !== undefined)
    return { kind: 'share', share: (wish.share * from) / to, estimate: true };
  const advice = `state the speeds of ${wish.of} and ${card.key}, or measure on ${card.key}`;
  if (measuredOn === undefined)
    return { kind: 'unknown', message: `no card '${wish.of}' is known; ${advice}` };
  if (smDesign(measuredOn) !== smDesign(card)) {
    return {
      kind: 'unknown',
      message: `a share of ${wish.of} does not convert to another chip design; ${advice}`,
    };
  }
  if (measuredOn.sms === null)
    return { kind: 'unknown', message: `the SMs of ${wish.of} are not published; ${advice}` };
  return { kind: 'sms', sms: wish.share * measuredOn.sms };
}

/** How many such replicas the profile's compute serves, as a fraction; `null`: not known. Below 1: none. */
export function computeRoom(demand: ComputeDemand, profile: Profile, model: MigModel): number | null {
  const slices = profile.computeSlices / model.computeSlices;
  switch (demand.kind) {
    case 'none':
      return Infinity;
    case 'share':
      return slices / demand.share;
    case 'sms': {
      const sms = profile.sms ?? (model.sms === null ? null : model.sms * slices);
      return sms === null ? null : sms / demand.sms;
    }
    case 'unknown':
      return null;
  }
}

/** The same for the whole card, MIG off, where a replica may be spread over several. */
export function wholeComputeRoom(demand: ComputeDemand, card: GpuModel): number | null {
  switch (demand.kind) {
    case 'none':
      return Infinity;
    case 'share':
      return 1 / demand.share;
    case 'sms':
      return card.sms === null ? null : card.sms / demand.sms;
    case 'unknown':
      return null;
  }
}

/** Whether the demand rests on a conversion between cards. */
export function isEstimate(demand: ComputeDemand): boolean {
  return demand.kind === 'sms' || (demand.kind === 'share' && demand.estimate);
}

/** Replicas that the room holds, unspoilt by rounding: a card holds three of a third each. */
export function wholeReplicas(room: number): number {
  return Math.floor(room + 1e-9);
}

/**
 * Cards whose SMs may be counted against each other. One architecture name covers two designs: the data-centre chips
 * that are cut by MIG in the first place (A100, B200), and the graphics chips (A10, RTX PRO), whose SMs differ.
 */
function smDesign(card: GpuModel): string {
  const isGraphicsChip = card.kind === 'no-mig' || card.name.includes('RTX');
  return `${card.architecture}, ${isGraphicsChip ? 'graphics' : 'data centre'}`;
}
