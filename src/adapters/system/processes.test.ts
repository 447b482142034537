import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it, onTestFinished } from 'vitest';
import { systemProcesses } from './processes.js';

/** A process that waits to be signalled; killed with the test at the latest. */
async function sleeper(): Promise<{ pid: number; ended: Promise<unknown> }> {
  const child = spawn('sleep', ['60'], { stdio: 'ignore' });
  const ended = once(child, 'exit');
  await once(child, 'spawn');
  onTestFinished(() => void child.kill('SIGKILL'));
  return { pid: child.pid!, ended };
}

describe('processes', () => {
  it('are alive until they are told to end', async () => {
    const { pid, ended } = await sleeper();
    expect(systemProcesses.isAlive(pid)).toBe(true);
    await expect.poll(() => systemProcesses.nameOf(pid)).toBe('sleep');
    const startedAt = systemProcesses.startOf(pid) ?? '';
    expect(startedAt).toMatch(/^\d+$/);
    expect(systemProcesses.startOf(pid)).toBe(startedAt);
    // As if its pid had been another's when it was looked up.
    expect(systemProcesses.signal(pid, `${Number(startedAt) - 1}`, 'SIGKILL')).toBe(false);
    expect(systemProcesses.isAlive(pid)).toBe(true);
    expect(systemProcesses.signal(pid, startedAt, 'SIGTERM')).toBe(true);
    expect(await ended).toEqual([null, 'SIGTERM']);
    expect(systemProcesses.isAlive(pid)).toBe(false);
    expect(systemProcesses.signal(pid, startedAt, 'SIGKILL')).toBe(false);
    expect(systemProcesses.startOf(pid)).toBeNull();
    expect(systemProcesses.nameOf(pid)).toBeNull();
  });

  it('that ended but were not waited for are gone', async () => {
    const script = 'sleep 0 & echo $!; exec sleep 60';
    const parent = spawn('sh', ['-c', script], { stdio: ['ignore', 'pipe', 'ignore'] });
    onTestFinished(() => void parent.kill('SIGKILL'));
    const [line] = await once(parent.stdout, 'data');
    const pid = Number(String(line));
    expect(pid).toBeGreaterThan(1);
    await expect.poll(() => systemProcesses.isAlive(pid), { timeout: 5000 }).toBe(false);
    expect(() => process.kill(pid, 0)).not.toThrow();
  });

  it('are never groups, the machine or ourselves', () => {
    for (const pid of [0, -1, -process.pid, 1, 1.5, NaN, Infinity, process.pid, 2 ** 60]) {
      const startedAt = systemProcesses.startOf(pid) ?? '0';
      expect(systemProcesses.signal(pid, startedAt, 'SIGKILL'), `pid ${pid}`).toBe(false);
    }
    expect(systemProcesses.startOf(-1)).toBeNull();
    expect(systemProcesses.bootId()).toMatch(/^[0-9a-f-]{36}$/);
    expect(systemProcesses.isAlive(-1)).toBe(false);
    expect(systemProcesses.isAlive(1)).toBe(true);
    expect(systemProcesses.isAlive(process.pid)).toBe(true);
    expect(systemProcesses.nameOf(-1)).toBeNull();
  });
});
