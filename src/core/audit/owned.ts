/** The GPUs that were seen, as machines of a Fleet document. */
import type { FleetNode } from '#core/plan/documents';
import type { ObservedGpu } from '../observe/observation.js';
import { DocumentNames } from './document-names.js';

/** A document takes no more GPUs a machine. */
const mostGpusPerNode = 16;

/** Where nobody says which machine a GPU is in: as many as most machines have. */
const gpusPerUnknownNode = 8;

/** GPUs of models that are not known cannot be named and are left out. */
export function ownedNodes(gpus: readonly ObservedGpu[]): readonly FleetNode[] {
  const counts = new Map<string, { host: string | null; model: string; gpus: number }>();
  for (const { host, model } of gpus) {
    if (model === null) continue;
    const key = JSON.stringify([host ?? '', model]);
    const known = counts.get(key) ?? { host, model, gpus: 0 };
    counts.set(key, { ...known, gpus: known.gpus + 1 });
  }
  const names = new DocumentNames();
  return [...counts]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([, { host, model, gpus: all }]) =>
      nodesNamed(host ?? `some-${model}`, model, all, host !== null, names),
    );
}

/** So many cards of a model, in machines of the usual size. */
export function someNodes(model: string, gpus: number): readonly FleetNode[] {
  return nodesNamed(`some-${model}`, model, gpus, false, new DocumentNames());
}

function nodesNamed(
  name: string,
  model: string,
  gpus: number,
  isKnown: boolean,
  names: DocumentNames,
): readonly FleetNode[] {
  const each = isKnown ? mostGpusPerNode : gpusPerUnknownNode;
  return Array.from({ length: Math.ceil(gpus / each) }, (_, index) => ({
    name: names.take(name),
    model,
    gpus: Math.min(each, gpus - index * each),
  }));
}
