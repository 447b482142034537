/** Quotas and dedicated slices as the command line says them. */
import { MicaError } from '#core/errors';
import type { Quota } from '#core/run/quota';
import type { LeasableSlice } from '#core/run/slice';
import { placeOf } from '#core/run/tenant-rights';
import { parseMemoryMiB } from '#core/units';
import type { Refused } from '#engines/tenancy/ports';
import { numberBetween, timeSpanMs, wholeNumber } from '../../arguments.js';
import { shortNameOf } from '../run/slice-names.js';

export interface QuotaFlags {
  readonly slices?: string;
  readonly memory?: string;
  readonly share?: string;
}

/** Only what is said; `none` takes a limit away. */
export function quotaFrom({ slices, memory, share }: QuotaFlags): Partial<Quota> {
  return {
    ...limit('slices', slices, (text) => wholeNumber('--slices', text, 0, 100_000)),
    ...limit('memoryMiB', memory, memoryOf),
    ...limit('share', share, shareOf),
  };
}

function limit<Key extends keyof Quota>(
  key: Key,
  text: string | undefined,
  parse: (text: string) => number,
): { readonly [K in Key]?: number | null } {
  if (text === undefined) return {};
  return { [key]: text === 'none' ? null : parse(text) } as { readonly [K in Key]?: number | null };
}

function memoryOf(text: string): number {
  const amount = parseMemoryMiB(text);
  if (amount.ok) return amount.memoryMiB;
  throw new MicaError('bad-usage', `--memory: ${amount.why.message}`);
}

function shareOf(text: string): number {
  const share = numberBetween('--share', text, 0, 1);
  if (share > 0) return share;
  throw new MicaError('bad-usage', '--share must be more than 0', {
    next: 'Give --slices 0 to a tenant that may hold nothing.',
  });
}

const longestLifeMs = 3650 * 86_400_000;

/** `null`: the token does not expire. */
export function lifeFrom(expires: string | undefined): number | null {
  if (expires === undefined || expires === 'never') return null;
  const ms = timeSpanMs('--expires', expires, longestLifeMs);
  if (ms > 0) return ms;
  throw new MicaError('bad-usage', 'a token that lives for no time lets nobody in');
}

/** `0/1g.24gb:3` is a slice on GPU 0, `0` all of GPU 0, however it is cut; places as they are stored will do too. */
export function placesNamed(
  names: readonly string[],
  slices: readonly LeasableSlice[],
  stored: readonly string[] = [],
): readonly string[] {
  return names
    .flatMap((name) => name.split(','))
    .map((name) => {
      const gpu = slices.find(({ gpuIndex, gpuUuid }) => name === `${gpuIndex}` || name === gpuUuid);
      if (gpu !== undefined) return gpu.gpuUuid;
      const found = slices.find((slice) => name === shortNameOf(slice) || name === placeOf(slice));
      if (found !== undefined) return placeOf(found);
      if (stored.includes(name)) return name;
      const there = slices.map(shortNameOf).join(' ') || 'none';
      throw new MicaError('bad-usage', `this machine has no slice ${name}; it has ${there}`, {
        next: 'Name a slice as `mica ps` does, or a GPU by its index.',
      });
    });
}

/** A refusal with the names of slices in place of their places. */
export function inNames(refused: Refused, slices: readonly LeasableSlice[]): Refused {
  const { kind, message } = refused.why;
  const words = message.replaceAll(/GPU-[^\s()]+/g, placeNames(slices));
  return { ok: false, why: { kind, message: words } };
}

/** Places by the names that people use, where the machine still has them. */
export function placeNames(slices: readonly LeasableSlice[]): (place: string) => string {
  const names = new Map([
    ...slices.map(({ gpuUuid, gpuIndex }) => [gpuUuid, `${gpuIndex}`] as const),
    ...slices.map((slice) => [placeOf(slice), shortNameOf(slice)] as const),
  ]);
  return (place) => names.get(place) ?? place;
}
