/** Whether a value can be true. Exporters print sentinels, texts and impossible ratios; none of these is a figure. */
import type { ActivityMetric, Dropped } from './observation.js';

/**
 * What a number says: memory in MiB, or activity from 0 to 1. `utilization-percent` is from 0 to 100;
 * `utilization-any` is one or the other, which only all values together tell (`isUtilizationInPercent`).
 */
export type Reading = 'memory' | ActivityMetric | 'utilization-percent' | 'utilization-any';

export type DropReason = keyof Dropped;

export const nothingDropped: Dropped = { sentinel: 0, text: 0, notFinite: 0, negative: 0 };

/** The figure in the unit of its reading (percent become a ratio), or why there is none. */
export function believe(reading: Reading, raw: number | string): number | DropReason {
  const value = typeof raw === 'number' ? raw : parse(raw);
  if (typeof value === 'string') return value;
  if (!Number.isFinite(value)) return 'notFinite';
  if (value < 0) return 'negative';
  switch (reading) {
    case 'memory':
      return value > mostMiB ? 'sentinel' : value + 0;
    case 'utilization-percent':
      return asRatio(value / 100);
    case 'utilization-any':
      return value > 100 ? 'sentinel' : value + 0;
    case 'sm-active':
    case 'gr-engine':
    case 'utilization':
      return asRatio(value);
  }
}

export function addDropped(one: Dropped, other: Dropped): Dropped {
  return {
    sentinel: one.sentinel + other.sentinel,
    text: one.text + other.text,
    notFinite: one.notFinite + other.notFinite,
    negative: one.negative + other.negative,
  };
}

export function countDropped(dropped: Dropped): number {
  return dropped.sentinel + dropped.text + dropped.notFinite + dropped.negative;
}

/** A petabyte: more than any card, less than the sentinels of DCGM and NVML (2^31 - 1 and up). */
const mostMiB = 1e9;

/** Counters are read a little after their time is taken, so busy SMs show up to 1.3; twice what there is cannot be. */
function asRatio(value: number): number | DropReason {
  if (value > 2) return 'sentinel';
  return value > 1 ? 1 : value + 0;
}

const decimal = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;
const endless = /^(?:nan|[+-]?inf(?:inity)?)$/i;

function parse(text: string): number | DropReason {
  const trimmed = text.trim();
  if (decimal.test(trimmed)) return Number(trimmed);
  return endless.test(trimmed) ? 'notFinite' : 'text';
}
