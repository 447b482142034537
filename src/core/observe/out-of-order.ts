/** Whether rows that must be seen together came apart, so that sharing or double counting may have been missed. */
import type { Series } from './series.js';

/** Some card has late rows, and several holders of one device, or figures of the whole and of its slices. */
export function isSharedOutOfOrder(all: readonly Series[]): boolean {
  if (!all.some(({ isLate }) => isLate)) return false;
  const cards = new Map<string, Series[]>();
  for (const series of all) {
    const { host, gpuUuid, gpuIndex } = series.device;
    if (gpuUuid === null && gpuIndex === null) continue;
    const card = JSON.stringify([host, gpuUuid ?? gpuIndex]);
    const known = cards.get(card);
    if (known === undefined) cards.set(card, [series]);
    else known.push(series);
  }
  return [...cards.values()].some(
    (card) => card.some(({ isLate }) => isLate) && (isHeldByMany(card) || isWholeAndCut(card)),
  );
}

function isHeldByMany(card: readonly Series[]): boolean {
  const held = card.filter(({ holder }) => holder.kind !== 'nobody').map(({ deviceKey }) => deviceKey);
  return new Set(held).size < held.length;
}

function isWholeAndCut(card: readonly Series[]): boolean {
  return new Set(card.map(({ device }) => device.slice === null)).size === 2;
}
