/** The tenants of a machine: added, looked at, given other rights, and removed. */
import { noQuota, type Quota } from '#core/run/quota';
import type { RunTables, TenantRecord } from '#ports/run-store';
import { dedicationRefusal, nameRefusal, quotaRefusal } from './check-tenant.js';
import { refused, type Refused, type TenancyPorts } from './ports.js';
import { isExpired, mint, unknownTenant, type IssuedToken } from './tokens.js';

export interface NewTenant {
  readonly name: string;
  readonly quota: Quota;
  /** Places as `placeOf` of core/run/tenant-rights writes them. */
  readonly dedicated: readonly string[];
  /** How long its first token lives; `null`: until it is revoked. */
  readonly tokenLifeMs: number | null;
}

/** What is left out stays as it is. */
export interface TenantChange {
  readonly quota?: Partial<Quota>;
  readonly dedicate?: readonly string[];
  readonly release?: readonly string[];
}

/** A tenant without its secrets. */
export interface TenantView {
  readonly name: string;
  readonly createdMs: number;
  readonly quota: Quota;
  readonly dedicated: readonly string[];
  readonly tokens: readonly {
    readonly id: string;
    readonly createdMs: number;
    readonly expiresMs: number | null;
    readonly isExpired: boolean;
  }[];
  /** Ids of the slices that it has leased. */
  readonly holds: readonly string[];
  /** How many of its requests wait. */
  readonly waiting: number;
}

export type AddAnswer =
  { readonly ok: true; readonly tenant: TenantView; readonly token: IssuedToken } | Refused;
export type ChangeAnswer = { readonly ok: true; readonly tenant: TenantView } | Refused;
export type RemoveAnswer = { readonly ok: true } | Refused;

/** The queue looks at all of them for every request. */
export const mostTenants = 1000;

export function addTenant(
  { store, clock, secrets }: TenancyPorts,
  { name, quota, dedicated, tokenLifeMs }: NewTenant,
): Promise<AddAnswer> {
  const nowMs = clock.nowMs();
  const minted = mint(secrets, nowMs, tokenLifeMs);
  return store.transact((tables): AddAnswer => {
    const others = tables.tenants();
    const no = nameRefusal(name) ?? quotaRefusal(quota) ?? dedicationRefusal(others, name, dedicated);
    if (no !== null) return no;
    if (!minted.ok) return minted;
    if (others.some((one) => one.name === name))
      return refused('exists', `there is a tenant ${name} already`);
    if (others.length >= mostTenants) {
      return refused('too-many', `a machine has at most ${mostTenants} tenants`);
    }
    const tenant: TenantRecord = {
      name,
      createdMs: nowMs,
      quota,
      dedicated: [...new Set(dedicated)],
      tokens: [minted.record],
    };
    tables.putTenant(tenant);
    return { ok: true, tenant: viewOf(tables, tenant, nowMs), token: minted.token };
  });
}

export function listTenants({ store, clock }: TenancyPorts): Promise<readonly TenantView[]> {
  const nowMs = clock.nowMs();
  return store.read((tables) => tables.tenants().map((tenant) => viewOf(tables, tenant, nowMs)));
}

/** What is leased already stays leased, whatever the new rights. */
export function changeTenant(
  { store, clock }: TenancyPorts,
  name: string,
  { quota = {}, dedicate = [], release = [] }: TenantChange,
): Promise<ChangeAnswer> {
  const nowMs = clock.nowMs();
  return store.transact((tables): ChangeAnswer => {
    const tenants = tables.tenants();
    const tenant = tenants.find((one) => one.name === name);
    if (tenant === undefined) return unknownTenant(name);
    const missing = release.find((place) => !tenant.dedicated.includes(place));
    if (missing !== undefined) return refused('bad-place', `${missing} is not dedicated to ${name}`);
    const kept = tenant.dedicated.filter((place) => !release.includes(place));
    const changed: TenantRecord = {
      ...tenant,
      quota: { ...noQuota, ...tenant.quota, ...quota },
      dedicated: [...new Set([...kept, ...dedicate])],
    };
    const no = quotaRefusal(changed.quota) ?? dedicationRefusal(tenants, name, changed.dedicated);
    if (no !== null) return no;
    tables.putTenant(changed);
    return { ok: true, tenant: viewOf(tables, changed, nowMs) };
  });
}

/** What it used stays on record. Who waits for it waits no more. */
export function removeTenant({ store }: TenancyPorts, name: string): Promise<RemoveAnswer> {
  return store.transact((tables): RemoveAnswer => {
    if (!tables.tenants().some((one) => one.name === name)) return unknownTenant(name);
    const leases = tables.leases().filter(({ wish }) => wish.tenant === name);
    if (leases.length > 0) {
      const ids = leases.map(({ id }) => id).join(', ');
      return refused('holds-leases', `${name} holds ${leases.length === 1 ? 'lease' : 'leases'} ${ids}`);
    }
    for (const { id, wish } of tables.requests()) if (wish.tenant === name) tables.removeRequest(id);
    tables.removeTenant(name);
    return { ok: true };
  });
}

function viewOf(
  tables: RunTables,
  { name, createdMs, quota, dedicated, tokens }: TenantRecord,
  nowMs: number,
): TenantView {
  return {
    name,
    createdMs,
    quota,
    dedicated,
    tokens: tokens.map((token) => ({
      id: token.id,
      createdMs: token.createdMs,
      expiresMs: token.expiresMs,
      isExpired: isExpired(token, nowMs),
    })),
    holds: tables
      .leases()
      .filter(({ wish }) => wish.tenant === name)
      .flatMap(({ slices }) => slices),
    waiting: tables.requests().filter(({ wish }) => wish.tenant === name).length,
  };
}
