/** What `mica tenant` and `mica usage` ask of whoever has the store of the machine open. */
import type { PriceTable } from '#core/cost/price-table';
import type { LeasableSlice } from '#core/run/slice';
import type { RunStore } from '#ports/run-store';
import type { TenancyPorts } from './ports.js';
import {
  addTenant,
  changeTenant,
  listTenants,
  removeTenant,
  type AddAnswer,
  type ChangeAnswer,
  type NewTenant,
  type RemoveAnswer,
  type TenantChange,
  type TenantView,
} from './tenants.js';
import { addToken, revokeToken, type IssueAnswer, type RevokeAnswer } from './tokens.js';
import { reportUsage, type UsageQuestion, type UsageReport } from './usage.js';

/** For the operator of the machine: nothing here asks who is calling. */
export interface Tenancy {
  readonly add: (tenant: NewTenant) => Promise<AddAnswer>;
  readonly list: () => Promise<readonly TenantView[]>;
  readonly change: (name: string, change: TenantChange) => Promise<ChangeAnswer>;
  readonly remove: (name: string) => Promise<RemoveAnswer>;
  /** `lifeMs`: `null` for one that does not expire. */
  readonly addToken: (name: string, lifeMs: number | null) => Promise<IssueAnswer>;
  readonly revokeToken: (name: string, token: string) => Promise<RevokeAnswer>;
  readonly usage: (question: UsageQuestion, prices: PriceTable) => Promise<UsageReport>;
}

export function tenancyOver(
  given: TenancyPorts & { readonly slices: () => Promise<readonly LeasableSlice[]> },
): Tenancy {
  // Through a loss of power as well, a revoked token stays revoked, and one that was shown once lets its owner in.
  const transact: RunStore['transact'] = (work) => given.store.transact(work, { durable: true });
  const ports = { ...given, store: { ...given.store, transact } };
  return {
    add: (tenant) => addTenant(ports, tenant),
    list: () => listTenants(ports),
    change: (name, change) => changeTenant(ports, name, change),
    remove: (name) => removeTenant(ports, name),
    addToken: (name, lifeMs) => addToken(ports, name, lifeMs),
    revokeToken: (name, token) => revokeToken(ports, name, token),
    usage: (question, prices) => reportUsage(ports, question, prices),
  };
}
