/** How bad it is, as krr grades: by the part of a card that is wasted, or because memory is about to run out. */
import { wholeMemory, usableMemory } from '#core/sizing/memory';
import { cardShareOf } from '#core/sizing/card-share';
import type { Need } from '#core/plan/documents';
import type { Severity, Verdict } from './answer.js';
import { smallestOn, type Choice } from './choose.js';
import { cardOf, gridShareOf, sliceOf } from './device.js';
import type { AuditSetting } from './options.js';
import { needOn, type Measured } from './workload-need.js';

/** From the worst to the best; the first that is reached counts. */
const grades = [
  { wasted: 0.75, severity: 'critical' },
  { wasted: 0.5, severity: 'warning' },
  { wasted: 0.25, severity: 'ok' },
  { wasted: 0, severity: 'good' },
] as const;

const almostFull = 0.9;

export function severityOf(
  verdict: Verdict,
  measured: Measured,
  need: Need | null,
  choice: Choice | null,
  setting: AuditSetting,
): Severity {
  if (verdict === 'unknown') return 'unknown';
  if (isAboutToRunOut(measured)) return 'critical';
  const wasted = wastedShare(verdict, measured, need, choice, setting);
  if (wasted === null) return 'unknown';
  return grades.find((grade) => wasted >= grade.wasted - 1e-9)?.severity ?? 'good';
}

/** A slice that is nearly full: whole cards are filled on purpose by servers that take all there is. */
function isAboutToRunOut({ memoryMiB, current }: Measured): boolean {
  const slice = sliceOf(current);
  const usableMiB = slice === undefined ? null : usableMemory(slice.profile).memoryMiB;
  return memoryMiB !== null && usableMiB !== null && memoryMiB.max > almostFull * usableMiB;
}

/** Part of the card that it has and does not need, on the card that it is on; `null`: not known. */
function wastedShare(
  verdict: Verdict,
  measured: Measured,
  need: Need | null,
  choice: Choice | null,
  setting: AuditSetting,
): number | null {
  const has = gridShareOf(measured.current);
  if (has === null || verdict === 'no-gpu') return has;
  const card = cardOf(measured.current);
  if (need === null) return 0;
  if (card === undefined) {
    return choice === null ? 0 : has - choice.profile.sizeUnits / choice.card.gridUnits;
  }
  if (card.kind === 'mig') {
    const profile = smallestOn(needOn(card, need, measured, setting), card, setting.sizing);
    return profile === null ? 0 : has - profile.sizeUnits / card.gridUnits;
  }
  // A card that cannot be cut is wasted as far as nothing on it is used.
  const used = wholeMemory(card).memoryMiB === null ? null : cardShareOf(need, card, setting.sizing);
  return used === null ? 0 : has - Math.min(1, Math.max(used.memory, used.compute));
}
