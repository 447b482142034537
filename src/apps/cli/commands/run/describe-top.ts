/** `mica top` for people: the GPUs drawn with who has what, a line per slice, then who waits. */
import { basename } from 'node:path';
import { formatMiB } from '#core/units';
import { drawGpus, type DrawnGpu } from '../../draw/gpu.js';
import { onOneLine, type Screen } from '../../terminal/screen.js';
import { tableOf } from '../../terminal/table.js';
import { processesIn, type SeenGpu } from '../node/see-gpus.js';
import { drawnGpu } from '../node/show.js';
import { inWords, waitLines, type Shown } from './ps.js';
import type { TopSlice } from './top-rows.js';

export interface TopView {
  /** Empty: a server has the GPUs, and shows slices only. */
  readonly seen: readonly SeenGpu[];
  readonly rows: readonly TopSlice[];
  readonly view: Pick<Shown, 'queue' | 'quarantine'>;
}

const barColumns = 10;
/** What a process or a command says of itself may be long. */
const whoColumns = 48;

export function describeTop(screen: Screen, { seen, rows, view }: TopView): string {
  if (rows.length === 0 && seen.length === 0) return 'there is no slice here that could be leased';
  const heads = ['SLICE', 'MEMORY', 'LEASE', 'HOLDER', 'FOR', 'WHAT'];
  const columns = heads.map((head) => ({ head }));
  const waits = waitLines(view);
  const remarks = seen.flatMap((gpu) => {
    const outside = gpu.info.mig?.current === true ? processesIn(gpu, null) : [];
    return [...outside.map((one) => `${inProcess(one)} outside all slices`), ...gpu.troubles].map((text) =>
      onOneLine(`GPU ${gpu.info.index}: ${text}`),
    );
  });
  return [
    ...(seen.length === 0
      ? []
      : [
          drawGpus(
            seen.map((gpu) => drawnWith(gpu, rows)),
            screen.columns,
          ),
        ]),
    ...(rows.length === 0
      ? []
      : [
          tableOf(
            screen,
            columns,
            rows.flatMap((row) => linesOf(screen, row)),
          ),
        ]),
    ...(waits.length === 0 ? [] : [waits.join('\n')]),
    ...remarks,
  ].join('\n\n');
}

/** The drawing of `mica node show`, with whoever has a slice in it. */
function drawnWith(gpu: SeenGpu, rows: readonly TopSlice[]): DrawnGpu {
  const drawn = drawnGpu(gpu);
  const here = rows.filter((row) => row.gpu === gpu.info.index);
  const { card } = drawn;
  if (card.kind === 'whole') {
    const [whole] = here;
    const user = whole === undefined ? null : userOf(whole);
    return whole === undefined || user === null ? drawn : { ...drawn, card: { kind: 'whole', user } };
  }
  const slices = card.slices.map((slice) => {
    const { profile, start } = slice.placement;
    const row = here.find((one) => one.profile === profile && one.start === start);
    return row === undefined ? slice : { ...slice, user: userOf(row) };
  });
  return { ...drawn, card: { ...card, slices } };
}

function userOf({ state, lease, processes }: TopSlice): string | null {
  switch (state) {
    case 'leased':
      return onOneLine(basename(lease?.command[0] ?? 'leased'));
    case 'quarantine':
      return 'quarantine';
    case 'taken':
      return onOneLine(processes[0]?.name ?? `pid ${processes[0]?.pid ?? '?'}`);
    case 'unusable':
      return 'unusable';
    case 'free':
      return null;
  }
}

/** The slice, then a line for each process in it. */
function linesOf(screen: Screen, row: TopSlice): readonly (readonly string[])[] {
  return [
    cellsOf(screen, row),
    ...row.processes.map((one) => ['', '', '', '', '', `  ${short(inProcess(one))}`]),
  ];
}

function cellsOf({ style }: Screen, row: TopSlice): readonly string[] {
  const { slice, state, lease } = row;
  const cells = [slice, memoryOf(row)];
  if (lease === null) {
    const words = state === 'taken' ? 'in use without a lease' : state;
    return [...cells, '', '', '', state === 'free' ? style.dim(words) : style.yellow(words)];
  }
  const holder = lease.state === 'held' ? `pid ${lease.pid}` : `pid ${lease.pid}, gone`;
  return [...cells, lease.id, holder, inWords(lease.heldMs), short(onOneLine(lease.command.join(' ')))];
}

function inProcess({ pid, name, usedMiB }: TopSlice['processes'][number]): string {
  const memory = usedMiB === null ? '' : `, ${formatMiB(usedMiB)}`;
  return onOneLine(`${name ?? 'a process'} (pid ${pid}${memory})`);
}

/** `█████····· 11.8 GiB of 23.6 GiB`. */
function memoryOf({ usedMiB, totalMiB }: TopSlice): string {
  if (totalMiB === null) return usedMiB === null ? '' : formatMiB(usedMiB);
  if (usedMiB === null) return `${'·'.repeat(barColumns)} of ${formatMiB(totalMiB)}`;
  const part = Math.min(1, Math.max(0, usedMiB / totalMiB));
  // What is in use at all shows.
  const full = usedMiB === 0 ? 0 : Math.max(1, Math.round(part * barColumns));
  return `${'█'.repeat(full)}${'·'.repeat(barColumns - full)} ${formatMiB(usedMiB)} of ${formatMiB(totalMiB)}`;
}

function short(text: string): string {
  return text.length <= whoColumns ? text : `${text.slice(0, whoColumns - 1)}…`;
}
