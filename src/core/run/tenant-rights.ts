/** What each tenant may have of a machine's slices, and has of its quota while the queue is judged. */
import { amountOf, leftOf, limitOf, noQuota, plus, type Amount, type Quota } from './quota.js';
import type { LeasableSlice } from './slice.js';

/** What the queue has to know of a tenant. */
export interface TenantRights {
  readonly name: string;
  readonly quota: Quota;
  /** Places of slices that nobody else gets, as `placeOf` writes them; a whole GPU covers its slices. */
  readonly dedicated: readonly string[];
}

/** `GPU-…/1g.24gb:3`: stays the same when the same place is cut again; a whole GPU is its UUID. */
export function placeOf({
  gpuUuid,
  profile,
  start,
}: Pick<LeasableSlice, 'gpuUuid' | 'profile' | 'start'>): string {
  return profile === null ? gpuUuid : `${gpuUuid}/${profile}:${start ?? 0}`;
}

interface HeldByTenant {
  readonly slices: readonly string[];
  readonly wish: { readonly tenant: string | null };
}

/** One tenant's account, for as long as the queue is judged. */
export interface Account {
  /** `false`: dedicated to somebody else. */
  readonly mayUse: (slice: LeasableSlice) => boolean;
  readonly isOwn: (slice: LeasableSlice) => boolean;
  readonly quota: Quota;
  /** All that the quota holds. */
  readonly limit: Amount;
  /** What is held, promised to those further ahead, or granted by now. */
  used: Amount;
  /** Somebody further ahead waits for the quota: what comes free of it is kept. */
  isSpoken: boolean;
}

/** `null`: the machine has no such tenant, or not any more. */
export type Accounts = (tenant: string | null) => Account | null;

export function accountsOf(
  tenants: readonly TenantRights[],
  held: readonly HeldByTenant[],
  slices: readonly LeasableSlice[],
): Accounts {
  const owners = new Map<string, ReadonlySet<string>>();
  for (const { name, dedicated } of tenants) {
    for (const place of dedicated) owners.set(place, new Set([...(owners.get(place) ?? []), name]));
  }
  const ownersOf = new Map(
    slices.map((slice) => [slice.id, owners.get(placeOf(slice)) ?? owners.get(slice.gpuUuid)]),
  );
  const cards = new Set(slices.map(({ gpuUuid }) => gpuUuid)).size;
  const byId = new Map(slices.map((slice) => [slice.id, slice]));
  const open = (tenant: string | null, quota: Quota): Account => {
    const ids = held.filter(({ wish }) => wish.tenant === tenant).flatMap((lease) => lease.slices);
    const there = ids.flatMap((id) => byId.get(id) ?? []);
    return {
      mayUse: ({ id }) => ownersOf.get(id)?.has(tenant ?? '') ?? true,
      isOwn: ({ id }) => ownersOf.get(id)?.has(tenant ?? '') ?? false,
      quota,
      limit: limitOf(quota, cards),
      // A slice that the driver does not show any more is still leased, though nobody knows its size.
      used: { ...amountOf(there), slices: ids.length },
      isSpoken: false,
    };
  };
  const accounts = new Map<string | null, Account>();
  return (tenant) => {
    const known = accounts.get(tenant);
    if (known !== undefined) return known;
    const rights = tenants.find(({ name }) => name === tenant);
    if (tenant !== null && rights === undefined) return null;
    const account = open(tenant, rights?.quota ?? noQuota);
    accounts.set(tenant, account);
    return account;
  };
}

export function leftIn({ limit, used }: Account): Amount {
  return leftOf(limit, used);
}

export function take(account: Account, slices: readonly LeasableSlice[]): void {
  account.used = plus(account.used, amountOf(slices));
}
