/** What stands on the command line, as values: models, profiles and numbers. What is malformed ends the command. */
import { findModel } from '#core/catalogue/find-model';
import type { GpuModel, MigModel } from '#core/catalogue/model';
import { MicaError } from '#core/errors';
import type { Ask } from '#core/geometry/check';

/** The model of `--gpu`, else the first argument; and the arguments that are left. */
export function modelAndRest(
  gpu: string | undefined,
  first: string | undefined,
  others: readonly string[] = [],
): { readonly model: string; readonly rest: readonly string[] } {
  if (gpu !== undefined) return { model: gpu, rest: first === undefined ? others : [first, ...others] };
  if (first === undefined || /^\d+[gc]\./.test(first)) {
    const found = first === undefined ? '' : ` (${first} is a profile)`;
    throw new MicaError(
      'bad-usage',
      `no GPU model is named${found}: give it first, as in h100, or with --gpu`,
    );
  }
  return { model: first, rest: others };
}

export function modelNamed(name: string): GpuModel {
  const found = findModel(name);
  if (found.ok) return found.model;
  const [candidate] = found.why.candidates;
  const next =
    candidate === undefined
      ? {}
      : { next: `Name one model, e.g. ${candidate}; \`mica catalogue\` lists them.` };
  // An ambiguous model is one that Mica cannot know, too.
  throw new MicaError('unknown-model', found.why.message, next);
}

/** A model whose slices can be placed. */
export function migModelNamed(name: string): MigModel {
  const model = modelNamed(name);
  if (model.kind === 'mig') return model;
  const why = model.kind === 'no-mig' ? 'has no MIG' : 'has MIG, but its placements were never published';
  throw new MicaError('no-mig', `${model.key} ${why}`);
}

/** `3g.40gb`, `3g.40gb:4`, or several with commas between them, as nvidia-smi takes them. */
export function asksOf(texts: readonly string[]): readonly Ask[] {
  return texts
    .flatMap((text) => text.split(','))
    .map((text) => {
      const [, profile, start] = /^([^:=\s]+)(?::(\d{1,2}))?$/.exec(text.trim()) ?? [];
      if (profile === undefined) {
        throw new MicaError('bad-usage', `'${text}' is not PROFILE or PROFILE:START, e.g. 3g.40gb:4`);
      }
      return { profile, ...(start === undefined ? {} : { start: Number(start) }) };
    });
}

export function wholeNumber(option: string, text: string, from: number, to: number): number {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : NaN;
  if (value >= from && value <= to) return value;
  throw new MicaError('bad-usage', `${option} must be a whole number from ${from} to ${to}, got '${text}'`);
}

export function numberBetween(option: string, text: string, from: number, to: number): number {
  const value = /^\d{1,9}(\.\d{1,9})?$/.test(text) ? Number(text) : NaN;
  if (value >= from && value <= to) return value;
  throw new MicaError('bad-usage', `${option} must be a number from ${from} to ${to}, got '${text}'`);
}

const msPer = { '': 1000, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;

/** `30s`, `5m`, `1h`, `7d`, `2w`, or seconds. */
export function timeSpanMs(option: string, text: string, longestMs: number): number {
  const [, digits = '', unit = ''] = /^(\d{1,6})([smhdw]?)$/.exec(text) ?? [];
  const ms = Number(digits) * msPer[unit as keyof typeof msPer];
  if (digits !== '' && ms <= longestMs) return ms;
  const [longest, word] = longestMs > 7 * msPer.d ? [longestMs / msPer.d, 'd'] : [longestMs / msPer.h, 'h'];
  throw new MicaError(
    'bad-usage',
    `${option} takes a time up to ${longest}${word}, as in 30s or 5m; got '${text}'`,
  );
}

/** A day: longer waits have been forgotten. */
export const longestTimeMs = 86_400_000;
