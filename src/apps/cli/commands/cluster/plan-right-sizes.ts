/** Which slices an audit recommends, of those workloads that it is sure of. */
import { z } from 'zod';
import { nameOf, readText } from '#adapters/files/read-text';
import type { RightSize } from '#core/cluster/planning/pod-classes';
import { MicaError } from '#core/errors';

const answer = z.object({
  schema: z.literal('mica/audit@1'),
  workloads: z.array(
    z.object({
      workload: z.string(),
      namespace: z.string().optional(),
      owner: z.object({ kind: z.string(), name: z.string() }).optional(),
      recommended: z.object({ model: z.string(), profile: z.string() }).nullable(),
      verdict: z.string(),
      confidence: z.string(),
    }),
  ),
});

const longestBytes = 64 * 2 ** 20;

export interface RightSizes {
  readonly sizes: readonly RightSize[];
  /** Workloads that a slice is recommended for, on little evidence. */
  readonly unsure: number;
}

export async function rightSizesIn(path: string): Promise<RightSizes> {
  const checked = answer.safeParse(jsonIn(await readText(path, longestBytes)));
  if (!checked.success)
    throw new MicaError('bad-document', `${nameOf(path)} is not the answer of \`mica audit --json\``);
  const slices = checked.data.workloads.filter(({ verdict }) => verdict === 'slice');
  const sure = slices.filter(({ confidence }) => confidence !== 'low');
  const sizes = sure.flatMap(({ workload, namespace, owner, recommended }): readonly RightSize[] => {
    if (recommended === null) return [];
    const { model, profile } = recommended;
    const name = owner?.name ?? workload;
    return [{ namespace: namespace ?? null, kind: owner?.kind ?? null, name, model, profile }];
  });
  return { sizes, unsure: slices.length - sure.length };
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
