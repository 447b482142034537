/** `mica run`, `ps`, `kill` and `release-slice` as processes on a simulated machine, with real programs on its slices. */
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { root } from '../tooling/clone.js';
import { Started } from '../support/started.js';
import { runMica } from './run-mica.js';

const mica = join(root, 'bin/mica');
const folder = mkdtempSync(join(tmpdir(), 'mica-run-'));
afterAll(() => rmSync(folder, { recursive: true }));
let machines = 0;

/** A machine of one card with two slices. */
class Machine {
  readonly #common: readonly string[];
  readonly state: string;

  private constructor() {
    this.state = join(folder, `machine-${(machines += 1)}.json`);
    this.#common = ['--driver', 'simulated', '--state', this.state];
  }

  static async of(profile = '2g.48gb'): Promise<Machine> {
    const machine = new Machine();
    const run = ['run', '--gpus', 'rtx-pro-6000:1', '--profile', profile];
    expect(await machine.mica(run, ['true'])).toMatchObject({ status: 0, stderr: '' });
    return machine;
  }

  static uncut(): Machine {
    return new Machine();
  }

  readonly cut = ['run', '--gpus', 'rtx-pro-6000:1', '--profile', '1g.24gb'];

  #args([verb = '', ...args]: readonly string[], program: readonly string[]): readonly string[] {
    return [verb, ...this.#common, ...args, ...(program.length === 0 ? [] : ['--', ...program])];
  }

  /** Inside of this process, which is faster: for programs that print nothing. */
  async mica(args: readonly string[], program: readonly string[] = []) {
    const env = { ...(process.env as Record<string, string>) };
    const { exit: status, stdout, stderr } = await runMica(this.#args(args, program), { env });
    return { status, stdout, stderr };
  }

  async process(args: readonly string[], program: readonly string[], env: NodeJS.ProcessEnv = {}) {
    const started = this.start(args, program, env);
    const status = await started.ended;
    return { status, stdout: started.stdout, stderr: started.stderr };
  }

  start(args: readonly string[], program: readonly string[], env: NodeJS.ProcessEnv = {}): Started {
    const options = { cwd: folder, stdio: 'pipe', env: { ...process.env, ...env } } as const;
    return new Started(spawn(process.execPath, [mica, ...this.#args(args, program)], options));
  }

  async ps() {
    return JSON.parse((await this.mica(['ps', '--json'])).stdout);
  }
}

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
};

// The first start after a change builds the sources.
beforeAll(() => void spawnSync(process.execPath, [mica, '--version']), 60_000);

// Most of the time they wait for what they started.
describe.concurrent('mica run', { timeout: 60_000 }, () => {
  it('runs a program that sees its slices and nothing else, and exits as it does', async () => {
    const machine = await Machine.of();
    const sees = await machine.process(
      ['run', '--count', '2'],
      ['sh', '-c', 'echo "$CUDA_VISIBLE_DEVICES $MICA_LEASE"; exit 7'],
    );
    expect(sees).toEqual({
      status: 7,
      stdout: expect.stringMatching(/^MIG-[0-9a-f-]{36},MIG-[0-9a-f-]{36} [0-9a-f]{8}\n$/),
      stderr: '',
    });
    const statusOf = async (args: readonly string[], ...program: readonly string[]) =>
      (await machine.mica(['run', ...args], program)).status;
    expect(await statusOf([], 'sh', '-c', 'kill -9 $$')).toBe(137);
    expect(await statusOf([], 'no-such-program')).toBe(127);
    expect(await statusOf([], machine.state)).toBe(126);
    expect(await statusOf(['--timeout', '1s'], 'sleep', '60')).toBe(124);
    expect(await machine.ps()).toMatchObject({
      leases: [],
      queue: [],
      quarantine: [],
      free: ['0/2g.48gb:0', '0/2g.48gb:6'],
    });
  });

  it('says why no slice could be leased, and what to do: 125', async () => {
    const machine = await Machine.of();
    expect(await machine.mica(['run', '--profile', '3g.40gb'], ['true'])).toEqual({
      status: 125,
      stdout: '',
      stderr: expect.stringMatching(/3g\.40gb cannot be leased: this machine has 2 x 2g\.48gb\nWhat to do: /),
    });
    expect((await machine.mica(['run', '--memory', '45GiB'], ['true'])).stderr).toContain(
      'at least 49.5 GiB',
    );
    expect((await machine.mica(['run', '--memory', '40GiB'], ['true'])).status).toBe(0);
    expect((await machine.mica(['run', '--memory', '40'], ['true'])).status).toBe(2);
  });

  it('does not run where its database is damaged, and says so: 125', async () => {
    // Of a machine of its own: a database that this process has open would write its log back over what is written here.
    const machine = Machine.uncut();
    mkdirSync(`${machine.state}.run`, { recursive: true });
    writeFileSync(join(`${machine.state}.run`, 'mica.db'), 'x'.repeat(10_000));
    expect(await machine.process(machine.cut, ['true'])).toMatchObject({
      status: 125,
      stderr: expect.stringContaining('damaged'),
    });
  });

  it('passes signals on to the whole group, also while it waits', async () => {
    const machine = await Machine.of('4g.96gb');
    const program = `trap 'echo got INT' INT; trap 'echo got TERM; exit 3' TERM; echo ready; while :; do sleep 0.05; done`;
    const running = machine.start(['run'], ['sh', '-c', program]);
    await running.says('ready');
    const waiting = machine.start(['run'], ['true']);
    await vi.waitFor(
      () => expect(waiting.stderr).toContain('first in the queue: 1 of 1 that would do is leased'),
      {
        timeout: 20_000,
      },
    );
    running.child.kill('SIGINT');
    await running.says('got INT');
    waiting.child.kill('SIGINT');
    expect(await waiting.ended).toBe(130);
    running.child.kill('SIGTERM');
    expect(await running.ended).toBe(3);
    expect(await machine.ps()).toMatchObject({ leases: [], queue: [] });
  });

  it('ends what the program left behind', async () => {
    const machine = await Machine.of();
    const { stdout, status } = await machine.process(
      ['run'],
      ['sh', '-c', 'sleep 300 >/dev/null 2>&1 & echo $!'],
    );
    expect(status).toBe(0);
    expect(isAlive(Number(stdout))).toBe(false);
  });

  it('never has two programs on one slice: 12 at once on 2 slices', async () => {
    const machine = await Machine.of();
    const log = join(folder, 'at-once.log');
    const program = `echo "begin $CUDA_VISIBLE_DEVICES" >> ${log}; sleep 0.1; echo "end $CUDA_VISIBLE_DEVICES" >> ${log}`;
    const runs = Array.from({ length: 12 }, () => machine.start(['run'], ['sh', '-c', program]));
    expect(await Promise.all(runs.map(({ ended }) => ended))).toEqual(runs.map(() => 0));
    const lines = readFileSync(log, 'utf8').trimEnd().split('\n');
    expect(lines).toHaveLength(24);
    const inside = new Set<string>();
    for (const line of lines) {
      const [what, device = ''] = line.split(' ');
      expect(inside.has(device)).toBe(what === 'end');
      if (what === 'begin') inside.add(device);
      else inside.delete(device);
    }
  });

  it('whose holder is killed has its program ended, and the slice is free for the next', async () => {
    const machine = await Machine.of('4g.96gb');
    const running = machine.start(
      ['run'],
      ['sh', '-c', 'trap "" TERM; sleep 300 & echo $$ $!; wait; sleep 300'],
    );
    const pids = (await running.says(/\d+ \d+\n/)).trim().split(' ').map(Number);
    expect(pids.map(isAlive)).toEqual([true, true]);
    running.child.kill('SIGKILL');
    await vi.waitFor(() => expect(isAlive(running.child.pid ?? 0)).toBe(false));
    expect(await machine.ps()).toMatchObject({ leases: [{ state: 'gone', slices: ['0/4g.96gb:0'] }] });
    expect(await machine.mica(['run', '--wait', '0s'], ['true'])).toMatchObject({ status: 0 });
    expect(pids.map(isAlive)).toEqual([false, false]);
    expect(await machine.ps()).toMatchObject({ leases: [], quarantine: [], free: ['0/4g.96gb:0'] });
  });

  it('is not held up by what a dead holder left on another slice', async () => {
    const machine = await Machine.of();
    const running = machine.start(
      ['run'],
      ['sh', '-c', 'trap "" TERM; echo $$; while :; do sleep 0.1; done'],
    );
    const pid = Number(await running.says(/\d+\n/));
    running.child.kill('SIGKILL');
    const started = performance.now();
    // As a process, which is gone afterwards: what it began to take back is for the next.
    expect(await machine.process(['run'], ['true'])).toMatchObject({ status: 0, stderr: '' });
    // The grace of the stubborn program alone takes five.
    expect(performance.now() - started).toBeLessThan(4500);
    expect(isAlive(pid)).toBe(true);
    expect(await machine.mica(['run', '--count', '2', '--wait', '60s'], ['true'])).toMatchObject({
      status: 0,
    });
    expect(isAlive(pid)).toBe(false);
  });

  it('killed at any moment leaks no slice', { timeout: 120_000 }, async () => {
    const machine = await Machine.of('4g.96gb');
    for (let round = 0; round < 6; round += 1) {
      const running = machine.start(['run'], ['sleep', '300']);
      await wait(150 + round * 60);
      running.child.kill('SIGKILL');
      running.child.stdout?.destroy();
      running.child.stderr?.destroy();
      expect(await machine.mica(['run', '--wait', '20s'], ['true']), `round ${round}`).toMatchObject({
        status: 0,
      });
    }
    expect(await machine.ps()).toMatchObject({ leases: [], queue: [], quarantine: [] });
  });

  it('killed while it cuts the GPU leaves it whole for the next', { timeout: 120_000 }, async () => {
    for (let round = 0; round < 6; round += 1) {
      const machine = Machine.uncut();
      const cutting = machine.start([...machine.cut, '--latency', '0.15'], ['true']);
      await vi.waitFor(() => expect(existsSync(`${machine.state}.journal`)).toBe(true), {
        timeout: 20_000,
        interval: 5,
      });
      await wait(round * 60);
      cutting.child.kill('SIGKILL');
      await cutting.ended;
      expect(await machine.mica([...machine.cut, '--count', '4'], ['true']), `round ${round}`).toMatchObject({
        status: 0,
        stderr: '',
      });
    }
  });

  it('puts the slice on the command line of a container', async () => {
    const machine = await Machine.of();
    const bin = join(folder, 'bin');
    mkdirSync(bin, { recursive: true });
    for (const tool of ['docker', 'podman']) {
      writeFileSync(join(bin, tool), '#!/bin/sh\necho "$@"\n');
      chmodSync(join(bin, tool), 0o755);
    }
    const env = { PATH: `${bin}:${process.env['PATH'] ?? ''}` };
    expect(
      (await machine.process(['run', '--docker'], ['docker', 'run', '--rm', 'image'], env)).stdout,
    ).toMatch(
      /^run --gpus device=MIG-[0-9a-f-]{36} --cidfile \S+ --label mica\.lease=\S+ --env MICA_LEASE=\S+ --rm image\n/,
    );
    expect((await machine.process(['run', '--podman'], ['--rm', 'image'], env)).stdout).toMatch(
      /^run --device nvidia\.com\/gpu=MIG-[0-9a-f-]{36} --cidfile \S+ --label \S+ --env \S+ --rm image\n/,
    );
    expect((await machine.mica(['run', '--docker', '--podman'], ['image'])).status).toBe(2);
  });
});

describe.concurrent('mica ps, kill and release-slice', { timeout: 60_000 }, () => {
  it('show and end what runs', async () => {
    const machine = await Machine.of('4g.96gb');
    const running = machine.start(['run'], ['sh', '-c', 'echo ready; sleep 300']);
    await running.says('ready');
    const waiting = machine.start(['run', '--memory', '20GiB'], ['echo', 'next']);
    await vi.waitFor(() => expect(waiting.stderr).toContain('first in the queue'), { timeout: 20_000 });
    const { stdout } = await machine.mica(['ps']);
    expect(stdout).toMatch(/0\/4g\.96gb:0 +pid \d+ +\d+s +sh -c echo ready; sleep 300/);
    expect(stdout).toMatch(/waits: pid \d+ for \d+s, wants a slice of at least 22 GiB: echo next/);
    expect(stdout).toContain('free: none');
    const [{ id }] = (await machine.ps()).leases;
    expect(await machine.mica(['kill', 'nobody'])).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('no lease'),
    });
    expect(await machine.mica(['kill', id])).toEqual({ status: 0, stdout: `${id} ended\n`, stderr: '' });
    expect(await running.ended).toBe(143);
    expect(await waiting.ended).toBe(0);
    expect(waiting.stdout).toBe('next\n');
  });

  it('know a stranger, and a slice that something stays in', async () => {
    const machine = await Machine.of('4g.96gb');
    const state = JSON.parse(readFileSync(machine.state, 'utf8'));
    const [{ id: instanceId }] = state.gpus[0].instances;
    const setClients = (clients: readonly unknown[]): void => {
      const now = JSON.parse(readFileSync(machine.state, 'utf8'));
      now.gpus[0].clients = clients;
      writeFileSync(machine.state, JSON.stringify(now));
    };
    const stranger = { pid: 4242, name: 'jupyter', usedMiB: 10, instanceId };
    setClients([stranger]);
    expect(await machine.mica(['run', '--wait', '0s'], ['true'])).toMatchObject({
      status: 125,
      stderr: expect.stringContaining('jupyter (pid 4242) without a lease in'),
    });
    setClients([]);
    const marker = join(folder, 'begun');
    const running = machine.start(['run'], ['sh', '-c', `touch ${marker}; sleep 1`]);
    await vi.waitFor(() => expect(existsSync(marker)).toBe(true), { timeout: 20_000 });
    setClients([stranger]);
    expect(await running.ended).toBe(0);
    expect(running.stderr).toContain(
      'slice 0/4g.96gb:0 is kept from everybody: jupyter (pid 4242) stayed in it',
    );
    const { stderr } = await machine.mica(['run'], ['true']);
    expect(stderr).toContain('is in quarantine');
    expect((await machine.mica(['ps'])).stdout).toContain(
      'quarantine: 0/4g.96gb:0: jupyter (pid 4242) stayed in it',
    );
    expect(await machine.mica(['release-slice', '0/4g.96gb:0'])).toMatchObject({ status: 1 });
    setClients([]);
    expect(await machine.mica(['release-slice', '0/4g.96gb:0'])).toMatchObject({ status: 0, stderr: '' });
    expect(await machine.mica(['release-slice', '0/4g.96gb:0'])).toMatchObject({ status: 1 });
    expect((await machine.mica(['run'], ['true'])).status).toBe(0);
  });
});
