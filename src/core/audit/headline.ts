/** What the audit comes to, in one sentence for whoever pays. */
import { modelByKey } from '#core/catalogue/catalogue';
import type { MigModel, Profile } from '#core/catalogue/model';
import { usableMemory, withHeadroom } from '#core/sizing/memory';
import { formatMiB } from '#core/units';
import type { Assessment } from './assess.js';
import type { Savings } from './count-cards.js';
import type { AuditSetting } from './options.js';
import { strategies } from './strategies.js';
import { counted, dollars, grouped, percent } from './words.js';

export function headlineOf(
  assessments: readonly Assessment[],
  savings: Savings,
  usual: string | null,
  isEstimate: boolean,
  setting: AuditSetting,
): string {
  if (savings.gpus.now === 0) return 'No workload and no GPU was seen, so there is nothing to save.';
  return `${[averageUse(assessments), mostFit(assessments, usual, setting)].filter((part) => part !== '').join('; ')}: ${moneyOf(savings, isEstimate)}.`;
}

/** Over all samples of all pods, as one would ask `avg(FB_USED)`. */
function averageUse(assessments: readonly Assessment[]): string {
  let [sum, samples] = [0, 0];
  for (const { meanMiB, judged } of assessments) {
    if (meanMiB === null) continue;
    sum += meanMiB * judged.samples;
    samples += judged.samples;
  }
  if (samples === 0) return 'How much memory is in use is not known';
  return `A ${whatRuns(assessments)} uses ${formatMiB(sum / samples)} of GPU memory on average`;
}

/** The smallest slice that holds more than half of the replicas; of the card that most are recommended. */
function mostFit(assessments: readonly Assessment[], usual: string | null, setting: AuditSetting): string {
  const card = usual === null ? undefined : modelByKey(usual);
  const known = assessments.filter(({ need }) => need?.memoryMiB !== undefined);
  const all = assessments.reduce((sum, { judged }) => sum + judged.replicas, 0);
  if (card?.kind !== 'mig') return '';
  for (const profile of bySize(card)) {
    const { memoryMiB } = usableMemory(profile);
    const fit = known
      .filter(({ judged }) => asked(judged.memoryMiB, setting) <= (memoryMiB ?? -1))
      .reduce((sum, { judged }) => sum + judged.replicas, 0);
    if (fit > all / 2) {
      const who = `${grouped(fit)} of ${counted(all, whatRuns(assessments))}`;
      return `${who} ${fit === 1 ? 'fits' : 'fit'} into a ${profile.name} of ${formatMiB(memoryMiB ?? 0)}`;
    }
  }
  return '';
}

function asked(memoryMiB: Assessment['judged']['memoryMiB'], { strategy, sizing }: AuditSetting): number {
  return memoryMiB === null ? Infinity : withHeadroom(strategies[strategy](memoryMiB), sizing.headroom);
}

function bySize({ profiles }: MigModel): readonly Profile[] {
  return profiles
    .filter(({ attribute }) => attribute === null)
    .sort((a, b) => (usableMemory(a).memoryMiB ?? Infinity) - (usableMemory(b).memoryMiB ?? Infinity));
}

function moneyOf({ gpus, usdPerMonth: usd }: Savings, isEstimate: boolean): string {
  const move = `in slices ${counted(gpus.now, 'GPU')} become ${grouped(gpus.after)}`;
  const prices = isEstimate ? ' at estimated prices' : '';
  if (usd !== null && usd.saved >= 1) {
    return (
      `${move}, which saves ${dollars(usd.saved)} of ${dollars(usd.now)} a month${prices} ` +
      `(${percent(usd.saved / usd.now)}), so work that costs up to ${dollars(usd.saved)} pays for itself within a month`
    );
  }
  if (usd !== null && usd.saved <= -1)
    return `${move}, which costs ${dollars(-usd.saved)} a month more${prices}`;
  if (usd === null && gpus.after !== gpus.now) return `${move}; no price is known, so neither is the saving`;
  if (gpus.freed > 0) return `${move}, which saves no money at these prices`;
  return `slices would free none of ${counted(gpus.now, 'GPU')}, so moving saves nothing`;
}

/** Workloads of a cluster are pods; a CSV does not say what they are. */
function whatRuns(assessments: readonly Assessment[]): string {
  return assessments.some(({ judged }) => judged.namespace !== undefined) ? 'pod' : 'replica';
}
