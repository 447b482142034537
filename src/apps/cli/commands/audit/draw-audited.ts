/** The GPUs of an audit, now and after: equal cards on one line, the most frequent first. */
import type { AuditAnswer, DrawnGpu as AuditedGpu } from '#core/audit/answer';
import { modelByKey } from '#core/catalogue/catalogue';
import { cardOf, layoutKey, namedKey, together, type Card } from '#engines/report/cards';
import { cardName } from '#engines/report/device';
import { counted } from '#engines/report/figures';
import { fullName } from '#engines/report/sentences';
import { drawGpus, type DrawnGpu } from '../../draw/gpu.js';
import { printable, type Screen } from '../../terminal/screen.js';

/** Of one side: more than this, and cards are drawn by their layout, whoever has them. */
const mostLines = 12;

export function drawAudited(screen: Screen, answer: AuditAnswer, all: boolean): string {
  const { before, after, workloads } = answer;
  // A box has room for a name, seldom for its namespace.
  const names = new Map(workloads.map((workload) => [fullName(workload), workload.workload]));
  const sides = (
    [
      ['GPUs now', before],
      ['GPUs after', after],
    ] as const
  ).filter(([, gpus]) => gpus.length > 0);
  return sides
    .map(([title, gpus]) => `${screen.style.bold(title)}\n${side(screen, gpus, names, all)}`)
    .join('\n\n');
}

type Names = ReadonlyMap<string, string>;

function side(screen: Screen, gpus: readonly AuditedGpu[], names: Names, all: boolean): string {
  const named = together(gpus.map(cardOf), namedKey);
  const cards = all || named.length <= mostLines ? named : together(named, layoutKey);
  const shown = cards.slice(0, all ? cards.length : mostLines);
  const left = cards.slice(shown.length);
  const sum = left.reduce((total, { count }) => total + count, 0);
  const lines = drawGpus(
    shown.map((card) => drawn(card, names)),
    screen.columns,
  );
  if (sum === 0) return lines;
  return `${lines}\nand ${counted(sum, 'GPU')} in ${counted(left.length, 'other layout')}; --verbose draws all`;
}

/** Who has a slice is said where it is one workload on all the cards of the line. */
function drawn({ count, model, cut }: Card, names: Names): DrawnGpu {
  const base = { label: `${count} x`, title: printable(cardName(model)) };
  const known = model === null ? undefined : modelByKey(model);
  if (cut.kind === 'whole' || known?.kind !== 'mig' || cut.gridUnits !== known.gridUnits) {
    const users = cut.kind === 'whole' ? cut.workloads : cut.slices.flatMap(({ workloads }) => workloads);
    return { ...base, card: { kind: 'whole', user: userOf(users, names) ?? 'free' } };
  }
  const slices = cut.slices.map(({ profile, start, sizeUnits, workloads }) => ({
    placement: { profile, start, size: sizeUnits },
    user: userOf(workloads, names),
  }));
  return { ...base, card: { kind: 'sliced', model: known, slices } };
}

/** `bert`, or how many they are. */
function userOf(workloads: readonly string[], names: Names): string | null {
  const [first, ...others] = workloads;
  if (first === undefined) return null;
  return others.length === 0
    ? printable((names.get(first) ?? first).replace(/\s+/g, ' '))
    : `${workloads.length} workloads`;
}
