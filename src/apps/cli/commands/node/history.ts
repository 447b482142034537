/** `mica node history`: the changes of this machine that Mica made, newest first. */
import { historyOf, type HistoryEntry, type SentSignal } from '#engines/change/history';
import type { AnswerExit, Context } from '../../command.js';
import { printJson } from '../../terminal/json.js';
import { printable } from '../../terminal/screen.js';
import { stateInWords } from './describe-change.js';
import { withNode, type DriverFlags } from './open-node.js';

export async function historyCommand(
  { screen, host, json }: Context,
  _positional: readonly never[],
  flags: DriverFlags,
): Promise<AnswerExit> {
  const entries = await withNode(host, flags, historyOf);
  const changes = [...entries].reverse();
  if (json) printJson(screen, { changes });
  else if (changes.length === 0) screen.print('nothing was changed by Mica on this machine yet');
  else screen.print(changes.map((entry) => describeEntry(entry, screen.style.bold)).join('\n'));
  return 0;
}

function describeEntry(
  { change, atMs, cause, outcome, gpus, signals }: HistoryEntry,
  bold: (text: string) => string,
): string {
  const when = new Date(atMs).toISOString().replace(/\.\d+/, '');
  const head = `${bold(change)}  ${when}  ${cause}  ${outcome ?? 'interrupted: run `mica node restore`'}`;
  const lines = gpus.map(({ index, before, wanted, after, outcome: end, why }) => {
    const ended = end === null || end === 'done' || end === 'unchanged' ? '' : `; ${end}`;
    const holds = after === null || ended === '' ? '' : `, it held ${stateInWords(after)} after that`;
    const because = why === undefined ? '' : `: ${printable(why.message)}`;
    return `  gpu-${index}  ${stateInWords(before)} -> ${stateInWords(wanted)}${ended}${because}${holds}`;
  });
  return [head, ...lines, ...signals.map(describeSignal)].join('\n');
}

function describeSignal({ signal, pid, name, reached }: SentSignal): string {
  const ended = { true: '', false: ': it was gone, or may not be signalled', null: ': perhaps' };
  return `  ${signal} to ${printable(name ?? 'a process')} (pid ${pid})${ended[`${reached}`]}`;
}
