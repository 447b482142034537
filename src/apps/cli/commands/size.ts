/** `mica size`: the profiles that serve one replica, smallest first, and why the others do not. */
import { migModels } from '#core/catalogue/catalogue';
import type { GpuModel } from '#core/catalogue/model';
import { defaultPrices } from '#core/cost/default-prices';
import { MicaError } from '#core/errors';
import type { ComputeWish, Need } from '#core/plan/documents';
import { sharingLoses } from '#core/sizing/sharing';
import { sizeNeed, type CardAnswer, type SizeAnswer } from '#core/sizing/size-need';
import { formatMiB, formatUsd, parseMemoryMiB } from '#core/units';
import { modelNamed, numberBetween, wholeNumber } from '../arguments.js';
import type { AnswerExit, Context } from '../command.js';
import { sizingFrom, type SizingFlags } from '../settings.js';
import { printJson } from '../terminal/json.js';
import type { Screen } from '../terminal/screen.js';
import { tableOf, type Column } from '../terminal/table.js';

export interface SizeOptions extends SizingFlags {
  readonly count?: string;
  readonly memory?: string;
  readonly compute?: string;
  readonly gpu?: string;
  readonly gpus?: string;
  readonly p2p?: boolean;
  readonly media?: boolean;
  readonly graphics?: boolean;
  readonly shared?: boolean;
  readonly json?: boolean;
}

/** Exit 1: no card that was looked at serves. */
export async function sizeCommand(
  { screen, host, json }: Context,
  _positional: readonly never[],
  options: SizeOptions,
): Promise<AnswerExit> {
  const need = needFrom(options);
  const cards: readonly GpuModel[] = options.gpu === undefined ? migModels() : [modelNamed(options.gpu)];
  const answer = sizeNeed(need, cards, await sizingFrom(options, host.env), defaultPrices);
  if (json) printJson(screen, answer);
  else screen.print(describe(screen, answer));
  return answer.recommended === null ? 1 : 0;
}

function needFrom(options: SizeOptions): Need {
  const {
    count = '1',
    memory,
    compute,
    gpus = '1',
    p2p = false,
    media = false,
    graphics = false,
    shared = false,
  } = options;
  if (memory === undefined && compute === undefined && gpus === '1' && !p2p) {
    throw new MicaError('bad-usage', 'say how much a replica needs: --memory 20GiB, --compute 0.2, or both');
  }
  return {
    name: 'workload',
    count: wholeNumber('--count', count, 1, 1_000_000),
    ...(memory === undefined ? {} : { memoryMiB: memoryFrom(memory) }),
    ...(compute === undefined ? {} : { compute: computeFrom(compute) }),
    gpus: wholeNumber('--gpus', gpus, 1, 16),
    p2p,
    media,
    graphics,
    isolation: shared ? 'shared' : 'hardware',
    priority: 0,
    movable: true,
  };
}

function memoryFrom(text: string): number {
  const quantity = parseMemoryMiB(text);
  if (quantity.ok) return quantity.memoryMiB;
  throw new MicaError('bad-usage', `--memory: ${quantity.why.message}`);
}

/** `0.2`, or `0.2:h100` for a share of a card that it was measured on. */
function computeFrom(text: string): ComputeWish {
  const [share = '', ...of] = text.split(':');
  const wish = { share: numberBetween('--compute', share, 0.001, 16) };
  return of.length === 0 ? wish : { ...wish, of: modelNamed(of.join(':')).key };
}

function describe(screen: Screen, answer: SizeAnswer): string {
  const { answers } = answer;
  const [only] = answers.length === 1 ? answers : [];
  const sections =
    only === undefined
      ? [recommendation(screen, answer), byCard(screen, answers)]
      : [verdictOn(screen, only), byProfile(screen, only)];
  return [asked(answer), ...sections].filter((section) => section !== '').join('\n\n');
}

function recommendation({ style }: Screen, { recommended }: SizeAnswer): string {
  if (recommended === null) return `${style.red('no')}: none of these cards serves`;
  const { choice, why } = recommended;
  return `${style.bold(`${choice.profile ?? 'whole GPU'} on ${choice.model}`)}: ${why}`;
}

function verdictOn({ style }: Screen, { model, choice, verdict }: CardAnswer): string {
  if (choice === null) return `${style.red('no')}: ${verdict.why}`;
  const { profile, cost, replicasPerSlice } = choice;
  const isSmallest = verdict.kind !== 'slice' || verdict.profile === profile;
  const why = isSmallest
    ? verdict.why
    : `the cheapest a replica, where ${replicasPerSlice} share it: ${sharingLoses}`;
  const price =
    cost === null
      ? `no price is known for ${model}`
      : `a replica costs ${formatUsd(cost.usdPerHour)}/h, its part of ${formatUsd(cost.usdPerGpuHour)}/h for a card ` +
        `(${cost.machine.machineType}${cost.machine.estimate ? ', an estimate' : ''})`;
  return `${style.bold(`${profile ?? 'whole GPU'} on ${model}`)}: ${why}\n${price}`;
}

function asked({ memoryMiB, memoryWithHeadroomMiB, headroom }: SizeAnswer): string {
  if (memoryMiB === null || memoryWithHeadroomMiB === null) return '';
  const percent = Math.round(headroom * 1000) / 10;
  return `${formatMiB(memoryMiB)} and ${percent}% headroom: ${formatMiB(memoryWithHeadroomMiB)} a replica`;
}

const cardColumns: readonly Column[] = [
  { head: 'model' },
  { head: 'take' },
  { head: 'usable', align: 'right' },
  { head: 'replica', align: 'right' },
  { head: 'why' },
];

/** One line a card: what to take there, and what a replica costs. */
function byCard(screen: Screen, answers: readonly CardAnswer[]): string {
  return tableOf(
    screen,
    cardColumns,
    answers.map(({ model, choice, verdict }) => [
      model,
      choice === null ? '-' : (choice.profile ?? 'whole'),
      choice?.memoryMiB == null ? '' : formatMiB(choice.memoryMiB),
      choice?.cost == null ? '' : `${formatUsd(choice.cost.usdPerHour)}/h`,
      verdict.kind === 'slice' ? '' : verdict.why,
    ]),
  );
}

const profileColumns: readonly Column[] = [
  { head: 'profile' },
  { head: 'usable', align: 'right' },
  { head: 'to spare', align: 'right' },
  { head: 'replicas', align: 'right' },
  { head: '' },
];

/** One card in full: every profile with its answer. */
function byProfile(screen: Screen, { fits, rejected, verdict }: CardAnswer): string {
  const rows = [
    ...fits.map(({ profile, memory, spareMiB, replicasPerSlice }) => [
      profile.name,
      memory.memoryMiB === null ? '?' : formatMiB(memory.memoryMiB),
      spareMiB === null ? '' : formatMiB(spareMiB),
      String(replicasPerSlice),
      verdict.kind === 'slice' && verdict.profile === profile.name ? 'the smallest that serves' : 'serves',
    ]),
    ...rejected.map(({ profile, why }) => [profile, '', '', '', `no: ${why.message}`]),
  ];
  // One reason for all of them is the verdict itself.
  const reasons = new Set(rejected.map(({ why }) => why.message));
  if (fits.length === 0 && reasons.size <= 1) return '';
  return tableOf(screen, profileColumns, rows);
}
