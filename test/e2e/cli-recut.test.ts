/** Leases and changes of the GPUs, `--recut`, `mica top` and `mica logs` as processes on a simulated machine. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { root } from '../tooling/clone.js';

const mica = join(root, 'bin/mica');
const folder = mkdtempSync(join(tmpdir(), 'mica-recut-'));
const running: ChildProcess[] = [];
afterAll(() => {
  for (const child of running) child.kill('SIGKILL');
  rmSync(folder, { recursive: true });
});
let machines = 0;

/** A simulated machine that Mica has cut. */
class Machine {
  readonly state = join(folder, `machine-${(machines += 1)}.json`);
  readonly #common = ['--driver', 'simulated', '--state', this.state];
  readonly #env = { ...process.env, MICA_STATE_DIR: join(folder, 'state') };

  constructor(gpus: string, ...layouts: (readonly string[])[]) {
    this.mica(['node', 'show', '--gpus', gpus]);
    expect(this.apply(layouts).status).toBe(0);
  }

  #args(words: readonly string[], program: readonly string[]): readonly string[] {
    const verbs = words[0] === 'node' ? 2 : 1;
    const tail = program.length === 0 ? [] : ['--', ...program];
    return [mica, ...words.slice(0, verbs), ...this.#common, ...words.slice(verbs), ...tail];
  }

  mica(words: readonly string[], program: readonly string[] = []) {
    const options = { encoding: 'utf8', cwd: folder, env: this.#env } as const;
    const { status, stdout, stderr } = spawnSync(process.execPath, this.#args(words, program), options);
    return { status, stdout, stderr };
  }

  apply(layouts: readonly (readonly string[])[], ...flags: readonly string[]) {
    const gpus = layouts.map((places, index) => {
      const placements = places.map((text) => {
        const [profile = '', start] = text.split(':');
        return { profile, start: Number(start) };
      });
      return { node: 'here', index, placements };
    });
    const file = `${this.state}.layout`;
    writeFileSync(file, JSON.stringify({ apiVersion: 'mica/v1', kind: 'Layout', spec: { gpus } }));
    return this.mica(['node', 'apply', '-f', file, '--node', 'here', '--yes', ...flags]);
  }

  /** Holds a slice until it is killed. */
  async hold(...flags: readonly string[]): Promise<ChildProcess> {
    const before = this.top().slices.filter(isLeased).length;
    const child = spawn(process.execPath, this.#args(['run', ...flags], ['sleep', '60']), {
      ...{ cwd: folder, env: this.#env, stdio: 'ignore' },
    });
    running.push(child);
    for (let tries = 0; this.top().slices.filter(isLeased).length === before; tries += 1) {
      if (tries > 100) throw new Error('nothing was leased');
      await wait(100);
    }
    return child;
  }

  top(): { slices: { slice: string; state: string; lease: { id: string; command: string[] } | null }[] } {
    return JSON.parse(this.mica(['top', '--json']).stdout);
  }

  slices(): readonly string[] {
    return this.top().slices.map(({ slice }) => slice);
  }
}

const isLeased = ({ state }: { readonly state: string }): boolean => state === 'leased';

// The first start after a change builds the sources.
beforeAll(() => void spawnSync(process.execPath, [mica, '--version']), 60_000);

describe('a change of a machine with leases', { timeout: 60_000 }, () => {
  it('leaves leased slices alone, says who has them, and makes no store of its own', async () => {
    const machine = new Machine('h100:1', ['3g.40gb:0', '3g.40gb:4']);
    expect(existsSync(`${machine.state}.run`)).toBe(false);
    await machine.hold();
    const leased = machine.top().slices.find(isLeased);
    expect(leased).toMatchObject({ lease: { command: ['sleep', '60'] } });
    for (const answer of [
      machine.apply([['7g.80gb:0']]),
      machine.mica(['node', 'clear', '--yes']),
      machine.mica(['node', 'undo', '--yes']),
    ]) {
      expect(answer).toMatchObject({
        status: 1,
        stdout: expect.stringMatching(/refused[^]*leased by pid \d+ .*sleep 60.*mica kill [0-9a-f]{8}/),
      });
    }
    const dry = machine.mica(['node', 'clear', '--dry-run', '--json']);
    expect(dry.status).toBe(1);
    expect(JSON.parse(dry.stdout)).toMatchObject({
      outcome: 'refused',
      gpus: [{ why: { kind: 'leased', leases: [{ id: leased?.lease?.id }] } }],
    });
    expect(machine.slices()).toEqual(['0/3g.40gb:0', '0/3g.40gb:4']);
    expect(machine.mica(['kill', leased?.lease?.id ?? '']).status).toBe(0);
    expect(machine.mica(['node', 'clear', '--yes']).status).toBe(0);
    writeFileSync(`${machine.state}.run/mica.db`, 'x'.repeat(10_000));
    // Nothing goes here; there something would, and nobody can say whose it is.
    expect(machine.apply([['3g.40gb:0']]).status).toBe(0);
    expect(machine.mica(['node', 'clear', '--yes'])).toMatchObject({
      status: 1,
      stdout: expect.stringContaining('damaged'),
    });
  });
});

describe('--recut', { timeout: 60_000 }, () => {
  it('cuts a GPU anew around what is leased, and says so; without it nothing is cut', async () => {
    const machine = new Machine('h100:1', ['1g.10gb:0', '3g.40gb:4']);
    const plain = machine.mica(['run', '--profile', '2g.20gb'], ['true']);
    expect(plain).toMatchObject({ status: 125, stderr: expect.stringContaining('--recut cuts a GPU anew') });
    expect(machine.slices()).toEqual(['0/1g.10gb:0', '0/3g.40gb:4']);
    await machine.hold('--profile', '3g.40gb');
    const cut = machine.mica(['run', '--profile', '4g.40gb', '--recut'], ['sh', '-c', 'exit 7']);
    expect(cut).toMatchObject({
      status: 7,
      stderr: 'mica: GPU 0 is cut anew: destroys 1g.10gb:0; creates 4g.40gb:0\n',
    });
    expect(machine.slices()).toEqual(['0/4g.40gb:0', '0/3g.40gb:4']);
    const busy = machine.mica(['run', '--profile', '7g.80gb', '--recut', '--wait', '0s'], ['true']);
    expect(busy).toMatchObject({
      status: 125,
      stderr: expect.stringContaining('once what is busy there is free'),
    });
  });

  it('makes room for a batch, with as many slices as there is room for', () => {
    const machine = new Machine('h100:1', ['7g.80gb:0']);
    writeFileSync(join(folder, 'jobs'), 'sleep 1\n'.repeat(6));
    const ran = machine.mica(['batch', 'jobs', '--profile', '2g.20gb', '--recut', '--json']);
    expect(ran.status).toBe(0);
    expect(JSON.parse(ran.stdout)).toMatchObject({ summary: { passed: 6 } });
    expect(machine.slices().filter((name) => name.includes('2g.20gb')).length).toBeGreaterThan(1);
  });
});

describe('mica top and mica logs', { timeout: 60_000 }, () => {
  it('show slices with who has them, once into a pipe', async () => {
    const machine = new Machine('rtx-pro-6000:1', ['1g.24gb:0', '1g.24gb:3', '2g.48gb:6']);
    await machine.hold('--profile', '2g.48gb');
    const { status, stdout } = machine.mica(['top']);
    expect(status).toBe(0);
    expect(stdout).toMatch(/\[ *1g\.24gb free *\]\[ *1g\.24gb free *\]\[ +2g\.48gb sleep +\] +2\/4 used/);
    expect(stdout).toMatch(/0\/2g\.48gb:6 +·{10} 0 MiB of [\d.]+ GiB +[0-9a-f]{8} +pid \d+ +\d+s +sleep 60/);
    expect(machine.mica(['top', '--interval', '0']).status).toBe(2);
  });

  it('print what jobs said, of the newest batch or a named one', () => {
    const machine = new Machine('h100:1', ['3g.40gb:0', '3g.40gb:4']);
    const logs = (...args: readonly string[]) => machine.mica(['logs', ...args]);
    expect(logs()).toMatchObject({ status: 2, stderr: expect.stringContaining('no batch has run') });
    writeFileSync(join(folder, 'first'), 'echo first\n');
    writeFileSync(join(folder, 'second'), 'sh -c "seq 9"\nsh -c "echo bad; exit 3"\n');
    expect(machine.mica(['batch', 'first']).status).toBe(0);
    expect(machine.mica(['batch', 'second', '--retries', '1']).status).toBe(1);
    const { batches } = JSON.parse(logs('--json').stdout);
    expect(batches).toMatchObject([
      { state: 'done', jobs: 2, passed: 1, failed: 1, open: 0 },
      { state: 'done', jobs: 1, passed: 1 },
    ]);
    const old = String(batches[1].id);
    expect(logs().stdout).toMatch(new RegExp(`${old} .* done +1 +0 +0 +echo first`));
    expect(logs('--tail', '2').stdout).toBe(
      '==> 1 sh -c "seq 9" (attempt 1: exit 0) <==\n8\n9\n==> 2 sh -c "echo bad; exit 3" (attempt 2: exit 3) <==\nbad\n',
    );
    expect(logs('--failed').stdout).toBe('bad\n');
    expect(logs('2', '--attempt', '1').stdout).toBe('bad\n');
    expect(logs(old).stdout).toBe('first\n');
    expect(logs(old, '--follow').stdout).toBe('==> 1 echo first (attempt 1: exit 0) <==\nfirst\n');
    expect(logs(old, '--failed')).toMatchObject({ status: 1, stdout: '' });
    expect(logs(`${old.slice(0, -1)}!`)).toMatchObject({
      status: 2,
      stderr: expect.stringContaining(`did you mean ${old}?`),
    });
    expect(logs('7')).toMatchObject({ status: 2, stderr: expect.stringContaining('from 1 to 2') });
  });
});
