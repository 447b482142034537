/** Which placement units of one GPU are taken: one bit per unit, unit 0 lowest. */

/** A set of placement units of one GPU. */
export type Mask = number & { readonly unit?: 'placement units' };

/** NVML's grids are 4, 8 and 12 units long; a mask holds up to 30. */
export const longestGridUnits = 30;

/** The units that a placement covers: `covers(4, 2)` is 0b110000. */
export function covers(start: number, sizeUnits: number): Mask {
  return ((1 << sizeUnits) - 1) << start;
}

/** All units of a grid. */
export function wholeGrid(gridUnits: number): Mask {
  return covers(0, gridUnits);
}

export function overlaps(a: Mask, b: Mask): boolean {
  return (a & b) !== 0;
}

/** How many units are in the mask: `countUnits(0b1011)` is 3. */
export function countUnits(mask: Mask): number {
  let rest = mask;
  let count = 0;
  while (rest !== 0) {
    rest &= rest - 1;
    count += 1;
  }
  return count;
}

/** Runs of units that are in the mask, as [first, last]: `unitRuns(0b1011)` is [[0, 1], [3, 3]]. */
export function unitRuns(mask: Mask): readonly (readonly [number, number])[] {
  const runs: [number, number][] = [];
  for (let unit = 0; mask >> unit !== 0; unit += 1) {
    if (((mask >> unit) & 1) === 0) continue;
    const last = runs.at(-1);
    if (last !== undefined && last[1] === unit - 1) last[1] = unit;
    else runs.push([unit, unit]);
  }
  return runs;
}
