/** What a policy says of itself, on the wire and as a value: conditions keep the time when they last turned. */
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import type { ConditionType, PolicyStatus } from '#core/cluster/policy/mig-policy';
import { msOf } from './object-fields.js';

const ours: readonly ConditionType[] = ['Ready', 'Satisfied', 'Progressing', 'Degraded'];

const conditionShape = z.looseObject({
  type: z.string(),
  status: z.enum(['True', 'False', 'Unknown']),
  reason: z.string(),
  message: z.string(),
  lastTransitionTime: z.string().nullish(),
});

const statusShape = z.object({
  observedGeneration: z.number(),
  nodes: z.number(),
  waitingPods: z.number(),
  stuckNodes: z.number(),
  conditions: z.array(conditionShape),
  recommendation: z
    .object({
      summary: z.string(),
      nodes: z.array(z.object({ node: z.string(), before: z.string(), after: z.string() })),
      movedPods: z.number(),
      unplaced: z.array(z.object({ workload: z.string(), count: z.number(), why: z.string() })),
    })
    .nullish(),
  lastChange: z
    .object({ node: z.string(), outcome: z.string(), message: z.string(), time: z.string() })
    .nullish(),
});

/** `null`: it says nothing yet, or nothing that we wrote. */
export function statusIn(raw: unknown): PolicyStatus | null {
  const { data } = statusShape.safeParse(raw);
  if (data === undefined) return null;
  const { recommendation, lastChange, conditions, ...counts } = data;
  return {
    ...counts,
    conditions: conditions.flatMap(({ type, status, reason, message }) =>
      isOurs(type) ? [{ type, status, reason, message }] : [],
    ),
    recommendation: recommendation ?? null,
    lastChange:
      lastChange === null || lastChange === undefined
        ? null
        : {
            node: lastChange.node,
            outcome: lastChange.outcome,
            message: lastChange.message,
            atMs: msOf(lastChange.time),
          },
  };
}

/** The CRD takes no more, and an object has to stay small. */
export const mostListed = 200;
export const longestText = 1024;

/** A merge patch that makes `raw` say `status`; `null` where it says it already. Conditions of others stay. */
export function statusPatch(status: PolicyStatus, raw: unknown, nowMs: number): object | null {
  const { conditions, recommendation, lastChange, ...counts } = status;
  const before = conditionsIn(raw);
  const patch = {
    ...counts,
    conditions: [
      ...conditions.map(({ type, status: says, reason, message }) => {
        const last = before.find((one) => one.type === type);
        const turned = last?.status === says ? (last.lastTransitionTime ?? '') : '';
        return {
          type,
          status: says,
          reason,
          message: short(message),
          lastTransitionTime: turned === '' ? inSeconds(nowMs) : turned,
          observedGeneration: status.observedGeneration,
        };
      }),
      ...before.filter(({ type }) => !isOurs(type)),
    ],
    recommendation:
      recommendation === null
        ? null
        : {
            summary: short(recommendation.summary),
            nodes: recommendation.nodes
              .slice(0, mostListed)
              .map(({ node, before: from, after }) => ({ node, before: short(from), after: short(after) })),
            movedPods: recommendation.movedPods,
            unplaced: recommendation.unplaced
              .slice(0, mostListed)
              .map(({ workload, count, why }) => ({ workload: short(workload), count, why: short(why) })),
          },
    lastChange:
      lastChange === null
        ? null
        : {
            node: lastChange.node,
            outcome: short(lastChange.outcome, 64),
            message: short(lastChange.message),
            time: timeOf(lastChange.atMs),
          },
  };
  return isChange(patch, raw) ? patch : null;
}

function isOurs(type: string): type is ConditionType {
  return (ours as readonly string[]).includes(type);
}

/** Those that can be read; others had no time worth keeping. */
function conditionsIn(raw: unknown): readonly z.infer<typeof conditionShape>[] {
  const { data } = z.object({ conditions: z.array(z.unknown()) }).safeParse(raw);
  return (data?.conditions ?? []).flatMap((one) => conditionShape.safeParse(one).data ?? []);
}

/** What stands on a node can be any number, and not each is a time. */
function timeOf(ms: number): string {
  const time = new Date(ms);
  return (Number.isNaN(time.getTime()) ? new Date(0) : time).toISOString();
}

/** As `metav1.Time` has it. */
function inSeconds(ms: number): string {
  return timeOf(ms).replace(/\.\d+Z$/, 'Z');
}

/** Never half of a pair: the server would store another character, and the next look a difference. */
function short(text: string, most = longestText): string {
  if (text.length <= most) return text;
  return `${text.slice(0, most - 1).replace(/[\uD800-\uDBFF]$/, '')}…`;
}

/** Whether a merge patch would do anything. */
function isChange(patch: object, current: unknown): boolean {
  return Object.entries(patch).some(([key, value]: [string, unknown]) => {
    const there = (current as Record<string, unknown> | null | undefined)?.[key];
    if (value === null) return there !== undefined && there !== null;
    if (typeof value === 'object' && !Array.isArray(value)) return isChange(value, there);
    return !isDeepStrictEqual(value, there);
  });
}
