/** What became of nodes, for people: a line per node, with whom it moved, the reason and the next step. */
import type { NodeOutcome, NodeOutcomeKind, NodesAnswer } from '#engines/cluster/answer';
import type { AnswerExit } from '../../command.js';
import { printable, type Style } from '../../terminal/screen.js';

export function exitOf(outcome: NodeOutcomeKind): AnswerExit {
  if (outcome === 'done' || outcome === 'unchanged') return 0;
  return outcome === 'refused' ? 1 : 3;
}

export function describeNodes(
  { bold, green, red }: Pick<Style, 'bold' | 'green' | 'red'>,
  { outcome, nodes }: NodesAnswer,
  dryRun: boolean,
): string {
  const rehearsed = outcome === 'done' ? 'dry run: this would be done' : `dry run: ${outcome}`;
  const head = (exitOf(outcome) === 0 ? green : red)(dryRun ? rehearsed : outcome);
  return [bold(head), ...nodes.flatMap((node) => linesOf(node, dryRun))].join('\n');
}

function linesOf(
  { node, outcome, config, gpus = [], evicted = [], notes = [], why }: NodeOutcome,
  dryRun: boolean,
): readonly string[] {
  const would = dryRun && outcome === 'done';
  const cut = gpus.length === 0 ? '' : `, GPU ${gpus.join(', ')}`;
  const state = would ? 'would change' : outcome;
  return [
    `${printable(node)}  ${state}${config === undefined ? '' : `  ${config}${cut}`}`,
    ...evicted.map((pod) => `  ${would ? 'would evict' : 'evicted'} ${printable(pod)}`),
    ...notes.map((note) => `  note: ${printable(note)}`),
    ...(why === undefined ? [] : [`  why: ${printable(why.message)}`]),
    ...(why?.next === undefined ? [] : [`  next: ${printable(why.next)}`]),
  ];
}
