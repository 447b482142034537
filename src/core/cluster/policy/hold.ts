/** Why a node is not cut for the time being, though its policy has it: so that nothing flaps, and nobody is surprised. */
import type { ClusterNode } from '../objects.js';
import { lastChangeOf } from './last-change.js';
import type { MigPolicySpec } from './mig-policy.js';
import { utcText, type WindowsNow } from './windows.js';

export interface Hold {
  readonly kind: 'cooling' | 'refused' | 'window';
  readonly untilMs: number;
  readonly why: string;
}

/** What went wrong is not tried again at once, whatever the policy says. */
const shortestRestMs = 5 * 60_000;

/** `null`: it may be cut now. */
export function holdOn(
  node: ClusterNode,
  { cooldownMs }: MigPolicySpec,
  windows: WindowsNow,
  refusal: Hold | undefined,
  nowMs: number,
): Hold | null {
  const cooling = coolingOf(node, cooldownMs, nowMs);
  // The later one, and of two alike the one that says more.
  if (refusal !== undefined && refusal.untilMs > nowMs && refusal.untilMs >= (cooling?.untilMs ?? 0))
    return refusal;
  if (cooling !== null) return cooling;
  if (windows.isOpen) return null;
  const opens = windows.untilMs === Infinity ? '' : ` (the next opens ${utcText(windows.untilMs)})`;
  return { kind: 'window', untilMs: windows.untilMs, why: `no maintenance window is open${opens}` };
}

function coolingOf(node: ClusterNode, cooldownMs: number, nowMs: number): Hold | null {
  const last = lastChangeOf(node);
  if (last === null) return null;
  const restMs = last.outcome === 'done' ? cooldownMs : Math.max(cooldownMs, shortestRestMs);
  // Whoever wrote it may have had another clock: it is never longer ago than that.
  const untilMs = Math.min(last.endedMs, nowMs) + restMs;
  if (nowMs >= untilMs) return null;
  const how = last.outcome === 'done' ? 'it was cut' : `its last change ended with ${last.outcome}`;
  return { kind: 'cooling', untilMs, why: `${how} not long ago: not before ${utcText(untilMs)}` };
}
