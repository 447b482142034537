/** Fifty clients of two tenants at once, in five processes with a store each over one file: no quota is ever passed. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, it, onTestFinished } from 'vitest';
import { openRunStore } from '../../src/adapters/sqlite/run-store.js';
import { noQuota } from '#core/run/quota';
import { placeOf } from '#core/run/tenant-rights';
import { slicedMachine } from '../support/sliced-machine.js';
import { root } from '../tooling/clone.js';

const folder = mkdtempSync(join(tmpdir(), 'mica-race-'));
afterAll(() => rmSync(folder, { recursive: true }));
const state = join(folder, 'machine.json');
const database = join(folder, 'run', 'mica.db');

/** Says what each process answers to a word, once all have. */
function processesWith(clients: number, count: number) {
  const script = fileURLToPath(new URL('./quota-race-child.ts', import.meta.url));
  const node = ['--conditions=source', '--import', 'tsx', script, state, database, `${clients}`];
  const children = Array.from({ length: count }, () => {
    const child = spawn(process.execPath, node, { cwd: root, stdio: ['pipe', 'pipe', 'inherit'] });
    onTestFinished(() => void child.kill('SIGKILL'));
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    return { child, lines };
  });
  return async (word: string | null): Promise<readonly unknown[]> => {
    if (word !== null) for (const { child } of children) child.stdin.write(`${word}\n`);
    return Promise.all(
      children.map(async ({ lines }) => {
        const { value, done } = await lines.next();
        if (done === true) throw new Error('a process ended');
        return JSON.parse(value) as unknown;
      }),
    );
  };
}

it('never passes a quota, and leaves nothing of it unused', { timeout: 120_000 }, async () => {
  const [first] = await slicedMachine(state, 'rtx-pro-6000:2', '1g.24gb');
  if (first === undefined) throw new Error('no slices');
  const own = placeOf(first);
  const store = await openRunStore({ path: database });
  onTestFinished(() => store.close());
  await store.transact((tables) => {
    const tenant = { createdMs: 0, tokens: [] };
    tables.putTenant({ ...tenant, name: 'acme', quota: { ...noQuota, slices: 3 }, dedicated: [own] });
    tables.putTenant({ ...tenant, name: 'bolt', quota: { ...noQuota, share: 0.5 }, dedicated: [] });
  });
  const all = processesWith(10, 5);
  await all(null);

  const granted = (await all('rush')).flatMap((names) => names as readonly string[]);
  const count = (name: string): number => granted.filter((one) => one === name).length;
  expect({ acme: count('acme'), bolt: count('bolt') }).toEqual({ acme: 3, bolt: 4 });
  const leases = await store.read((tables) => tables.leases());
  expect(new Set(leases.flatMap((lease) => lease.slices)).size).toBe(7);
  expect(leases.find((lease) => lease.slices.includes(first.id))?.wish.tenant).toBe('acme');
  expect((await all('release')).at(-1)).toBeDefined();
  expect(await store.read((tables) => tables.leases())).toEqual([]);

  const seen = (await all('queue')) as readonly {
    readonly most: Readonly<Record<string, number>>;
    readonly used: readonly string[];
  }[];
  for (const { most } of seen) {
    expect(most['acme'] ?? 0).toBeLessThanOrEqual(3);
    expect(most['bolt'] ?? 0).toBeLessThanOrEqual(4);
  }
  const used = seen.flatMap((one) => one.used);
  expect(used).toHaveLength(50);
  expect(used).not.toContain(`bolt ${first.id}`);
  expect(await store.read((tables) => [tables.leases(), tables.requests()])).toEqual([[], []]);
});
