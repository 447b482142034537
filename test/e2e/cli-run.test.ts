/** `mica run`, `ps`, `kill` and `release-slice` as processes on a simulated machine, with real programs on its slices. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { root } from '../tooling/clone.js';

const mica = join(root, 'bin/mica');
const folder = mkdtempSync(join(tmpdir(), 'mica-run-'));
afterAll(() => rmSync(folder, { recursive: true }));
let machines = 0;

/** A machine of one card with two slices. */
class Machine {
  readonly #common: readonly string[];
  readonly state: string;

  constructor(profile = '2g.48gb') {
    this.state = join(folder, `machine-${(machines += 1)}.json`);
    this.#common = ['--driver', 'simulated', '--state', this.state];
    const { status, stderr } = this.mica(['run', '--gpus', 'rtx-pro-6000:1', '--profile', profile], ['true']);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  }

  #args([verb = '', ...args]: readonly string[], program: readonly string[]): readonly string[] {
    return [mica, verb, ...this.#common, ...args, ...(program.length === 0 ? [] : ['--', ...program])];
  }

  mica(args: readonly string[], program: readonly string[] = [], env: NodeJS.ProcessEnv = {}) {
    const { status, stdout, stderr } = spawnSync(process.execPath, this.#args(args, program), {
      encoding: 'utf8',
      cwd: folder,
      env: { ...process.env, ...env },
    });
    return { status, stdout, stderr };
  }

  start(args: readonly string[], program: readonly string[]): Started {
    return new Started(spawn(process.execPath, this.#args(args, program), { cwd: folder, stdio: 'pipe' }));
  }

  ps() {
    return JSON.parse(this.mica(['ps', '--json']).stdout);
  }
}

class Started {
  stdout = '';
  stderr = '';
  readonly child: ChildProcess;
  readonly ended: Promise<number | NodeJS.Signals | null>;

  constructor(child: ChildProcess) {
    this.child = child;
    child.stdout?.on('data', (chunk) => (this.stdout += String(chunk)));
    child.stderr?.on('data', (chunk) => (this.stderr += String(chunk)));
    this.ended = new Promise((resolve) => child.on('close', (code, signal) => resolve(code ?? signal)));
  }

  /** What the program has printed by then. */
  async says(text: string | RegExp): Promise<string> {
    await vi.waitFor(() => expect(this.stdout).toMatch(text), { timeout: 20_000, interval: 20 });
    return this.stdout;
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

describe('mica run', { timeout: 60_000 }, () => {
  it('runs a program that sees its slices and nothing else, and exits as it does', () => {
    const machine = new Machine();
    const sees = machine.mica(
      ['run', '--count', '2'],
      ['sh', '-c', 'echo "$CUDA_VISIBLE_DEVICES $MICA_LEASE"; exit 7'],
    );
    expect(sees).toEqual({
      status: 7,
      stdout: expect.stringMatching(/^MIG-[0-9a-f-]{36},MIG-[0-9a-f-]{36} [0-9a-f]{8}\n$/),
      stderr: '',
    });
    const statusOf = (args: readonly string[], ...program: readonly string[]) =>
      machine.mica(['run', ...args], program).status;
    expect(statusOf([], 'sh', '-c', 'kill -9 $$')).toBe(137);
    expect(statusOf([], 'no-such-program')).toBe(127);
    expect(statusOf([], machine.state)).toBe(126);
    expect(statusOf(['--timeout', '1s'], 'sleep', '60')).toBe(124);
    expect(machine.ps()).toMatchObject({
      leases: [],
      queue: [],
      quarantine: [],
      free: ['0/2g.48gb:0', '0/2g.48gb:6'],
    });
  });

  it('says why no slice could be leased, and what to do: 125', () => {
    const machine = new Machine();
    expect(machine.mica(['run', '--profile', '3g.40gb'], ['true'])).toEqual({
      status: 125,
      stdout: '',
      stderr: expect.stringMatching(/3g\.40gb cannot be leased: this machine has 2 x 2g\.48gb\nWhat to do: /),
    });
    expect(machine.mica(['run', '--memory', '45GiB'], ['true']).stderr).toContain('at least 49.5 GiB');
    expect(machine.mica(['run', '--memory', '40GiB'], ['true']).status).toBe(0);
    expect(machine.mica(['run', '--memory', '40'], ['true']).status).toBe(2);
    writeFileSync(`${machine.state}.run/mica.db`, 'x'.repeat(10_000));
    expect(machine.mica(['run'], ['true'])).toMatchObject({
      status: 125,
      stderr: expect.stringContaining('damaged'),
    });
  });

  it('passes signals on to the whole group, also while it waits', async () => {
    const machine = new Machine('4g.96gb');
    const program = `trap 'echo got INT' INT; trap 'echo got TERM; exit 3' TERM; echo ready; while :; do sleep 0.05; done`;
    const running = machine.start(['run'], ['sh', '-c', program]);
    await running.says('ready');
    const waiting = machine.start(['run'], ['true']);
    await vi.waitFor(
      () => expect(waiting.stderr).toContain('first in the queue: 1 of 1 that would do is leased'),
      {
        timeout: 10_000,
      },
    );
    running.child.kill('SIGINT');
    await running.says('got INT');
    waiting.child.kill('SIGINT');
    expect(await waiting.ended).toBe(130);
    running.child.kill('SIGTERM');
    expect(await running.ended).toBe(3);
    expect(machine.ps()).toMatchObject({ leases: [], queue: [] });
  });

  it('ends what the program left behind', async () => {
    const machine = new Machine();
    const { stdout, status } = machine.mica(['run'], ['sh', '-c', 'sleep 300 >/dev/null 2>&1 & echo $!']);
    expect(status).toBe(0);
    expect(isAlive(Number(stdout))).toBe(false);
  });

  it('never has two programs on one slice: 12 at once on 2 slices', async () => {
    const machine = new Machine();
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
    const machine = new Machine('4g.96gb');
    const running = machine.start(
      ['run'],
      ['sh', '-c', 'trap "" TERM; sleep 300 & echo $$ $!; wait; sleep 300'],
    );
    const pids = (await running.says(/\d+ \d+\n/)).trim().split(' ').map(Number);
    expect(pids.map(isAlive)).toEqual([true, true]);
    running.child.kill('SIGKILL');
    await vi.waitFor(() => expect(isAlive(running.child.pid ?? 0)).toBe(false));
    expect(machine.ps()).toMatchObject({ leases: [{ state: 'gone', slices: ['0/4g.96gb:0'] }] });
    expect(machine.mica(['run', '--wait', '0s'], ['true'])).toMatchObject({ status: 0 });
    expect(pids.map(isAlive)).toEqual([false, false]);
    expect(machine.ps()).toMatchObject({ leases: [], quarantine: [], free: ['0/4g.96gb:0'] });
  });

  it('is not held up by what a dead holder left on another slice', async () => {
    const machine = new Machine();
    const running = machine.start(
      ['run'],
      ['sh', '-c', 'trap "" TERM; echo $$; while :; do sleep 0.1; done'],
    );
    const pid = Number(await running.says(/\d+\n/));
    running.child.kill('SIGKILL');
    const started = performance.now();
    expect(machine.mica(['run'], ['true'])).toMatchObject({ status: 0, stderr: '' });
    // The grace of the stubborn program alone takes five.
    expect(performance.now() - started).toBeLessThan(4500);
    expect(isAlive(pid)).toBe(true);
    expect(machine.mica(['run', '--count', '2', '--wait', '60s'], ['true'])).toMatchObject({ status: 0 });
    expect(isAlive(pid)).toBe(false);
  });

  it('killed at any moment leaks no slice', { timeout: 120_000 }, async () => {
    const machine = new Machine('4g.96gb');
    for (let round = 0; round < 6; round += 1) {
      const running = machine.start(['run'], ['sleep', '300']);
      await wait(150 + round * 60);
      running.child.kill('SIGKILL');
      running.child.stdout?.destroy();
      running.child.stderr?.destroy();
      expect(machine.mica(['run', '--wait', '20s'], ['true']), `round ${round}`).toMatchObject({ status: 0 });
    }
    expect(machine.ps()).toMatchObject({ leases: [], queue: [], quarantine: [] });
  });

  it('puts the slice on the command line of a container', () => {
    const machine = new Machine();
    const bin = join(folder, 'bin');
    mkdirSync(bin, { recursive: true });
    for (const tool of ['docker', 'podman']) {
      writeFileSync(join(bin, tool), '#!/bin/sh\necho "$@"\n');
      chmodSync(join(bin, tool), 0o755);
    }
    const env = { PATH: `${bin}:${process.env['PATH'] ?? ''}` };
    expect(machine.mica(['run', '--docker'], ['docker', 'run', '--rm', 'image'], env).stdout).toMatch(
      /^run --gpus device=MIG-[0-9a-f-]{36} --rm image\n$/,
    );
    expect(machine.mica(['run', '--podman'], ['--rm', 'image'], env).stdout).toMatch(
      /^run --device nvidia\.com\/gpu=MIG-[0-9a-f-]{36} --rm image\n$/,
    );
    expect(machine.mica(['run', '--docker', '--podman'], ['image'], env).status).toBe(2);
  });
});

describe('mica ps, kill and release-slice', { timeout: 60_000 }, () => {
  it('show and end what runs', async () => {
    const machine = new Machine('4g.96gb');
    const running = machine.start(['run'], ['sh', '-c', 'echo ready; sleep 300']);
    await running.says('ready');
    const waiting = machine.start(['run', '--memory', '20GiB'], ['echo', 'next']);
    await vi.waitFor(() => expect(waiting.stderr).toContain('first in the queue'), { timeout: 10_000 });
    const { stdout } = machine.mica(['ps']);
    expect(stdout).toMatch(/0\/4g\.96gb:0 +pid \d+ +\d+s +sh -c echo ready; sleep 300/);
    expect(stdout).toMatch(/waits: pid \d+ for \d+s, wants a slice of at least 22 GiB: echo next/);
    expect(stdout).toContain('free: none');
    const [{ id }] = machine.ps().leases;
    expect(machine.mica(['kill', 'nobody'])).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('no lease'),
    });
    expect(machine.mica(['kill', id])).toEqual({ status: 0, stdout: `${id} ended\n`, stderr: '' });
    expect(await running.ended).toBe(143);
    expect(await waiting.ended).toBe(0);
    expect(waiting.stdout).toBe('next\n');
  });

  it('know a stranger, and a slice that something stays in', async () => {
    const machine = new Machine('4g.96gb');
    const state = JSON.parse(readFileSync(machine.state, 'utf8'));
    const [{ id: instanceId }] = state.gpus[0].instances;
    const setClients = (clients: readonly unknown[]): void => {
      const now = JSON.parse(readFileSync(machine.state, 'utf8'));
      now.gpus[0].clients = clients;
      writeFileSync(machine.state, JSON.stringify(now));
    };
    const stranger = { pid: 4242, name: 'jupyter', usedMiB: 10, instanceId };
    setClients([stranger]);
    expect(machine.mica(['run', '--wait', '0s'], ['true'])).toMatchObject({
      status: 125,
      stderr: expect.stringContaining('jupyter (pid 4242) without a lease in'),
    });
    setClients([]);
    const marker = join(folder, 'begun');
    const running = machine.start(['run'], ['sh', '-c', `touch ${marker}; sleep 1`]);
    await vi.waitFor(() => expect(existsSync(marker)).toBe(true), { timeout: 10_000 });
    setClients([stranger]);
    expect(await running.ended).toBe(0);
    expect(running.stderr).toContain(
      'slice 0/4g.96gb:0 is kept from everybody: jupyter (pid 4242) stayed in it',
    );
    const { stderr } = machine.mica(['run'], ['true']);
    expect(stderr).toContain('is in quarantine');
    expect(machine.mica(['ps']).stdout).toContain('quarantine: 0/4g.96gb:0: jupyter (pid 4242) stayed in it');
    expect(machine.mica(['release-slice', '0/4g.96gb:0'])).toMatchObject({ status: 1 });
    setClients([]);
    expect(machine.mica(['release-slice', '0/4g.96gb:0'])).toMatchObject({ status: 0, stderr: '' });
    expect(machine.mica(['release-slice', '0/4g.96gb:0'])).toMatchObject({ status: 1 });
    expect(machine.mica(['run'], ['true']).status).toBe(0);
  });
});
