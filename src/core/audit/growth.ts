/** Whether a workload's peak rises steadily, day by day: then the figures of the past are too small for the future. */
import type { Timeline } from '../observe/timeline.js';

const dayMs = 86_400_000;

/** Below this a rise says nothing: a start is a rise too. */
const shortestMs = dayMs / 4;

/** Rises below this share of the peak are noise. */
const leastRise = 0.05;

/**
 * MiB a day by which the peak grew; `null`: no steady growth. Peaks are those of whole days, or of quarters of a window
 * of less than four days. Steady: nearly every peak is above the one before, none is clearly below, and a straight line
 * explains four fifths of what they differ by.
 */
export function growthMiBPerDay(timeline: Timeline): number | null {
  const peaks = peaksOf(timeline);
  const [first, last] = [peaks[0], peaks.at(-1)];
  if (peaks.length < 4 || first === undefined || last === undefined) return null;
  const rise = last.peakMiB - first.peakMiB;
  if (rise < leastRise * last.peakMiB) return null;
  const steps = peaks.slice(1).map(({ peakMiB }, index) => peakMiB - (peaks[index]?.peakMiB ?? 0));
  const rising = steps.filter((step) => step > 0.02 * rise).length;
  const falls = steps.some((step) => step < -0.1 * rise);
  if (falls || rising < 0.75 * steps.length) return null;
  const { slope, explained } = line(peaks);
  return explained >= 0.8 && slope > 0 ? slope : null;
}

interface Peak {
  readonly day: number;
  readonly peakMiB: number;
}

/** Stretches of equal length from the first to the last sample; those without a sample are left out. */
function peaksOf({ stepMs, max }: Timeline): readonly Peak[] {
  const lengthMs = max.length * stepMs;
  if (lengthMs < shortestMs) return [];
  const stretches = Math.max(4, Math.floor(lengthMs / dayMs + 0.05));
  const peaks = Array<number>(stretches).fill(-Infinity);
  for (const [index, value] of max.entries()) {
    const stretch = Math.floor((index * stretches) / max.length);
    if (value !== null && value > (peaks[stretch] ?? Infinity)) peaks[stretch] = value;
  }
  const daysEach = lengthMs / dayMs / stretches;
  return peaks.flatMap((peakMiB, index) =>
    peakMiB === -Infinity ? [] : [{ day: index * daysEach, peakMiB }],
  );
}

/** Least squares: the slope, and the part of the variance that the line explains. */
function line(peaks: readonly Peak[]): { slope: number; explained: number } {
  const mean = (of: (peak: Peak) => number): number =>
    peaks.reduce((sum, peak) => sum + of(peak), 0) / peaks.length;
  const [meanDay, meanMiB] = [mean(({ day }) => day), mean(({ peakMiB }) => peakMiB)];
  const xy = mean(({ day, peakMiB }) => (day - meanDay) * (peakMiB - meanMiB));
  const xx = mean(({ day }) => (day - meanDay) ** 2);
  const yy = mean(({ peakMiB }) => (peakMiB - meanMiB) ** 2);
  return { slope: xy / xx, explained: xx * yy === 0 ? 0 : (xy * xy) / (xx * yy) };
}
