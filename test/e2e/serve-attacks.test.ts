/** What a server does with callers that mean harm: it says no, says nothing of others, and serves the rest. */
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deskAt } from '#adapters/desk/desk';
import { systemProcesses } from '#adapters/system/processes';
import { ServedMachine } from '../support/served-machine.js';
import { root } from '../tooling/clone.js';

const isRoot = process.getuid?.() === 0;
const nobody = 65_534;
const any = { slice: { kind: 'any' }, count: 1, tenant: null, priority: 0 } as const;
const ask = { id: 'a1', wish: any, command: ['x'], queue: false };

describe('a server among strangers', { timeout: 60_000 }, () => {
  const machine = new ServedMachine(['--gpus', 'rtx-pro-6000:1', '--profile', '1g.24gb']);
  let acme = '';
  let beta = '';
  beforeAll(async () => {
    spawnSync(process.execPath, [join(root, 'bin/mica'), '--version']);
    await machine.serve();
    acme = machine.addTenant('acme');
    beta = machine.addTenant('beta');
  }, 120_000);
  afterAll(() => machine.close());

  const send = (
    method: string,
    path: string,
    {
      token = acme,
      body = '',
      headers = {},
    }: { token?: string; body?: string; headers?: Record<string, string> } = {},
  ): Promise<{ readonly status: number; readonly text: string }> =>
    new Promise((resolve, reject) => {
      const request = httpRequest(
        {
          socketPath: machine.socket,
          method,
          path,
          headers: {
            ...(token === '' ? {} : { authorization: `Bearer ${token}` }),
            ...(body === ''
              ? {}
              : { 'content-type': 'application/json', 'content-length': `${Buffer.byteLength(body)}` }),
            ...headers,
          },
        },
        (response) => {
          let text = '';
          response.on('data', (chunk) => (text += String(chunk)));
          response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
        },
      );
      request.on('error', reject);
      request.end(body);
    });

  /** What it answers until it hangs up. */
  const raw = (...chunks: readonly string[]): Promise<string> =>
    new Promise((resolve) => {
      let said = '';
      const socket = createConnection(machine.socket, () => {
        for (const chunk of chunks) socket.write(chunk);
      });
      socket.on('data', (chunk) => (said += String(chunk)));
      socket.on('error', () => undefined);
      socket.on('close', () => resolve(said));
    });

  it('lets nobody in without a good token, and says why to none but its owner', async () => {
    const expiring = machine.json(['tenant', 'token', 'acme', 'add', '--expires', '1s']).token.text;
    await wait(1100);
    const [kind, id, secret] = acme.split('_');
    const forged = [
      '',
      'x',
      'mica_operator_',
      `mica_operator_${'A'.repeat(43)}`,
      `${kind}_${id}_${Buffer.from(secret ?? '')
        .reverse()
        .toString()}`,
      `${kind}_000000000000_${secret}`,
      `${acme}x`,
      acme.slice(0, -1),
      'acme',
      '../../operator.key',
      "' OR 1=1 --",
    ];
    const answers = await Promise.all(forged.map((token) => send('GET', '/v1/leases', { token })));
    expect(answers.map(({ status }) => status)).toEqual(forged.map(() => 403));
    const texts = new Set(answers.map(({ text }) => JSON.parse(text).error.message));
    expect(texts).toEqual(
      new Set(['no token was shown', 'the token is not one of this machine, or was revoked']),
    );
    expect((await send('GET', '/v1/leases', { token: expiring })).text).toContain('expired');
    // Before anything is read of what they send.
    expect((await send('POST', '/v1/requests', { token: 'x', body: '{' })).status).toBe(403);
    expect((await send('GET', '/no/such/page', { token: 'x' })).status).toBe(403);
  });

  it('refuses what it cannot read, without a word about its inside', async () => {
    const asked = JSON.stringify(ask);
    const traversal = [
      '..%2f..%2foperator.key',
      '%2e%2e',
      'a%00b',
      "a';DROP%20TABLE%20lease;--",
      'a%0d%0aX:1',
      '.',
      '%',
    ];
    const answers = [
      await send('POST', '/v1/requests', { body: '{"id":' }),
      await send('POST', '/v1/requests', { body: '[]' }),
      await send('POST', '/v1/requests', { body: '{"__proto__":{"x":1}}' }),
      await send('POST', '/v1/requests', { body: JSON.stringify({ ...ask, holder: { pid: 1 } }) }),
      await send('POST', '/v1/requests', { body: JSON.stringify({ ...ask, id: '../x' }) }),
      await send('POST', '/v1/requests', { body: JSON.stringify({ ...ask, id: 'beta.x' }) }),
      await send('POST', '/v1/requests', { body: JSON.stringify({ ...ask, wish: { ...any, count: 1e9 } }) }),
      await send('POST', '/v1/requests', { body: JSON.stringify({ ...ask, command: Array(65).fill('x') }) }),
      await send('POST', '/v1/requests', { body: asked, headers: { 'content-type': 'text/plain' } }),
      await send('POST', '/v1/requests', { body: `"${'x'.repeat(2 ** 20)}"` }).catch(() => ({
        status: 413,
        text: '{}',
      })),
      await send('TRACE', '/v1/leases'),
      await send('PUT', '/v1/requests', { body: asked }),
      await send('GET', '/v1/../../etc/passwd'),
      await send('GET', '/operator.key'),
      ...(await Promise.all(traversal.map((id) => send('DELETE', `/v1/leases/${id}`)))),
      await send('GET', '/v1/leases', { headers: { 'x-long': 'x'.repeat(20_000) } }).catch(() => ({
        status: 400,
        text: '{}',
      })),
    ];
    for (const { status, text } of answers) {
      expect(status, text).toBeGreaterThanOrEqual(400);
      expect(status, text).toBeLessThan(500);
      expect(text).not.toMatch(/node_modules|src\/|dist\/|at .*\(|operator_|SQLITE/);
    }
    expect(machine.json(['ps'])).toMatchObject({ leases: [], queue: [] });
    expect(await raw('GET /v1 HTTP/1.1\r\nhost: x\r\nauthorization: Bearer x\r\n\tmore\r\n\r\n')).toMatch(
      /^HTTP\/1.1 4/,
    );
    expect(await raw('nonsense\r\n\r\n')).toMatch(/^HTTP\/1.1 400/);
    const smuggled = `POST /v1/requests HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${acme}\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`;
    expect(await raw(smuggled)).toMatch(/^HTTP\/1.1 400/);
  });

  it('hangs up on who sends slowly, and serves the others meanwhile', async () => {
    const slow = Promise.all(
      Array.from({ length: 50 }, (_, at) =>
        raw(at % 2 === 0 ? '' : 'GET /v1 HTTP/1.1\r\nhost: x\r\nx-slow: '),
      ),
    );
    expect(machine.json(['ps'], acme).leases).toEqual([]);
    await slow;
  });

  it('lets no caller begin a line in its log, or on a terminal', async () => {
    const connection = machine.connect(acme);
    const desk = deskAt(connection);
    const command = ['x\n2026-01-01T00:00:00.000Z tenant root added', '\u001B[2J'];
    const answer = await desk.ask({ ...ask, id: 'l1', command });
    if (answer.kind !== 'granted') throw new Error(answer.why);
    const shown = machine.run(['ps']).stdout;
    await desk.release(answer.lease.id, null);
    await connection.close();
    for (const text of [shown, machine.server?.stderr ?? '']) {
      expect(text).toContain(String.raw`x\n2026-01-01T00:00:00.000Z tenant root added \x1b[2J`);
      expect(text).not.toMatch(/^2026-01-01/m);
      expect(text).not.toContain('\u001B');
    }
  });

  it('binds no process to a lease that is not its holder’s own', async () => {
    const connection = machine.connect(acme);
    try {
      const desk = deskAt(connection);
      const answer = await desk.ask({ ...ask, id: 'b1' });
      if (answer.kind !== 'granted') throw new Error(answer.why);
      const { id } = answer.lease;
      const markOf = (pid: number) => ({
        pid,
        startedAt: systemProcesses.startOf(pid) ?? '0',
        bootId: systemProcesses.bootId(),
      });
      const server = machine.server?.pid ?? 0;
      // It leads no group here, or is not that process any more.
      for (const mark of [markOf(process.pid), { ...markOf(server), startedAt: '1' }, markOf(4_000_000)]) {
        expect(await desk.keep(id, [mark])).toMatchObject({ kind: 'foreign-group' });
      }
      expect(await desk.keep(id, [])).toEqual({ kind: 'kept' });
      await desk.release(id, null);
    } finally {
      await connection.close();
    }
  });

  it.runIf(isRoot)(
    'lets another user lease, but bind nothing of root’s, nor read the store or the key',
    async () => {
      // Leads a session of its own, as root's.
      const victim = spawnVictim();
      const startedAt = await victim.startedAt;
      const script = join(machine.folder, 'stranger.mjs');
      writeFileSync(script, stranger);
      chmodSync(script, 0o644);
      chmodSync(machine.state, 0o755);
      const { stdout, stderr } = spawnSync(
        process.execPath,
        [script, machine.socket, acme, `${victim.pid}`, startedAt],
        {
          uid: nobody,
          gid: nobody,
          encoding: 'utf8',
          env: {},
        },
      );
      victim.end();
      expect(stderr).toBe('');
      expect(JSON.parse(stdout)).toEqual({
        own: { kind: 'kept' },
        foreign: { kind: 'foreign-group', why: `there is no process ${victim.pid} that began then` },
      });
      for (const file of [
        'operator.key',
        'simulated.json',
        'simulated.json.run/mica.db',
        'simulated.json.run/server.json',
      ]) {
        expect(existsSync(join(machine.state, file))).toBe(true);
        const read = spawnSync('cat', [join(machine.state, file)], { uid: nobody, encoding: 'utf8' });
        expect({ file, status: read.status, stdout: read.stdout }).toEqual({ file, status: 1, stdout: '' });
      }
      expect(readFileSync(join(machine.state, 'operator.key'), 'utf8')).not.toBe('');
    },
  );

  it('says the same of what is another’s and of what is not there', async () => {
    const connection = machine.connect(beta);
    const desk = deskAt(connection);
    const answer = await desk.ask({ ...ask, id: 'c1' });
    if (answer.kind !== 'granted') throw new Error(answer.why);
    const theirs = answer.lease.id;
    const calls = (id: string) =>
      Promise.all([
        send('PUT', `/v1/leases/${id}`, { body: '{"groups":[]}' }),
        send('POST', `/v1/leases/${id}/clean`),
        send('POST', `/v1/leases/${id}/release`, { body: '{"peakMemoryMiB":null}' }),
        send('POST', `/v1/leases/${id}/quarantine`, {
          body: JSON.stringify({ slice: answer.lease.slices[0]?.id, why: 'x' }),
        }),
        send('DELETE', `/v1/requests/${id}`),
        send('DELETE', `/v1/leases/${id}`),
        send('POST', '/v1/memory', { body: JSON.stringify({ slice: answer.lease.slices[0]?.id }) }),
      ]);
    const unknown = JSON.stringify(await calls('beta.zz'));
    expect(JSON.stringify(await calls(theirs)).replaceAll(theirs, 'beta.zz')).toBe(unknown);
    expect(machine.json(['ps']).leases).toMatchObject([{ id: theirs }]);
    await desk.release(theirs, null);
    await connection.close();
  });

  function spawnVictim() {
    const child = spawnSync('sh', ['-c', 'setsid sleep 60 >/dev/null 2>&1 & sleep 0.3; echo $!'], {
      encoding: 'utf8',
    });
    const pid = Number(child.stdout.trim());
    return {
      pid,
      startedAt: Promise.resolve(systemProcesses.startOf(pid) ?? ''),
      end: () => void process.kill(pid, 'SIGKILL'),
    };
  }
});

/** A tenant that is another user of the machine: leases, and says that a process of root's works for it. */
const stranger = `
import { request } from 'node:http';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
const [socketPath, token, pid, startedAt] = process.argv.slice(2);
const call = (method, path, body) => new Promise((resolve, reject) => {
  const text = JSON.stringify(body);
  const headers = { authorization: 'Bearer ' + token, 'content-type': 'application/json', 'content-length': text.length };
  const asked = request({ socketPath, method, path, headers }, (response) => {
    let said = '';
    response.on('data', (chunk) => (said += chunk));
    response.on('end', () => resolve(JSON.parse(said)));
  });
  asked.on('error', reject);
  asked.end(text);
});
const wish = { slice: { kind: 'any' }, count: 1, tenant: null, priority: 0 };
const { lease } = await call('POST', '/v1/requests', { id: 's1', wish, command: ['x'], queue: false });
const child = spawn('sleep', ['30'], { detached: true, stdio: 'ignore' });
const stat = readFileSync('/proc/' + child.pid + '/stat', 'utf8');
const began = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
const bind = (pid, startedAt) => call('PUT', '/v1/leases/' + lease.id, { groups: [{ pid: Number(pid), startedAt, bootId: null }] });
const answer = { own: await bind(child.pid, began), foreign: await bind(pid, startedAt) };
child.kill('SIGKILL');
await call('POST', '/v1/leases/' + lease.id + '/release', { peakMemoryMiB: null });
console.log(JSON.stringify(answer));
`;
