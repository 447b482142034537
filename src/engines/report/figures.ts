/** Numbers of a report as people read them. */
import { formatMiB, formatUsd } from '#core/units';

const notKnown = 'not known';

/** Whole dollars from ten on: nobody reads the cents of a month. */
export function usdText(usd: number | null): string {
  if (usd === null) return notKnown;
  return Math.abs(usd) < 10 && usd !== 0 ? formatUsd(usd) : formatUsd(Math.round(usd)).replace(/\.00$/, '');
}

/** `$3,285 -> $821`, or only one of the two where they are the same. */
export function usdChangeText(usd: { readonly now: number | null; readonly after: number | null }): string {
  if (usd.now === null && usd.after === null) return notKnown;
  const [now, after] = [usdText(usd.now), usdText(usd.after)];
  return now === after ? now : `${now} -> ${after}`;
}

export function memoryText(memoryMiB: number | null): string {
  return memoryMiB === null ? notKnown : formatMiB(memoryMiB);
}

/** `-72.5 GiB`, `+12 GiB`. */
export function signedMiB(memoryMiB: number): string {
  return `${memoryMiB < 0 ? '-' : '+'}${formatMiB(Math.abs(memoryMiB))}`;
}

/** `0.123` is `12%`; what is not nothing never reads as nothing. */
export function percentText(share: number): string {
  const percent = share * 100;
  return percent > 0 && percent < 1 ? '<1%' : `${Math.round(percent)}%`;
}

/** `12345` is `12,345`. */
export function countText(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** `1 GPU`, `2 GPUs`. */
export function counted(count: number, thing: string): string {
  return `${countText(count)} ${thing}${count === 1 ? '' : 's'}`;
}
