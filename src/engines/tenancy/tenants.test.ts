import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { noQuota, type Quota } from '#core/run/quota';
import type { LeaseRecord, RequestRecord } from '#ports/run-store';
import { memoryRunStore } from '../../../test/support/memory-run-store.js';
import { testSecrets } from '../../../test/support/test-secrets.js';
import type { TenancyPorts } from './ports.js';
import { addTenant, changeTenant, listTenants, mostTenants, removeTenant } from './tenants.js';

const machine = (): TenancyPorts => ({
  store: memoryRunStore(),
  clock: { nowMs: () => 7 },
  secrets: testSecrets(),
});
const add = (
  ports: TenancyPorts,
  name: string,
  quota: Partial<Quota> = {},
  dedicated: readonly string[] = [],
) => addTenant(ports, { name, quota: { ...noQuota, ...quota }, dedicated, tokenLifeMs: null });
const holder = { pid: 1, startedAt: '', bootId: null };
const wish = { slice: { kind: 'any' }, count: 1, tenant: 'acme', priority: 0 } as const;
const request: RequestRecord = { id: 'r', wish, holder, command: [], askedMs: 0, heartbeatMs: 0 };
const lease: LeaseRecord = {
  id: 'l',
  slices: ['GPU-1/1g.24gb:0#1'],
  wish,
  holder,
  command: [],
  groups: [],
  grantedMs: 0,
  heartbeatMs: 0,
  ttlMs: 1,
  state: { kind: 'held' },
};

describe('a tenant', () => {
  it('is added once, changed, and removed once it holds nothing', async () => {
    const ports = machine();
    expect(await add(ports, 'acme', { slices: 2 }, ['GPU-1/1g.24gb:3', 'GPU-1/1g.24gb:3'])).toMatchObject({
      ok: true,
      tenant: { name: 'acme', quota: { slices: 2 }, dedicated: ['GPU-1/1g.24gb:3'], tokens: [{}] },
      token: { text: expect.stringMatching(/^mica_/) },
    });
    expect(await add(ports, 'acme')).toMatchObject({ why: { kind: 'exists' } });
    expect(
      await changeTenant(ports, 'acme', {
        quota: { share: 0.5 },
        dedicate: ['GPU-2'],
        release: ['GPU-1/1g.24gb:3'],
      }),
    ).toMatchObject({
      tenant: { quota: { slices: 2, memoryMiB: null, share: 0.5 }, dedicated: ['GPU-2'] },
    });
    expect(await changeTenant(ports, 'acme', { release: ['GPU-9'] })).toMatchObject({
      why: { kind: 'bad-place' },
    });
    expect(await changeTenant(ports, 'bolt', {})).toMatchObject({ why: { kind: 'unknown-tenant' } });
    await ports.store.transact((tables) => {
      tables.putLease(lease);
      tables.putRequest(request);
      tables.putRequest({ ...request, id: 'r2', wish: { ...wish, tenant: 'bolt' } });
    });
    expect(await listTenants(ports)).toMatchObject([{ name: 'acme', holds: lease.slices, waiting: 1 }]);
    expect(await removeTenant(ports, 'acme')).toEqual({
      ok: false,
      why: { kind: 'holds-leases', message: 'acme holds lease l' },
    });
    await ports.store.transact((tables) => tables.removeLease('l'));
    expect(await removeTenant(ports, 'acme')).toEqual({ ok: true });
    expect(await removeTenant(ports, 'acme')).toMatchObject({ why: { kind: 'unknown-tenant' } });
    expect(await ports.store.read((tables) => tables.requests().map(({ id }) => id))).toEqual(['r2']);
  });

  it.each([
    '',
    'A',
    '-a',
    'a-',
    'a.b',
    'a/b',
    '../../etc/passwd',
    'a b',
    'a;rm -rf /',
    '$(id)',
    '`id`',
    'a\nb',
    'a\u0000',
    '\u001b[31mred',
    'a\u202eb',
    'ä',
    'a_b',
    "a' OR '1'='1",
    '=1+1',
    'a'.repeat(64),
    'a'.repeat(1_000_000),
  ])('is never called %j', async (name) => {
    const ports = machine();
    const answer = await add(ports, name);
    expect(answer).toMatchObject({ ok: false, why: { kind: 'bad-name' } });
    if (answer.ok) return;
    expect(answer.why.message.length).toBeLessThan(200);
    // eslint-disable-next-line no-control-regex -- that none of them is there is what is tested
    expect(answer.why.message).not.toMatch(/[\u0000-\u001f]/);
    expect(await listTenants(ports)).toEqual([]);
  });

  it('is called as a host may be', async () => {
    await fc.assert(
      fc.asyncProperty(fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/), async (name) => {
        expect(await add(machine(), name)).toMatchObject({ ok: true });
      }),
    );
  });

  it.each<Partial<Quota>>([
    { slices: -1 },
    { slices: 1.5 },
    { slices: NaN },
    { memoryMiB: 0 },
    { memoryMiB: Infinity },
    { share: 0 },
    { share: 1.01 },
    { share: NaN },
  ])('has no quota of %j', async (quota) => {
    const ports = machine();
    expect(await add(ports, 'acme', quota)).toMatchObject({ why: { kind: 'bad-quota' } });
    await add(ports, 'bolt');
    expect(await changeTenant(ports, 'bolt', { quota })).toMatchObject({ why: { kind: 'bad-quota' } });
  });

  it.each([
    '',
    '../GPU-1',
    'GPU-1/../../x',
    'GPU-1/1g.24gb',
    'GPU-1/1g.24gb:3;id',
    `GPU-${'1'.repeat(99)}`,
    'GPU-1\n',
  ])('is given no place %j', async (place) => {
    expect(await add(machine(), 'acme', {}, [place])).toMatchObject({ why: { kind: 'bad-place' } });
  });

  it('shares no dedicated slice with another, nor a GPU that one is on', async () => {
    const ports = machine();
    await add(ports, 'acme', {}, ['GPU-1/1g.24gb:3', 'GPU-2']);
    for (const place of ['GPU-1/1g.24gb:3', 'GPU-1', 'GPU-2', 'GPU-2/2g.48gb:0']) {
      expect(await add(ports, 'bolt', {}, [place])).toMatchObject({ why: { kind: 'dedicated-elsewhere' } });
    }
    expect(await add(ports, 'bolt', {}, ['GPU-1/1g.24gb:0', 'GPU-22'])).toMatchObject({ ok: true });
    expect(await changeTenant(ports, 'bolt', { dedicate: ['GPU-2'] })).toMatchObject({
      why: { kind: 'dedicated-elsewhere', message: 'GPU-2 is dedicated to acme (GPU-2)' },
    });
  });

  it('is one of so many', async () => {
    const ports = machine();
    await ports.store.transact((tables) => {
      for (let count = 0; count < mostTenants; count += 1) {
        tables.putTenant({ name: `t${count}`, createdMs: 0, quota: noQuota, dedicated: [], tokens: [] });
      }
    });
    expect(await add(ports, 'acme')).toMatchObject({ why: { kind: 'too-many' } });
  });
});
