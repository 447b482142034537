import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { kernelPeers } from './peers.js';
import { statusOf } from './process-status.js';

/** Any number that stays one process's own. */
const processes = {
  bootId: () => 'boot',
  startOf: (pid: number) => (statusOf(pid) === null ? null : `t${pid}`),
};
const peers = kernelPeers(processes);
const markOf = (pid: number) => ({ pid, startedAt: `t${pid}`, bootId: 'boot' });
const isLinux = process.platform === 'linux';

async function accepted(): Promise<Socket> {
  const folder = mkdtempSync(join(tmpdir(), 'mica-peer-'));
  const server = createServer();
  const socket = new Promise<Socket>((resolve) => server.once('connection', resolve));
  await new Promise<void>((resolve) => server.listen(join(folder, 's'), resolve));
  const client = connect(join(folder, 's'));
  onTestFinished(() => {
    client.destroy();
    server.close();
    rmSync(folder, { recursive: true });
  });
  return socket;
}

describe.runIf(isLinux)('who is at the other end', () => {
  it('is the process that connected, as the kernel noted it', async () => {
    const socket = await accepted();
    expect(peers.of(socket)).toEqual({ mark: markOf(process.pid), uid: process.getuid?.() });
    socket.destroy();
    expect(peers.of(socket)).toBeNull();
  });

  it('owns the groups of its user, by their leaders', () => {
    const child = spawn('sleep', ['30'], { detached: true, stdio: 'ignore' });
    const within = spawn('sleep', ['30'], { stdio: 'ignore' });
    const [pid = 0, inside = 0] = [child.pid, within.pid];
    onTestFinished(() => {
      child.kill('SIGKILL');
      within.kill('SIGKILL');
    });
    const uid = process.getuid?.() ?? 0;
    const self = { mark: markOf(process.pid), uid };
    expect(peers.whyForeign(self, markOf(pid))).toBeNull();
    const stranger = { ...self, uid: uid + 1 };
    const absent = `there is no process ${pid} that began then`;
    expect(peers.whyForeign(stranger, markOf(pid))).toBe(absent);
    expect(peers.whyForeign(self, { ...markOf(pid), startedAt: 'earlier' })).toBe(absent);
    expect(peers.whyForeign(self, { ...markOf(pid), bootId: 'before' })).toBe(absent);
    expect(peers.whyForeign(self, markOf(inside))).toContain('leads no group');
    expect(peers.whyForeign(self, markOf(2 ** 22 + 1))).toContain('there is no process');
  });
});
