/** `mica tenant` and `mica usage` on simulated GPUs, as the owner of a machine uses them, and as others try to. */
import { parse } from 'csv-parse/sync';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { openRunStore } from '#adapters/sqlite/run-store';
import { systemClock as clock } from '#adapters/system/clock';
import { systemSecrets as secrets } from '#adapters/system/secrets';
import type { LeasableSlice } from '#core/run/slice';
import { authenticate } from '#engines/tenancy/authenticate';
import type { RunTables, UsageRecord } from '#ports/run-store';
import { slicedMachine } from '../support/sliced-machine.js';
import { runMica, type Ran } from './run-mica.js';

const folder = mkdtempSync(join(tmpdir(), 'mica-tenant-'));
afterAll(() => rmSync(folder, { recursive: true }));
let machines = 0;

/** A machine of one card with four slices, and what its owner does with it. */
async function machine() {
  const state = join(folder, `machine-${(machines += 1)}.json`);
  const slices = await slicedMachine(state, 'rtx-pro-6000:1', '1g.24gb');
  const database = join(`${state}.run`, 'mica.db');
  const env = { MICA_STATE_DIR: join(folder, 'state') };
  const mica = (...args: readonly string[]): Promise<Ran> =>
    runMica([...args, '--driver', 'simulated', '--state', state], { env });
  const store = async <T>(work: (tables: RunTables) => T): Promise<T> => {
    const opened = await openRunStore({ path: database });
    return opened.transact(work).finally(() => opened.close());
  };
  return {
    slices,
    database,
    mica,
    store,
    json: async (...args: readonly string[]) => JSON.parse((await mica(...args, '--json')).stdout),
    add: async (...args: readonly string[]): Promise<string> => {
      const { stdout, stderr, exit } = await mica('tenant', 'add', ...args);
      expect({ exit, stderr }).toMatchObject({ exit: 0, stderr: expect.stringContaining('shown this once') });
      return stdout.trimEnd();
    },
    who: async (token: string): Promise<string> => {
      const opened = await openRunStore({ path: database });
      const answer = await authenticate({ store: opened, clock, secrets }, token);
      await opened.close();
      return answer.ok ? answer.caller.tenant : answer.why.kind;
    },
  };
}

const hourMs = 3_600_000;
const used = (
  tenant: string | null,
  slice: LeasableSlice | undefined,
  start: string,
  hours: number,
): UsageRecord => ({
  lease: 'l',
  tenant,
  command: ['python', 'train.py'],
  slices: slice === undefined ? [] : [slice],
  startMs: Date.parse(start),
  endMs: Date.parse(start) + hours * hourMs,
  peakMemoryMiB: null,
});

const lease = (id: string, tenant: string, slice: LeasableSlice | undefined, grantedMs: number) => ({
  id,
  slices: slice === undefined ? [] : [slice.id],
  wish: { slice: { kind: 'any' }, count: 1, tenant, priority: 0 } as const,
  holder: { pid: 1, startedAt: '', bootId: null },
  command: [],
  groups: [],
  grantedMs,
  heartbeatMs: grantedMs,
  ttlMs: 1,
  state: { kind: 'held' } as const,
});

describe('mica tenant', () => {
  it('shows a token once, and keeps it nowhere', async () => {
    const { add, mica, who, database } = await machine();
    const token = await add('acme', '--slices', '2');
    expect(token).toMatch(/^mica_[0-9a-f]{12}_[A-Za-z0-9_-]{43}$/);
    expect(await who(token)).toBe('acme');
    const [, , secret = ''] = /^(mica_[0-9a-f]{12})_(.*)$/.exec(token) ?? [];
    for (const name of readdirSync(dirname(database))) {
      expect(readFileSync(join(dirname(database), name)).includes(secret)).toBe(false);
    }
    expect(statSync(database).mode & 0o777).toBe(0o600);
    expect(statSync(dirname(database)).mode & 0o777).toBe(0o700);
    for (const args of [
      ['list'],
      ['list', '--json'],
      ['quota', 'acme'],
      ['token', 'acme', 'list', '--json'],
    ]) {
      const { stdout, stderr } = await mica('tenant', ...args);
      expect(`${stdout}${stderr}`).not.toContain(secret);
      expect(`${stdout}${stderr}`).not.toMatch(/[0-9a-f]{64}/);
    }
  });

  it('lists, changes and removes what tenants may have', async () => {
    const { add, mica, json, store, slices } = await machine();
    expect((await mica('tenant', 'list')).stdout).toMatch(
      /^no tenants \(in .*\): its owner has this machine alone\n$/,
    );
    await add('acme', '--slices', '2', '--memory', '60GiB', '--dedicate', '0/1g.24gb:3');
    await add('bolt', '--share', '0.5', '--expires', '90d');
    await store((tables) => tables.putLease(lease('l1', 'acme', slices[1], 0)));
    expect((await mica('tenant', 'list')).stdout).toBe(
      [
        'tenant  quota                dedicated    holds        waits  tokens',
        'acme    2 slices and 60 GiB  0/1g.24gb:3  0/1g.24gb:3      0  1',
        'bolt    50 % of the machine  -            -                0  1',
        '',
      ].join('\n'),
    );
    expect(await mica('tenant', 'add', 'acme')).toMatchObject({
      exit: 1,
      stderr: expect.stringContaining('there is a tenant acme already'),
    });
    for (const place of ['0/1g.24gb:3', '0']) {
      expect(await mica('tenant', 'quota', 'bolt', '--dedicate', place)).toEqual({
        exit: 1,
        stdout: '',
        stderr: expect.stringContaining(`${place} is dedicated to acme (0/1g.24gb:3)\nWhat to do: Take it`),
      });
    }
    expect(
      await json(
        'tenant',
        'quota',
        'acme',
        '--memory',
        'none',
        '--undedicate',
        '0/1g.24gb:3',
        '--dedicate',
        '0',
      ),
    ).toMatchObject({
      ok: true,
      tenant: { name: 'acme', quota: { slices: 2, memoryMiB: null, share: null }, dedicated: ['0'] },
    });
    expect(await mica('tenant', 'remove', 'acme')).toMatchObject({
      exit: 1,
      stderr: expect.stringMatching(/acme holds lease l1\nWhat to do: End them with `mica kill LEASE`/),
    });
    await store((tables) => tables.removeLease('l1'));
    expect((await mica('tenant', 'remove', 'acme')).exit).toBe(0);
    expect((await json('tenant', 'list')).tenants.map(({ name }: { name: string }) => name)).toEqual([
      'bolt',
    ]);
  });

  it('makes, lists and revokes tokens', async () => {
    const { add, mica, json, who } = await machine();
    const first = await add('acme');
    const made = await json('tenant', 'token', 'acme', 'add', '--expires', '1h');
    expect(made).toMatchObject({ ok: true, token: { text: expect.stringMatching(/^mica_/) } });
    const second: string = made.token.text;
    expect(Date.parse(made.token.expires) - Date.now()).toBeGreaterThan(0.9 * hourMs);
    const { tokens } = await json('tenant', 'token', 'acme', 'list');
    expect(tokens.map(({ id }: { id: string }) => id)).toEqual(
      [first, second].map((text) => text.split('_')[1]),
    );
    expect((await mica('tenant', 'token', 'acme', 'revoke', tokens[0].id)).exit).toBe(0);
    expect([await who(first), await who(second)]).toEqual(['no-such-token', 'acme']);
    for (const [exit, ...args] of [
      [1, 'acme', 'revoke', tokens[0].id],
      [1, 'bolt', 'add'],
      [1, 'bolt', 'list'],
      [2, 'acme', 'revoke'],
      [2, 'acme', 'show'],
      [2, 'acme', 'list', '--expires', '1d'],
      [2, 'acme', 'add', '--expires', '0s'],
      [2, 'acme', 'add', '--expires', 'soon'],
    ] as const) {
      expect([(await mica('tenant', 'token', ...args)).exit, ...args]).toEqual([exit, ...args]);
    }
  });

  it('needs no driver to shut somebody out', async () => {
    const env = { MICA_STATE_DIR: join(folder, 'no-driver') };
    const mica = (...args: readonly string[]): Promise<Ran> =>
      runMica([...args, '--nvml-lib', '/nowhere/libnvidia-ml.so'], { env });
    const { stdout } = await mica('tenant', 'add', 'acme');
    const id = stdout.split('_')[1] ?? '';
    expect((await mica('tenant', 'list')).stdout).toContain('acme');
    expect((await mica('tenant', 'token', 'acme', 'revoke', id)).exit).toBe(0);
    expect((await mica('tenant', 'remove', 'acme')).exit).toBe(0);
    expect((await mica('tenant', 'add', 'acme', '--dedicate', '0')).stderr).toContain('[no-nvml]');
  });

  it('takes no name, place or amount for more than it is', async () => {
    const { mica, json } = await machine();
    const marker = join(folder, 'injected');
    const bad = [
      `$(touch ${marker})`,
      `\`touch ${marker}\``,
      `; touch ${marker}`,
      `| touch ${marker}`,
      '../../../etc/passwd',
      `${folder}/x`,
      "acme'; DROP TABLE tenant; --",
      '\u001b[2J\u001b]0;title\u0007',
      'a\r\nb',
      'a\u0000b',
      'a\u202egnp',
      '=HYPERLINK("http://x")',
      '__proto__',
      'a'.repeat(100_000),
      '',
    ];
    for (const text of bad) {
      for (const args of [
        ['add', text],
        ['add', 'acme', '--dedicate', text],
        ['add', 'acme', '--slices', text],
        ['add', 'acme', '--memory', text],
        ['add', 'acme', '--share', text],
        ['add', 'acme', '--expires', text],
        ['quota', text, '--slices', '1'],
        ['remove', text],
        ['token', text, 'add'],
        ['token', text, 'revoke', text],
      ]) {
        const { exit, stdout, stderr } = await mica('tenant', ...args);
        expect([args, exit === 1 || exit === 2]).toEqual([args, true]);
        expect(stdout).toBe('');
        // eslint-disable-next-line no-control-regex -- a terminal must get none of them
        expect(stderr.replaceAll('\n', '')).not.toMatch(/[\u0000-\u001f\u202e]/);
        expect(stderr.length).toBeLessThan(3000);
      }
    }
    expect(await json('tenant', 'list')).toEqual({ tenants: [] });
    expect(readdirSync(folder)).not.toContain('injected');
    expect(await mica('tenant', 'add', 'constructor')).toMatchObject({ exit: 0 });
  });
});

describe('mica usage', () => {
  const november = async () => {
    const opened = await machine();
    const [first, second] = opened.slices;
    await opened.store((tables) => {
      tables.addUsage(used('acme', first, '2025-10-31T22:00:00Z', 4));
      tables.addUsage(used('acme', second, '2025-11-10T00:00:00Z', 1.5));
      tables.addUsage(used('bolt', first, '2025-11-30T23:00:00Z', 2));
      tables.addUsage(used(null, first, '2025-12-10T00:00:00Z', 1));
    });
    return opened;
  };

  it('cuts use at the borders of a month', async () => {
    const { mica, json } = await november();
    const { stdout, exit } = await mica('usage', '--month', '2025-11');
    expect(exit).toBe(0);
    expect(stdout).toBe(
      [
        'tenant  model                          profile  uses  slice-hours  GPU-hours  $/GPU-hour   cost',
        'acme    rtx-pro-6000-blackwell-server  1g.24gb     2       3.5000     0.8750    $3.36312  $2.94',
        'bolt    rtx-pro-6000-blackwell-server  1g.24gb     1       1.0000     0.2500    $3.36312  $0.84',
        'total                                              3       4.5000     1.1250              $3.78',
        '',
        'From 2025-11-01T00:00:00.000Z to 2025-12-01T00:00:00.000Z; use across a border is cut there.',
        'Hours are rounded to four decimals, money to cents, row by row; totals are the sums of the rows.',
        '',
      ].join('\n'),
    );
    expect(
      await json('usage', '--since', '2025-11-10', '--until', '2025-11-10T01:00', '--tenant', 'acme'),
    ).toMatchObject({
      since: '2025-11-10T00:00:00.000Z',
      until: '2025-11-10T01:00:00.000Z',
      rows: [{ tenant: 'acme', sliceHours: 1, gpuHours: 0.25, usd: 0.84 }],
      total: { sliceHours: 1, usd: 0.84 },
      running: 0,
    });
    expect((await mica('usage', '--since', '2025-11-11', '--until', '2025-11-12')).stdout).toMatch(
      /^nothing was leased\n/,
    );
  });

  it('is written for a spreadsheet: rows alone, exact decimals', async () => {
    const { mica } = await november();
    const prices = join(folder, 'prices.yaml');
    writeFileSync(
      prices,
      'apiVersion: mica/v1\nkind: Prices\nspec: { prices: [{ machineType: ours, usdPerHour: 2, model: rtx-pro-6000, gpus: 1 }] }',
    );
    const args = ['--since', '2025-10-01', '--until', '2026-01-01', '--format', 'csv', '--prices', prices];
    const { stdout, stderr } = await mica('usage', ...args);
    expect(stderr).toContain('From 2025-10-01');
    const rows = parse(stdout, { columns: true }) as readonly Readonly<Record<string, string>>[];
    expect(
      rows.map((row) => [
        row['tenant'],
        row['profile'],
        row['slice_hours'],
        row['usd_per_gpu_hour'],
        row['usd'],
      ]),
    ).toEqual([
      ['', '1g.24gb', '1.0000', '2.000000', '0.50'],
      ['acme', '1g.24gb', '5.5000', '2.000000', '2.75'],
      ['bolt', '1g.24gb', '2.0000', '2.000000', '1.00'],
    ]);
  });

  it('counts what runs up to now, and says so', async () => {
    const { mica, json, store, slices } = await machine();
    await store((tables) => tables.putLease(lease('l1', 'acme', slices[0], Date.now() - 2 * hourMs)));
    const answer = await json('usage', '--since', '1h');
    expect(answer).toMatchObject({ running: 1, rows: [{ tenant: 'acme', uses: 1 }] });
    expect(answer.total.sliceHours).toBeGreaterThan(0.99);
    expect(answer.total.sliceHours).toBeLessThan(1.05);
    expect((await mica('usage', '--since', '1h')).stdout).toContain(
      '1 lease still runs and is counted up to now.',
    );
  });

  it.each([
    ['--month', '2025-13'],
    ['--month', '2999-01'],
    ['--month', '2025-11', '--since', '1d'],
    ['--since', 'yesterday'],
    ['--since', '2025-02-30'],
    ['--since', '2025-11-02', '--until', '2025-11-01'],
    ['--since', '2999-01-01'],
    ['--format', 'xml'],
    ['--format', 'csv', '--json'],
    ['--prices', '/nowhere.yaml'],
  ])('%s %s ... is refused', async (...args) => {
    const { exit, stderr } = await (await machine()).mica('usage', ...args);
    expect({ exit, stderr }).toEqual({ exit: 2, stderr: expect.stringContaining('What to do: ') });
  });
});
