/** `mica run --docker` and `--podman`: a container ends with its lease, however its client ends. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { root } from '../tooling/clone.js';

const mica = join(root, 'bin/mica');
const engineProgram = join(root, 'test/support/fake-container-engine.mjs');

/** A machine with both engines, and no program of that name but ours. */
function bed(tool: 'docker' | 'podman', more: NodeJS.ProcessEnv = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'mica-container-e2e-'));
  const [bin, state, temporary] = [join(folder, 'bin'), join(folder, 'engine'), join(folder, 'tmp')];
  for (const made of [bin, state, temporary]) mkdirSync(made);
  for (const name of ['docker', 'podman']) symlinkSync(engineProgram, join(bin, name));
  const containers = (): readonly { id: string; pid: number | null }[] =>
    readdirSync(state).flatMap((name) =>
      name.endsWith('.json') ? [JSON.parse(readFileSync(join(state, name), 'utf8'))] : [],
    );
  const alive = () => containers().flatMap(({ pid }) => (pid !== null && isAlive(pid) ? [pid] : []));
  onTestFinished(() => {
    for (const pid of alive()) process.kill(-pid, 'SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });
  const env = {
    ...process.env,
    ...{ PATH: `${bin}:${process.env['PATH'] ?? ''}`, TMPDIR: temporary, FAKE_ENGINE: state },
    // Found by the engine alone, as the processes of another user's container are.
    ...{ FAKE_ENGINE_HIDES: '1', MICA_STATE_DIR: join(folder, 'state'), ...more },
  };
  const args = (flags: readonly string[], program: readonly string[]): readonly string[] => [
    ...[mica, 'run', '--driver', 'simulated', '--gpus', 'rtx-pro-6000:1', '--profile', '4g.96gb'],
    ...[`--${tool}`, ...flags, '--', ...program],
  ];
  return {
    state,
    alive,
    containers,
    temporary: () => readdirSync(temporary).filter((name) => name.startsWith('mica-container-')),
    run: (flags: readonly string[], ...program: readonly string[]) => {
      const options = { encoding: 'utf8', env, timeout: 50_000 } as const;
      const { status, stdout, stderr } = spawnSync(process.execPath, args(flags, program), options);
      return { status, stdout, stderr };
    },
    start: (flags: readonly string[], ...program: readonly string[]) => {
      const child = spawn(process.execPath, args(flags, program), {
        env,
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      let stderr = '';
      child.stderr.on('data', (text: Buffer) => (stderr += text.toString()));
      return { child, ended: once(child, 'exit').then(() => child.exitCode), stderr: () => stderr };
    },
  };
}

function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

/** The client of the container: the leader of the group that Mica started. */
function clientsOf(mica: number): readonly number[] {
  const listed = spawnSync('ps', ['-o', 'pid=', '--ppid', String(mica)], { encoding: 'utf8' });
  return listed.stdout.trim().split(/\s+/).map(Number);
}

const deaf = ['sh', '-c', "trap '' TERM; while :; do sleep 0.1; done"];

describe.each(['docker', 'podman'] as const)('mica run --%s', (tool) => {
  it('runs a container, and says nothing of one that ended', () => {
    const { run, containers, temporary } = bed(tool, { FAKE_ENGINE_HIDES: '' });
    const ran = run([], tool, 'run', '--rm', 'image', 'sh', '-c', 'echo $MICA_LEASE; exit 7');
    expect(ran).toEqual({ status: 7, stdout: expect.stringMatching(/^[0-9a-f]{8}\n$/), stderr: '' });
    expect(run([], 'image', 'true')).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(run([], tool, 'run', 'no-such-image', 'true').status).toBe(125);
    expect(containers()).toHaveLength(1);
    expect(temporary()).toEqual([]);
  }, 60_000);

  it('ends it when its client is killed, when it takes too long, and when it was left running', async () => {
    const { run, start, alive, temporary } = bed(tool);
    const { child, ended, stderr } = start([], tool, 'run', 'image', ...deaf);
    await vi.waitFor(() => expect(alive()).toHaveLength(1), { timeout: 20_000 });
    for (const pid of clientsOf(child.pid ?? 0)) process.kill(pid, 'SIGKILL');
    expect(await ended).toBe(137);
    await vi.waitFor(() =>
      expect(stderr()).toMatch(/^mica: container [0-9a-f]{12} outlived its client, and is ended\n$/),
    );
    expect(alive()).toEqual([]);
    if (tool === 'docker') {
      expect(run(['--timeout', '1s'], tool, 'run', 'image', ...deaf).status).toBe(124);
      expect(alive()).toEqual([]);
    }
    expect(run([], tool, 'run', '--detach', 'image', 'sleep', '60')).toMatchObject({
      status: 0,
      stderr: expect.stringContaining('outlived its client'),
    });
    expect(alive()).toEqual([]);
    expect(temporary()).toEqual([]);
  }, 60_000);
});

describe('mica run --docker', () => {
  it('removes a container that its client made and did not start', async () => {
    const { start, containers } = bed('docker');
    const { child, ended } = start([], 'docker', 'run', 'slow-to-start', 'true');
    await vi.waitFor(() => expect(containers()).toHaveLength(1), { timeout: 20_000 });
    for (const pid of clientsOf(child.pid ?? 0)) process.kill(pid, 'SIGKILL');
    expect(await ended).toBe(137);
    expect(containers()).toEqual([]);
  }, 60_000);

  it('says where it could not, and says nothing where there never was one', async () => {
    const { run, start, alive, state } = bed('docker');
    const { child, ended, stderr } = start([], 'docker', 'run', 'image', 'sleep', '60');
    await vi.waitFor(() => expect(alive()).toHaveLength(1), { timeout: 20_000 });
    writeFileSync(join(state, 'down'), '');
    for (const pid of clientsOf(child.pid ?? 0)) process.kill(pid, 'SIGKILL');
    expect(await ended).toBe(137);
    await vi.waitFor(() =>
      expect(stderr()).toMatch(
        /a container may still run: Cannot connect.*\nWhat to do: .*`docker ps --filter label=mica/,
      ),
    );
    const { status, stderr: said } = run([], 'docker', 'run', 'image', 'true');
    expect({ status, said: said.trim().split('\n') }).toEqual({
      status: 1,
      said: [expect.stringContaining('Cannot connect')],
    });
    expect(existsSync(join(state, 'down'))).toBe(true);
  }, 60_000);
});
