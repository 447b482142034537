/**
 * Memory of a workload over time, with what its slice and what it has now can hold. Widths are percentages and text
 * has its own size, so that one drawing serves a phone and a wall.
 */
import { scaleLinear, scaleUtc } from 'd3-scale';
import { area } from 'd3-shape';
import type { AuditedWorkload } from '#core/audit/answer';
import { deviceMiB, deviceName } from '../device.js';
import { memoryText } from '../figures.js';
import { fullName } from '../sentences.js';
import { html, Markup } from './markup.js';

const heightPx = 190;
const axisPx = 22;
/** The path is drawn on a grid this wide and stretched. */
const gridWidth = 2000;
const labelPx = 16;
const hoverStretches = 32;

interface Limit {
  readonly kind: 'now' | 'then';
  readonly memoryMiB: number;
  readonly label: string;
}

/** `null`: there is nothing to draw. */
export function chartOf(workload: AuditedWorkload, id: string): Markup | null {
  const { startMs, stepMs, max } = workload.timeline;
  const peakMiB = max.reduce<number>((most, value) => Math.max(most, value ?? 0), 0);
  if (max.length === 0) return null;
  const limits = limitsOf(workload);
  const endMs = startMs + max.length * stepMs;
  const topGiB = Math.max(peakMiB, 1, ...limits.map(({ memoryMiB }) => memoryMiB)) / 1024;
  const y = scaleLinear([0, topGiB * 1.13], [heightPx, 0]);
  const time = scaleUtc([startMs, endMs], [0, 100]);
  const timeLabel = time.tickFormat(5, endMs - startMs > 2 * dayMs ? '%-d %b' : '%H:%M');
  const yOf = (memoryMiB: number): number => Math.round(y(memoryMiB / 1024) * 10) / 10;
  const peakAt = max.indexOf(peakMiB);
  const when = time.tickFormat(5, '%-d %b %H:%M');
  const titled = `Memory of ${fullName(workload)}, ${when(time.invert(0))} to ${when(time.invert(100))} UTC`;
  const said = [`peak ${memoryText(peakMiB)}`, ...limits.map(({ label }) => label)].join('; ');
  return html`<svg
    class="chart"
    width="100%"
    height="${heightPx + axisPx}"
    role="img"
    aria-labelledby="${id}-t ${id}-d"
  >
    <title id="${id}-t">${titled}</title>
    <desc id="${id}-d">${said}</desc>
    ${spare(limits, yOf)}
    ${y.ticks(4).map((tick) => {
      const at = Math.round(y(tick) * 10) / 10;
      return html`<line class="grid" x1="0" x2="100%" y1="${at}" y2="${at}" />`;
    })}
    <svg
      width="100%"
      height="${heightPx}"
      viewBox="0 0 ${gridWidth} ${heightPx * 10}"
      preserveAspectRatio="none"
    >
      <path class="use" d="${pathOf(max, yOf)}" />
    </svg>
    ${y
      .ticks(4)
      .filter((tick) => tick > 0 && !limits.some(({ memoryMiB }) => crosses(y(tick), yOf(memoryMiB))))
      .map((tick) => html`<text class="tick" x="4" y="${Math.round(y(tick)) - 4}">${tick} GiB</text>`)}
    ${limitLines(limits, yOf)}
    ${
      peakMiB > 0
        ? html`<circle
            class="peak"
            cx="${percent((peakAt + 0.5) / max.length)}"
            cy="${yOf(peakMiB)}"
            r="4"
          />`
        : null
    }
    ${time.ticks(5).map((tick, index) => {
      const at = time(tick);
      const anchor = at < 6 ? 'start' : at > 94 ? 'end' : 'middle';
      return html`<text
        class="${index % 2 === 0 ? 'tick' : 'tick extra'}"
        x="${percent(at / 100)}"
        y="${heightPx + 16}"
        text-anchor="${anchor}"
      >
        ${timeLabel(tick)}
      </text>`;
    })}
    ${hovers(max, (index) => when(time.invert((100 * index) / max.length)))}
  </svg>`;
}

const dayMs = 86_400_000;

/** What it has, and what it is told to take: once where they are the same. */
function limitsOf({ current, recommended, verdict }: AuditedWorkload): readonly Limit[] {
  const limit = (kind: Limit['kind'], memoryMiB: number | null, name: string): readonly Limit[] =>
    memoryMiB === null ? [] : [{ kind, memoryMiB, label: `${name} ${memoryText(memoryMiB)}` }];
  const now = limit('now', deviceMiB(current), `now: ${deviceName(current)},`);
  const stays = recommended === null || verdict === 'whole-gpu' || verdict === 'no-gpu';
  return stays
    ? now
    : [...now, ...limit('then', deviceMiB(recommended), `recommended: ${recommended.profile},`)];
}

/** Every stretch is a step. A gap is a gap; the ends lie outside, so that only what was measured has a line. */
function pathOf(max: readonly (number | null)[], yOf: (memoryMiB: number) => number): Markup {
  const points = max.flatMap((value, index) => {
    const known = { y: value === null ? null : Math.round(yOf(value) * 10) };
    return [
      { x: index === 0 ? -20 : Math.round((gridWidth * index) / max.length), ...known },
      {
        x: index === max.length - 1 ? gridWidth + 20 : Math.round((gridWidth * (index + 1)) / max.length),
        ...known,
      },
    ];
  });
  const needed = points.filter(
    ({ y }, index) => y === null || points[index - 1]?.y !== y || points[index + 1]?.y !== y,
  );
  const path =
    area<(typeof points)[number]>()
      .defined(({ y }) => y !== null)
      .x(({ x }) => x)
      // Below the edge, so that only the top of the area has a line.
      .y0(heightPx * 10 + 40)
      .y1(({ y }) => y ?? 0)(needed) ?? '';
  return new Markup(path);
}

/** What is paid for and would be given back. */
function spare(limits: readonly Limit[], yOf: (memoryMiB: number) => number): Markup | null {
  const [now, then] = ['now', 'then'].map((kind) => limits.find((limit) => limit.kind === kind));
  if (now === undefined || then === undefined || then.memoryMiB >= now.memoryMiB) return null;
  const top = yOf(now.memoryMiB);
  const height = Math.round((yOf(then.memoryMiB) - top) * 10) / 10;
  return html`<rect class="spare" x="0" y="${top}" width="100%" height="${height}" />`;
}

/** A line through the label that stands on the tick's own. */
function crosses(tickAt: number, lineAt: number): boolean {
  return lineAt < tickAt + 2 && lineAt > tickAt - labelPx;
}

function limitLines(limits: readonly Limit[], yOf: (memoryMiB: number) => number): readonly Markup[] {
  const highest = Math.min(...limits.map(({ memoryMiB }) => yOf(memoryMiB)));
  return limits.map(({ kind, memoryMiB, label }) => {
    const at = yOf(memoryMiB);
    const isCrowded = at > highest && at - highest < labelPx + 4;
    return html`<line class="limit ${kind}" x1="0" x2="100%" y1="${at}" y2="${at}" />
      <text
        class="limit-name ${kind}"
        x="100%"
        dx="-6"
        y="${isCrowded ? at + labelPx - 2 : at - 5}"
        text-anchor="end"
      >
        ${label}
      </text>`;
  });
}

/** Figures under the pointer, without a script. */
function hovers(max: readonly (number | null)[], when: (index: number) => string): readonly Markup[] {
  const each = Math.max(1, Math.ceil(max.length / hoverStretches));
  return Array.from({ length: Math.ceil(max.length / each) }, (_, at) => {
    const from = at * each;
    const to = Math.min(from + each, max.length);
    const values = max.slice(from, to).filter((value) => value !== null);
    const most = values.length === 0 ? 'no samples' : `up to ${memoryText(Math.max(...values))}`;
    return html`<rect
      class="hover"
      x="${percent(from / max.length)}"
      width="${percent((to - from) / max.length)}"
      height="${heightPx}"
    >
      <title>${when(from)}: ${most}</title>
    </rect>`;
  });
}

function percent(share: number): string {
  return `${Math.round(share * 10_000) / 100}%`;
}
