/** In which order workloads are shown: what saves most first, together with their namespace. */
import type { AuditAnswer, AuditedWorkload, Severity } from '#core/audit/answer';

/** Dollars a month; 0 where a price or what comes after is not known. */
export function savedUsd({ usdPerMonth: { now, after } }: AuditedWorkload): number {
  return now === null || after === null ? 0 : now - after;
}

export interface MonthlyUsd {
  readonly now: number;
  readonly after: number;
}

/** Of the totals, what no workload has: idle cards and what of a card stays uncut or free. */
export const restName = 'free or uncut';

/**
 * So that the rows add up to the totals. `null`: there is none, a price is not known, or the rows are no parts of the
 * totals, since not all of them ran at one time.
 */
export function restOf({ totals: { usdPerMonth: total }, workloads }: AuditAnswer): MonthlyUsd | null {
  if (total === null || workloads.some(({ usdPerMonth: usd }) => usd.now === null || usd.after === null))
    return null;
  const left = (side: 'now' | 'after'): number =>
    Math.round(100 * (total[side] - workloads.reduce((sum, one) => sum + (one.usdPerMonth[side] ?? 0), 0))) /
    100;
  const [now, after] = [left('now'), left('after')];
  // Each row is rounded to cents.
  const isNothing = Math.abs(now) < 1 && Math.abs(after) < 1;
  return isNothing || now <= -1 || after <= -1 ? null : { now: Math.max(0, now), after: Math.max(0, after) };
}

export function bySaving(workloads: readonly AuditedWorkload[]): readonly AuditedWorkload[] {
  return [...workloads].sort(compare);
}

export interface NamespaceGroup {
  /** Empty: in no namespace. */
  readonly namespace: string;
  readonly savedUsd: number;
  readonly workloads: readonly AuditedWorkload[];
}

/** The namespace that saves most first; in it, workloads of one owner stand together. */
export function byNamespace(workloads: readonly AuditedWorkload[]): readonly NamespaceGroup[] {
  return groupsOf(workloads, ({ namespace }) => namespace ?? '')
    .map(([namespace, members]) => ({
      namespace,
      savedUsd: members.reduce((sum, workload) => sum + savedUsd(workload), 0),
      workloads: groupsOf(bySaving(members), ownerOf).flatMap(([, ofOwner]) => ofOwner),
    }))
    .sort((a, b) => b.savedUsd - a.savedUsd || byName(a.namespace, b.namespace));
}

/** `Deployment`; with a question mark where it is a guess from the name of the pod. */
export function ownerKind({ owner }: AuditedWorkload): string {
  return owner === undefined ? '' : `${owner.kind}${owner.via === 'name' ? '?' : ''}`;
}

/** What a reader should not take without the reason: anything but a slice of which we are sure. */
export function isPlain({ verdict, confidence, rarePeak, growthMiBPerDay }: AuditedWorkload): boolean {
  return verdict === 'slice' && confidence !== 'low' && rarePeak === null && growthMiBPerDay === null;
}

function groupsOf(
  workloads: readonly AuditedWorkload[],
  keyOf: (workload: AuditedWorkload) => string,
): readonly (readonly [string, readonly AuditedWorkload[]])[] {
  const groups = new Map<string, AuditedWorkload[]>();
  for (const workload of workloads) {
    const group = groups.get(keyOf(workload));
    if (group === undefined) groups.set(keyOf(workload), [workload]);
    else group.push(workload);
  }
  return [...groups];
}

function ownerOf({ owner, workload }: AuditedWorkload): string {
  return owner === undefined ? workload : `${owner.kind}/${owner.name}`;
}

const severities: readonly Severity[] = ['critical', 'warning', 'unknown', 'ok', 'good'];

function compare(a: AuditedWorkload, b: AuditedWorkload): number {
  return (
    savedUsd(b) - savedUsd(a) ||
    severities.indexOf(a.severity) - severities.indexOf(b.severity) ||
    byName(a.namespace ?? '', b.namespace ?? '') ||
    byName(a.workload, b.workload)
  );
}

/** The same on every machine, whatever its language. */
function byName(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
