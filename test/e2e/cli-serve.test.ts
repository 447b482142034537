/** `mica serve` with its tenants, as processes: who gets what, and what becomes of it when somebody is killed. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { deskAt } from '#adapters/desk/desk';
import { ServedMachine } from '../support/served-machine.js';
import type { Started } from '../support/started.js';
import { root } from '../tooling/clone.js';

const long = process.env['MICA_LONG'] === '1';

// The first start after a change builds the sources.
beforeAll(() => void spawnSync(process.execPath, [join(root, 'bin/mica'), '--version']), 60_000);

describe('a machine with tenants', { timeout: 120_000 }, () => {
  const machine = new ServedMachine([
    '--gpus',
    'rtx-pro-6000:1',
    '--profile',
    '1g.24gb',
    '--lease-ttl',
    '3s',
  ]);
  let acme = '';
  let beta = '';
  beforeAll(async () => {
    await machine.serve();
    acme = machine.addTenant('acme', '--slices', '2');
    beta = machine.addTenant('beta');
  }, 120_000);
  afterAll(() => machine.close());

  it('runs programs for whoever shows a token, which they do not see', () => {
    const program = ['--', 'sh', '-c', 'echo "$CUDA_VISIBLE_DEVICES $MICA_LEASE [$MICA_TOKEN]"; exit 7'];
    expect(machine.run(['run', ...program], acme)).toMatchObject({
      status: 7,
      stdout: expect.stringMatching(/^MIG-[0-9a-f-]{36} acme\.[0-9a-f]{8} \[\]\n$/),
    });
    expect(machine.run(['run', ...program]).stdout).toMatch(/^MIG-[0-9a-f-]{36} [0-9a-f]{8} \[\]\n$/);
    const denied = machine.run(
      ['run', '--', 'true'],
      acme.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A')),
    );
    expect(denied).toMatchObject({
      status: 125,
      stdout: '',
      stderr: expect.stringContaining('not one of this machine'),
    });
    expect(machine.run(['run', '--count', '3', '--', 'true'], acme)).toMatchObject({
      status: 125,
      stderr: expect.stringContaining('the quota of acme is 2 slices'),
    });
    writeFileSync(join(machine.folder, 'token'), `${acme}\n`);
    expect(machine.run(['ps', '--token-file', 'token', '--json']).status).toBe(0);
  });

  it('shows each tenant its own, and lets it end that alone', async () => {
    const running = machine.start(['run', '--', 'sh', '-c', 'echo up; sleep 60'], acme);
    await vi.waitFor(() => expect(running.stdout).toBe('up\n'), { timeout: 20_000 });
    const [lease] = machine.json(['ps'], acme).leases;
    expect(lease).toMatchObject({ tenant: 'acme', pid: running.pid, state: 'held' });
    expect(machine.json(['ps']).leases).toMatchObject([{ id: lease.id }]);
    expect(machine.json(['ps'], beta)).toMatchObject({ leases: [], queue: [], quarantine: [] });
    const unknown = machine.run(['kill', 'acme.00000000'], beta);
    const theirs = machine.run(['kill', lease.id], beta);
    expect(theirs.status).toBe(1);
    expect(theirs.stderr.replaceAll(lease.id, 'acme.00000000')).toBe(unknown.stderr);
    for (const args of [
      ['tenant', 'list'],
      ['tenant', 'token', 'acme', 'add'],
      ['tenant', 'remove', 'acme'],
    ]) {
      expect(machine.run(args, beta)).toMatchObject({
        status: 3,
        stderr: expect.stringContaining('whoever runs'),
      });
    }
    expect(machine.json(['usage'], beta).rows).toEqual([]);
    expect(machine.run(['kill', lease.id], acme).status).toBe(0);
    expect(await running.ended).not.toBe(0);
    expect(machine.json(['usage'], acme).rows).toMatchObject([{ tenant: 'acme' }]);
  });

  it('runs batches, which keep their records where their user is', () => {
    writeFileSync(
      join(machine.folder, 'jobs'),
      Array.from({ length: 6 }, (_, at) => `echo job ${at}`).join('\n'),
    );
    const own = { MICA_STATE_DIR: join(machine.folder, 'own') };
    const batch = machine.run(['batch', 'jobs', '--json'], acme, own);
    expect(batch).toMatchObject({ status: 0 });
    expect(JSON.parse(batch.stdout).summary).toMatchObject({ jobs: 6, passed: 6 });
    expect(existsSync(join(machine.folder, 'own', 'run', 'mica.db'))).toBe(true);
  });

  it('loses no job of a batch when the server is killed under it', async () => {
    const [jobs, ran] = [join(machine.folder, 'slow-jobs'), join(machine.folder, 'ran')];
    const lines = Array.from({ length: 12 }, (_, at) => `sh -c 'sleep 0.4; echo ${at} >>${ran}'`);
    writeFileSync(jobs, lines.join('\n'));
    const own = { MICA_STATE_DIR: join(machine.folder, 'own') };
    const batch = machine.start(['batch', jobs, '--json'], acme, own);
    await vi.waitFor(() => expect(existsSync(ran)).toBe(true), { timeout: 20_000, interval: 20 });
    await machine.server?.kill('SIGKILL');
    await machine.serve();
    expect(await batch.ended).toBe(0);
    expect(JSON.parse(batch.stdout).summary).toMatchObject({ jobs: 12, passed: 12 });
    const numbers = readFileSync(ran, 'utf8').trim().split('\n').map(Number);
    expect(numbers.sort((a, b) => a - b)).toEqual(lines.map((_, at) => at));
    expect(machine.json(['ps'])).toMatchObject({ leases: [], queue: [] });
  });

  it('has one server, and without it refuses its owner and its tenants', async () => {
    const second = machine.run([
      'serve',
      '--driver',
      'simulated',
      '--socket',
      join(machine.folder, 'other.sock'),
    ]);
    expect(second).toMatchObject({
      status: 3,
      stderr: expect.stringContaining('a server runs on this machine already'),
    });
    expect(await machine.server?.kill('SIGTERM')).toBe(0);
    expect(existsSync(machine.socket)).toBe(false);
    const noSocket = { MICA_SOCKET: '' };
    expect(machine.run(['run', '--driver', 'simulated', '--', 'true'], '', noSocket)).toMatchObject({
      status: 125,
      stderr: expect.stringMatching(/has tenants, and no server[^]*mica serve/),
    });
    expect(machine.run(['ps', '--driver', 'simulated'], '', noSocket).status).toBe(3);
    expect(machine.run(['tenant', 'list', '--driver', 'simulated', '--json'], '', noSocket).status).toBe(0);
    expect(machine.run(['run', '--', 'true'], acme, noSocket)).toMatchObject({
      status: 125,
      stderr: expect.stringContaining('no server answers'),
    });
    await machine.serve();
    // Beside its store it says where it listens.
    expect(machine.run(['ps', '--driver', 'simulated', '--json'], '', noSocket).status).toBe(0);
  });

  it('holds a quota against fifty clients at once', async () => {
    const [operator, ...clients] = [await operatorKey(), ...Array.from({ length: 50 }, () => acme)].map(
      (token) => machine.connect(token),
    );
    if (operator === undefined) throw new Error('no operator');
    const most: number[] = [];
    const over = new AbortController();
    const watching = (async () => {
      while (!isAborted(over.signal)) most.push((await deskAt(operator).list()).leases.length);
    })();
    const wish = { slice: { kind: 'any' }, count: 1, tenant: null, priority: 0 } as const;
    await Promise.all(
      clients.map(async (connection, at) => {
        const desk = deskAt(connection);
        const request = { id: `race-${at}`, wish, command: ['race'], queue: true };
        for (;;) {
          const answer = await desk.ask(request);
          if (answer.kind === 'granted') {
            await desk.release(answer.lease.id, null);
            break;
          }
          expect(answer.kind).toBe('waits');
          await wait(50);
        }
      }),
    );
    over.abort();
    await watching;
    await Promise.all([operator, ...clients].map((one) => one.close()));
    expect(Math.max(...most)).toBeLessThanOrEqual(2);
    expect(machine.json(['usage'], acme).total.uses).toBeGreaterThanOrEqual(50);
    expect(machine.json(['ps'])).toMatchObject({ leases: [], queue: [] });
  });

  async function operatorKey(): Promise<string> {
    return readFileSync(join(machine.state, 'operator.key'), 'utf8').trim();
  }
});

describe('kills at random moments', { timeout: long ? 1_800_000 : 180_000 }, () => {
  it('lose no lease, leak no slice, and let no two onto one', async () => {
    const machine = new ServedMachine([
      '--gpus',
      'rtx-pro-6000:1',
      '--profile',
      '1g.24gb',
      '--lease-ttl',
      '3s',
    ]);
    try {
      const seed = Number(process.env['MICA_SEED'] ?? 20_261_123);
      const random = seededRandom(seed);
      await machine.serve();
      const tokens = ['acme', 'beta'].map((name) => machine.addTenant(name));
      const script = join(machine.folder, 'program.sh');
      writeFileSync(script, program);
      const held = join(machine.folder, 'held');
      mkdirSync(held);
      const clients: { readonly client: Started; isKilled: boolean }[] = [];
      for (let round = 0; round < (long ? 200 : 10); round += 1) {
        for (let count = 0; count < 2; count += 1) {
          const seconds = (0.2 + random()).toFixed(2);
          const token = tokens[Math.floor(random() * tokens.length)] ?? '';
          const client = machine.start(['run', '--', 'sh', script, held, seconds], token);
          clients.push({ client, isKilled: false });
        }
        await wait(1500 * random());
        const dice = random();
        if (dice < 0.6) await machine.server?.kill(random() < 0.3 ? 'SIGTERM' : 'SIGKILL');
        if (dice > 0.4) {
          const alive = clients.filter(({ client, isKilled }) => !isKilled && client.child.exitCode === null);
          const victim = alive[Math.floor(random() * alive.length)];
          if (victim !== undefined) {
            victim.isKilled = true;
            victim.client.child.kill('SIGKILL');
          }
        }
        await wait(500 * random());
        if (dice < 0.6) await machine.serve();
      }
      const ends = await Promise.all(
        clients.map(async ({ client, isKilled }) => ({
          end: await client.ended,
          isKilled,
          said: client.stderr,
        })),
      );
      const context = JSON.stringify({ seed, server: machine.server?.stderr });
      expect(
        ends.filter(({ end, isKilled }) => !isKilled && end !== 0),
        context,
      ).toEqual([]);
      await vi.waitFor(() => expect(machine.json(['ps']).leases, context).toEqual([]), {
        timeout: 20_000,
        interval: 300,
      });
      expect(machine.json(['ps'])).toMatchObject({
        queue: [],
        quarantine: [],
        free: ['0/1g.24gb:0', '0/1g.24gb:3', '0/1g.24gb:6', '0/1g.24gb:9'],
      });
      const clashes = join(held, 'clashes');
      expect(existsSync(clashes) ? readFileSync(clashes, 'utf8') : '', context).toBe('');
    } finally {
      await machine.close();
    }
  });
});

/** A signal that may have changed while something was waited for. */
function isAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}

/** Notes that it is on its slice; whoever finds another there that lives has met it. A zombie does not. */
const program = `
mine="$1/$CUDA_VISIBLE_DEVICES"
if [ -f "$mine" ]; then
  read -r other lease <"$mine"
  state=$(grep '^State:.[^ZX]' "/proc/$other/status" 2>/dev/null) &&
    echo "$MICA_LEASE ($$) met $lease ($other, $state)" >>"$1/clashes"
fi
echo "$$ $MICA_LEASE" >"$mine"
sleep "$2"
rm -f "$mine"
`;

function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
