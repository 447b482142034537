/** Cards as bars whose slices are to scale: full colour is the peak of memory in use, pale is held and not used. */
import type { AuditAnswer, AuditedWorkload, DrawnGpu, Verdict } from '#core/audit/answer';
import { cardName, deviceMiB } from '../device.js';
import { cardOf, layoutKey, namedKey, together, type Card } from '../cards.js';
import { counted, percentText } from '../figures.js';
import { fullName } from '../sentences.js';
import { html, type Markup } from './markup.js';

/** More rows than this are drawn by layout, whoever has them; the rest is counted. */
const mostRows = 28;

export function gpusDrawn(answer: AuditAnswer, gpus: readonly DrawnGpu[]): Markup {
  const named = together(gpus.map(cardOf), namedKey);
  const isNamed = named.length <= mostRows;
  const rows = isNamed ? named : together(named, layoutKey);
  const workloads = byName(answer.workloads);
  const shown = rows.slice(0, mostRows);
  const models = modelsOf(answer).filter((model) => shown.some((card) => card.model === model));
  const left = rows.slice(mostRows);
  return html`${models.map((model) => {
    const cards = shown.filter((card) => card.model === model);
    const title = html`${cardName(model)} <span class="quiet">${counted(sum(cards), 'GPU')}</span>`;
    return html`<h4>${title}</h4>
      <ul class="cards">
        ${cards.map((card) => html`<li><span class="count">${card.count}&nbsp;×</span>${draw(card, workloads, isNamed)}</li>`)}
      </ul>`;
  })}
  ${left.length === 0 ? null : html`<p class="quiet">and ${counted(sum(left), 'GPU')} in ${counted(left.length, 'other layout')}</p>`}`;
}

/** The same order on both sides: what there is most of now first. */
function modelsOf({ before, after, totals }: AuditAnswer): readonly (string | null)[] {
  const counted = [...totals.byModel.now].sort((a, b) => b.gpus - a.gpus);
  return [...new Set([...counted, ...before, ...after].map(({ model }) => model))];
}

type ByName = ReadonlyMap<string, AuditedWorkload | null>;

/** By either name; `null` where several workloads go by it. */
function byName(workloads: readonly AuditedWorkload[]): ByName {
  const found = new Map<string, AuditedWorkload | null>();
  for (const workload of workloads) {
    for (const name of new Set([workload.workload, fullName(workload)]))
      found.set(name, found.has(name) ? null : workload);
  }
  return found;
}

interface Box {
  readonly x: number;
  readonly width: number;
  readonly profile: string | null;
  /** The profile, or what it is instead of a slice. */
  readonly what: string;
  readonly names: readonly string[];
}

const heightPx = 42;

/** `isNamed`: the names of a box share it; else each has a card like this one. */
function draw({ model, cut }: Card, workloads: ByName, isNamed: boolean): Markup {
  const boxes = boxesOf(cut);
  const shares = boxes.map((box) => usedShare(box, model, workloads, isNamed));
  const said = boxes.map((box, index) => describe(box, shares[index] ?? null));
  return html`<svg
    class="gpu"
    width="100%"
    height="${heightPx}"
    role="img"
    aria-label="${cardName(model)}: ${said.join('; ')}"
  >
    ${boxes.map((box, index) => {
      const used = shares[index] ?? null;
      const [first = 'free', ...others] = box.names;
      const name = others.length === 0 ? first : `${first} and ${others.length} more`;
      const hue = box.names.length === 0 ? 'free' : `v-${verdictOf(box, workloads)}`;
      return html`<svg
        class="${hue}${box.width < 24 ? ' narrow' : ''}"
        x="${percent(box.x)}"
        width="${percent(box.width)}"
        height="${heightPx}"
      >
        <title>${said[index] ?? ''}</title>
        <rect class="held" width="100%" height="${heightPx}" rx="6" />
        ${
          used === null || box.names.length === 0
            ? null
            : html`<rect class="used" width="${percent(100 * used)}" height="${heightPx}" rx="6" />`
        }
        <rect class="edge" width="100%" height="${heightPx}" rx="6" />
        <text x="10" y="18">${name}</text>
        <text class="profile" x="10" y="33">${box.what}</text>
      </svg>`;
    })}
  </svg>`;
}

function boxesOf(cut: Card['cut']): readonly Box[] {
  if (cut.kind === 'whole') {
    return [{ x: 0, width: 100, profile: null, what: 'whole card', names: cut.workloads }];
  }
  const unit = 100 / cut.gridUnits;
  const box = (start: number, end: number, profile: string | null, names: readonly string[]): Box => {
    return { x: start * unit, width: (end - start) * unit, profile, what: profile ?? 'not cut', names };
  };
  let taken = 0;
  const boxes = cut.slices.flatMap(({ profile, start, sizeUnits, workloads }) => {
    const gap = start > taken ? [box(taken, start, null, [])] : [];
    taken = start + sizeUnits;
    return [...gap, box(start, taken, profile, workloads)];
  });
  return taken < cut.gridUnits ? [...boxes, box(taken, cut.gridUnits, null, [])] : boxes;
}

function describe({ what, names }: Box, used: number | null): string {
  if (names.length === 0) return `${what}, free`;
  const who =
    names.length > 4 ? `${names.slice(0, 3).join(', ')} and ${names.length - 3} more` : names.join(', ');
  return `${what}, ${who}${used === null ? '' : `, at its peak ${percentText(used)} of the memory`}`;
}

/**
 * Of those who share a box the peaks together, of others their mean; `null`: somebody's is not known, as that of
 * time-sliced pods, which are each shown the whole box's.
 */
function usedShare(
  { profile, names }: Box,
  model: string | null,
  workloads: ByName,
  isNamed: boolean,
): number | null {
  const room = deviceMiB({ model, profile });
  if (room === null) return null;
  let peaks = 0;
  for (const name of names) {
    const workload = workloads.get(name);
    const max = workload?.memoryMiB?.max;
    if (max === undefined || (isNamed && names.length > 1 && workload?.verdict === 'unknown')) return null;
    peaks += max;
  }
  return Math.min(1, peaks / room / (isNamed ? 1 : Math.max(1, names.length)));
}

function verdictOf({ names }: Box, workloads: ByName): Verdict {
  const verdicts = new Set(names.map((name) => workloads.get(name)?.verdict ?? 'unknown'));
  const [first = 'unknown', ...others] = verdicts;
  return others.length === 0 ? first : 'unknown';
}

function sum(cards: readonly Card[]): number {
  return cards.reduce((total, { count }) => total + count, 0);
}

function percent(value: number): string {
  return `${Math.round(value * 100) / 100}%`;
}
