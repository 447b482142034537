/** What the demo plans: a production trace on two kinds of cards, whole and without its whole-card pods. */
import { fileURLToPath } from 'node:url';
import type { Need } from '#core/plan/documents';

export interface Scenario {
  readonly title: string;
  readonly cards: string;
  /** For `-f`: the same files give the same plan with `mica plan`. */
  readonly files: readonly string[];
  /** Which needs of the files take part. */
  readonly takes: (need: Need) => boolean;
}

/** Files that ship with Mica; this file is four folders deep, in the sources as in the build. */
function bundled(path: string): string {
  return fileURLToPath(new URL(`../../../../data/${path}`, import.meta.url));
}

const trace = 'openb/openb_pod_list_default.csv';

const fleets = [
  { cards: 'RTX PRO 6000', fleet: 'demo/fleet-rtx-pro-6000.yaml' },
  { cards: 'H100 80GB', fleet: 'demo/fleet-h100.yaml' },
] as const;

const selections = [
  { title: 'all GPU pods', takes: (): boolean => true },
  { title: 'pods below one GPU', takes: isBelowOneGpu },
] as const;

export const scenarios: readonly Scenario[] = selections.flatMap(({ title, takes }) =>
  fleets.map(({ cards, fleet }) => ({ title, cards, takes, files: [bundled(fleet), bundled(trace)] })),
);

/** The team whose plan is drawn and emitted. */
export const inferenceFile = bundled('demo/inference.yaml');
export const rentedFleetFile = bundled('demo/fleet-rtx-pro-6000.yaml');

export function isBelowOneGpu({ gpus, compute }: Need): boolean {
  return gpus === 1 && compute !== undefined && compute.share < 1;
}
