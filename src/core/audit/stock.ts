/** The cards that there are now: those that were seen, or, where the source knows none, one for each replica. */
import type { FleetNode } from '#core/plan/documents';
import type { Observation } from '../observe/observation.js';
import type { Assessment } from './assess.js';
import { assumedCards } from './assumed-cards.js';
import type { AuditSetting } from './options.js';
import { ownedNodes, someNodes } from './owned.js';

export interface Stock {
  /** Cards by model; `null`: of models that are not known. */
  readonly cards: ReadonlyMap<string | null, number>;
  /** What unknown cards call themselves. */
  readonly unknownNames: readonly string[];
  /** Those of known models, as machines. */
  readonly nodes: readonly FleetNode[];
  /** No card was seen: each replica is taken to have one. */
  readonly assumed: boolean;
}

export function stockOf(
  { gpus }: Observation,
  assessments: readonly Assessment[],
  setting: AuditSetting,
): Stock {
  if (gpus.length === 0) return assumedStock(assessments, setting);
  const cards = new Map<string | null, number>();
  for (const { model } of gpus) cards.set(model, (cards.get(model) ?? 0) + 1);
  const unknown = gpus.filter(({ model }) => model === null);
  return {
    cards,
    unknownNames: [
      ...new Set(unknown.map(({ productName }) => productName ?? 'a model that is not known')),
    ].sort(),
    nodes: ownedNodes(gpus),
    assumed: false,
  };
}

/** The card that a replica is on, or is taken to be on. */
export function cardNow({ judged, choice }: Assessment, usual: string | null): string | null {
  return judged.current.model ?? choice?.card.key ?? usual;
}

/** The card that most replicas are recommended; `null`: none is. */
export function usualCard(assessments: readonly Assessment[], { target }: AuditSetting): string | null {
  if (target !== null) return target.key;
  const replicas = new Map<string, number>();
  for (const { choice, judged } of assessments) {
    const key = choice?.card.key;
    if (key !== undefined) replicas.set(key, (replicas.get(key) ?? 0) + judged.replicas);
  }
  const [first] = [...replicas].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1));
  return first?.[0] ?? null;
}

function assumedStock(assessments: readonly Assessment[], setting: AuditSetting): Stock {
  const usual = usualCard(assessments, setting);
  const cards = new Map<string | null, number>();
  for (const { model } of assumedCards(assessments, (one) => cardNow(one, usual)))
    cards.set(model, (cards.get(model) ?? 0) + 1);
  return {
    cards,
    unknownNames: cards.has(null) ? ['a model that is not known'] : [],
    nodes: [...cards].flatMap(([model, gpus]) => (model === null ? [] : someNodes(model, gpus))),
    assumed: true,
  };
}
