/** What workloads were seen to use: the JSON answer of `mica audit`. */
import { z } from 'zod';
import { readText } from '#adapters/files/read-text';
import type { AuditedNeed } from '#core/lint/rule';
import { MicaError } from '#core/errors';

const answer = z.object({
  workloads: z.array(
    z.object({
      workload: z.string(),
      namespace: z.string().optional(),
      owner: z.object({ kind: z.string(), name: z.string() }).partial().optional(),
      memoryMiB: z.object({ max: z.number() }).nullable(),
      recommended: z.object({ profile: z.string() }).nullable(),
      verdict: z.string(),
    }),
  ),
});

const largestBytes = 64 * 2 ** 20;

/** Workloads of which too little is known say nothing. */
export async function auditedNeeds(path: string): Promise<readonly AuditedNeed[]> {
  const text = await readText(path, largestBytes);
  const checked = answer.safeParse(jsonIn(text));
  if (!checked.success) {
    throw new MicaError('bad-document', `${path} is not the answer of \`mica audit --json\``);
  }
  return checked.data.workloads.flatMap(({ workload, namespace, owner, memoryMiB, recommended, verdict }) =>
    memoryMiB === null || verdict === 'unknown'
      ? []
      : [
          {
            workload: owner?.name ?? workload,
            namespace: namespace ?? null,
            kind: owner?.kind ?? null,
            memoryMiB: memoryMiB.max,
            profile: recommended?.profile ?? null,
          },
        ],
  );
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
