/** What became of a change, for people: a line or two per GPU, with the reason and the next command where it failed. */
import { asArgument, type Layout } from '#core/geometry/placement';
import { actionInWords, type GpuAction } from '#core/plan/gpu-actions';
import type { ChangeAnswer, GpuOutcome, Outcome } from '#engines/change/answer';
import type { AnswerExit } from '../../command.js';
import { printable, type Style } from '../../terminal/screen.js';
import { processInWords } from './see-gpus.js';

export function exitOf(outcome: Outcome): AnswerExit {
  if (outcome === 'done' || outcome === 'unchanged') return 0;
  return outcome === 'refused' ? 1 : 3;
}

export function describeChange(
  { bold, green, red }: Pick<Style, 'bold' | 'green' | 'red'>,
  { outcome, change, gpus }: ChangeAnswer,
  dryRun: boolean,
): string {
  const good = exitOf(outcome) === 0;
  const rehearsed = outcome === 'done' ? 'dry run: this would be done' : `dry run: ${outcome}`;
  const head = (good ? green : red)(dryRun ? rehearsed : outcome);
  const name = change === null ? '' : `  (change ${change})`;
  return [
    `${bold(head)}${name}`,
    ...gpus.flatMap((gpu) => linesOf(gpu, dryRun && gpu.outcome === 'done', gpus.length > 1)),
  ].join('\n');
}

function linesOf(gpu: GpuOutcome, rehearsed: boolean, several: boolean): readonly string[] {
  const label = gpu.index === null ? 'GPU' : `gpu-${gpu.index}`;
  const what = rehearsed
    ? (gpu.steps ?? []).filter(isWorthALine).map(actionInWords)
    : [...listed('destroyed', gpu.destroyed), ...listed('created', gpu.created)];
  const state = several || what.length === 0 ? [rehearsed ? 'would change' : gpu.outcome] : [];
  const parts = [...state, ...listed('kept', gpu.kept), ...what];
  const more = [
    ...(gpu.drains ?? []).map((holder) => `in use now by ${processInWords(holder)}`),
    ...(gpu.why === undefined ? [] : [`why: ${gpu.why.message}`]),
    ...(gpu.why?.kind === 'foreign' ? [`what to do: ${allowing(gpu, gpu.why.instances)}`] : []),
    ...(gpu.left === undefined ? [] : [`it holds: ${stateInWords(gpu.left)}`]),
    ...(gpu.next === undefined ? [] : [`what to do: ${gpu.next}`]),
  ];
  return [`  ${label}  ${parts.join('; ')}`, ...more.map((line) => `    ${printable(line)}`)];
}

function allowing({ index }: GpuOutcome, instances: Layout): string {
  const names = instances.map((placement) => `${index ?? 'GPU'}/${asArgument(placement)}`);
  return `allow it with --may-destroy ${names.join(',')}, or keep what is there in the layout`;
}

/** The compute instance goes with its GPU instance, which has a line already. */
function isWorthALine(action: GpuAction): boolean {
  if (action.kind === 'destroy-compute') return false;
  return action.kind !== 'create-compute' || action.instanceId !== null;
}

function listed(what: string, placements: Layout): readonly string[] {
  return placements.length === 0 ? [] : [`${what} ${placements.map(asArgument).join(', ')}`];
}

export function stateInWords(state: GpuOutcome['left']): string {
  if (state === null || state === undefined) return 'unknown, it does not answer';
  if (!state.mig) return 'MIG off';
  return state.placements.length === 0 ? 'no slices' : state.placements.map(asArgument).join(', ');
}
