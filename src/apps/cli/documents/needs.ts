/** Needs documents -> needs, with amounts in MiB and cards by their catalogue key. */
import { findModel } from '#core/catalogue/find-model';
import type { ComputeWish, Need } from '#core/plan/documents';
import { parseMemoryMiB } from '#core/units';
import type { Checked } from './check-shape.js';
import type { Problem } from './problem.js';
import { duplicates, problemAt } from './references.js';
import type { DocumentOf } from './read-documents.js';

type NeedsDocument = DocumentOf<'Needs'>;
type NeedSpec = NeedsDocument['spec']['needs'][number];

export function needsOf(documents: readonly NeedsDocument[]): Checked<readonly Need[]> {
  const problems: Problem[] = [
    ...duplicates(documents, ({ needs }) => ({
      key: 'needs',
      names: needs.map(({ name }) => name),
      what: 'name',
    })),
  ];
  const needs = documents.flatMap((document) =>
    document.spec.needs.map((spec, index) =>
      needOf(spec, (path, message) =>
        problems.push(problemAt(document, ['spec', 'needs', index, ...path], message)),
      ),
    ),
  );
  return problems.length > 0 ? { ok: false, problems } : { ok: true, value: needs };
}

type Complain = (path: readonly PropertyKey[], message: string) => void;

function needOf(spec: NeedSpec, complain: Complain): Need {
  const { memory, memoryMiB: statedMiB, compute: wish, tenant, ...rest } = spec;
  const memoryMiB = memoryOf(statedMiB, memory, complain);
  const compute = wish === undefined ? undefined : computeOf(wish, spec.gpus, complain);
  if (memory === undefined && statedMiB === undefined && wish === undefined && spec.gpus === 1 && !spec.p2p) {
    complain(
      [],
      'says neither how much memory nor how much compute a replica needs; state memory, e.g. 9GiB',
    );
  }
  return {
    ...rest,
    ...(memoryMiB === undefined ? {} : { memoryMiB }),
    ...(compute === undefined ? {} : { compute }),
    ...(tenant === undefined ? {} : { tenant }),
  };
}

function memoryOf(
  memoryMiB: number | undefined,
  memory: string | undefined,
  complain: Complain,
): number | undefined {
  if (memory === undefined) return memoryMiB;
  if (memoryMiB !== undefined) complain(['memory'], 'is stated beside memoryMiB; keep one of them');
  const quantity = parseMemoryMiB(memory);
  if (quantity.ok) return quantity.memoryMiB;
  complain(['memory'], quantity.why.message);
  return undefined;
}

function computeOf(
  { share, of }: NonNullable<NeedSpec['compute']>,
  gpus: number,
  complain: Complain,
): ComputeWish | undefined {
  if (of === undefined) {
    if (share > gpus)
      complain(['compute', 'share'], `must be at most the number of GPUs, ${gpus}; got ${share}`);
    return { share };
  }
  const card = findModel(of);
  if (card.ok) return { share, of: card.model.key };
  complain(['compute', 'of'], card.why.message);
  return undefined;
}
