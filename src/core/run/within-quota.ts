/** What a quota lets a wish have: now, ever, and which slices are any use to it. */
import { fits, wishInWords } from './choose-slices.js';
import { amountOf, cheapestWithin, leftOf, quotaInWords, type Amount, type Quota } from './quota.js';
import type { LeasableSlice, LeaseWish } from './slice.js';
import type { Account } from './tenant-rights.js';

/** The slices that could be among those that serve the wish: keeping any other from everybody would serve nobody. */
export function usefulFor(
  open: readonly LeasableSlice[],
  { slice: wish, count }: Pick<LeaseWish, 'slice' | 'count'>,
  left: Amount,
): ReadonlySet<LeasableSlice> {
  const fitting = open.filter((slice) => fits(slice, wish));
  const isUseful = new Map<string, boolean>();
  return new Set(
    fitting.filter((slice) => {
      // Slices of one size are as good as one another.
      const size = `${slice.memoryMiB ?? ''} ${slice.sizeUnits}/${slice.gridUnits}`;
      const known = isUseful.get(size);
      if (known !== undefined) return known;
      const others = fitting.filter((one) => one !== slice);
      const useful = cheapestWithin(others, count - 1, leftOf(left, amountOf([slice]))) !== null;
      isUseful.set(size, useful);
      return useful;
    }),
  );
}

export function whyBeyondQuota(wish: LeaseWish, { quota }: Account): string {
  return `${wishInWords(wish)} cannot be leased: the quota of ${wish.tenant ?? ''} is ${quotaInWords(quota)}`;
}

export function whyQuotaInUse(wish: LeaseWish, account: Account): string {
  const whose = `the quota of ${wish.tenant ?? ''}`;
  if (account.isSpoken) return `others were first to wait for ${whose}`;
  return `${whose} is ${quotaInWords(account.quota)}, and in use are ${quotaInWords(usedOf(account))}`;
}

/** In the terms of the quota. */
function usedOf({ quota, limit, used }: Account): Quota {
  return {
    slices: quota.slices === null ? null : used.slices,
    memoryMiB: quota.memoryMiB === null ? null : used.memoryMiB,
    share: quota.share === null ? null : (used.cards * quota.share) / limit.cards,
  };
}
