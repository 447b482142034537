/** What one slice costs, as its part of the card's price, and what an hourly figure makes in a month. */
import type { MigModel, Profile } from '#core/catalogue/model';

/** 365 days x 24 hours / 12: the month that clouds bill by. */
export const hoursPerMonth = 730;

export function usdPerMonth(usdPerHour: number): number {
  return usdPerHour * hoursPerMonth;
}

/**
 * The card's price times the share of the placement grid that the profile takes. Grid units are what slices compete
 * for, so the slices of a layout add up to the card when they fill the grid, and to less by what they leave unused:
 * seven 1g of an H100 cost 7/8 of it, the eighth unit is the price of that layout. (The greater of compute share and
 * memory share would charge more than the card costs.)
 */
export function sliceUsdPerHour(gpuUsdPerHour: number, model: MigModel, profile: Profile): number {
  return (gpuUsdPerHour * profile.sizeUnits) / model.gridUnits;
}
