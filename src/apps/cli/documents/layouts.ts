/** Layout documents -> what is asked of each GPU. */
import type { Ask } from '#core/geometry/check';
import type { Checked } from './check-shape.js';
import type { Problem } from './problem.js';
import { problemAt } from './references.js';
import type { DocumentOf } from './read-documents.js';

/** The placements of one GPU as they were written; a profile without `start` may stand anywhere. */
export interface GpuLayout {
  readonly node: string;
  readonly index: number;
  readonly asks: readonly Ask[];
}

export function layoutsOf(documents: readonly DocumentOf<'Layout'>[]): Checked<readonly GpuLayout[]> {
  const seen = new Set<string>();
  const problems: Problem[] = [];
  const layouts = documents.flatMap((document) =>
    document.spec.gpus.map(({ node, index, placements }, position): GpuLayout => {
      const gpu = `GPU ${index} of ${node}`;
      if (seen.has(gpu))
        problems.push(problemAt(document, ['spec', 'gpus', position], `${gpu} is stated twice`));
      seen.add(gpu);
      return {
        node,
        index,
        asks: placements.map(({ profile, start }) => ({
          profile,
          ...(start === undefined ? {} : { start }),
        })),
      };
    }),
  );
  return problems.length > 0 ? { ok: false, problems } : { ok: true, value: layouts };
}
