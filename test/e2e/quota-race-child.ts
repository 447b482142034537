/**
 * Some clients of two tenants in one process, for quota-race.test.ts: `quota-race-child.ts STATE DATABASE CLIENTS`. Does
 * what it reads from standard input, a word per line, and answers each with a line of JSON.
 */
import { randomUUID } from 'node:crypto';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import { simulatedDriver } from '../../src/adapters/simulated/driver.js';
import { inFile } from '../../src/adapters/simulated/state-store.js';
import { openRunStore } from '../../src/adapters/sqlite/run-store.js';
import { systemClock as clock } from '../../src/adapters/system/clock.js';
import { systemJobRunner as runner } from '../../src/adapters/system/job-runner.js';
import { lockFiles } from '../../src/adapters/system/lock-files.js';
import { systemProcesses as processes } from '../../src/adapters/system/processes.js';
import { leasesOn } from '#engines/run/leases-on';
import type { Lease } from '#engines/run/leases';

const [state = '', database = '', clients = ''] = process.argv.slice(2);
const store = await openRunStore({ path: database });
const driver = simulatedDriver({
  store: await inFile({ path: state, locks: lockFiles(`${state}.locks`), clock }),
  clock,
  latencyScale: 0,
});
const self = {
  pid: process.pid,
  startedAt: processes.startOf(process.pid) ?? '',
  bootId: processes.bootId(),
};
const leases = leasesOn({ store, driver, clock, processes, runner, self, newId: randomUUID });
const tenants = Array.from({ length: Number(clients) }, (_, index) => (index % 2 === 0 ? 'acme' : 'bolt'));

async function acquire(tenant: string, waitMs: number | null): Promise<Lease | null> {
  const wish = { slice: { kind: 'any' }, count: 1, tenant, priority: 0 } as const;
  const { signal } = new AbortController();
  const answer = await leases.acquire(wish, { waitMs, signal, onQueued: () => undefined, command: [] });
  if (!answer.ok && answer.why.kind !== 'timed-out') throw new Error(answer.why.message);
  return answer.ok ? answer.lease : null;
}

/** How many slices each tenant holds, as the store has it. */
function held(): Promise<Record<string, number>> {
  return store.read((tables) => {
    const counts: Record<string, number> = { acme: 0, bolt: 0 };
    for (const { wish, slices } of tables.leases()) {
      counts[wish.tenant ?? ''] = (counts[wish.tenant ?? ''] ?? 0) + slices.length;
    }
    return counts;
  });
}

let kept: readonly Lease[] = [];

const actions: Readonly<Record<string, () => Promise<unknown>>> = {
  /** Everybody at once, now or not at all; what is granted is kept. */
  rush: async () => {
    const got = await Promise.all(tenants.map((tenant) => acquire(tenant, 0)));
    kept = got.flatMap((lease) => lease ?? []);
    return tenants.filter((_, index) => got[index] !== null);
  },
  release: async () => {
    await Promise.all(kept.map((lease) => lease.release()));
    return held();
  },
  /** Everybody queues, and looks around while it holds something. The answer is the most that was seen. */
  queue: async () => {
    const most: Record<string, number> = {};
    const used: string[] = [];
    await Promise.all(
      tenants.map(async (tenant, index) => {
        const lease = await acquire(tenant, null);
        if (lease === null) return;
        used.push(...lease.slices.map(({ id }) => `${tenant} ${id}`));
        for (const [name, count] of Object.entries(await held()))
          most[name] = Math.max(most[name] ?? 0, count);
        await wait(5 + (index % 7));
        await lease.release();
      }),
    );
    return { most, used };
  },
};

console.log('"ready"');
for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await actions[line]?.()));
}
leases.close();
await store.close();
