/** etcd and kube-apiserver as this suite starts them; and that nothing of them is left. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { startRealServer } from './real-server.js';
import { hasRealServer, openTestCluster, realServerTitle } from './test-cluster.js';

describe.skipIf(!hasRealServer)(realServerTitle('a real kube-apiserver and etcd'), () => {
  it('are what the suites run against', async () => {
    const cluster = await openTestCluster();
    expect(cluster).toMatchObject({ kind: 'real', version: expect.stringMatching(/^v1\.\d+/) });
    await cluster.close();
  });

  it('end with their folder, in order', async () => {
    const server = await startRealServer();
    expect(existsSync(server.folder)).toBe(true);
    await server.close();
    expect(existsSync(server.folder)).toBe(false);
    expect(server.pids().filter(isAlive)).toEqual([]);
  });

  it('end with their folder when the tests are killed', async () => {
    const program = `
      const { startRealServer } = await import('${import.meta.dirname}/real-server.ts');
      const server = await startRealServer();
      console.log(JSON.stringify({ folder: server.folder, pids: server.pids() }));
      setInterval(() => 0, 1000);`;
    const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program]);
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    const { folder, pids } = JSON.parse(String(line)) as { folder: string; pids: number[] };
    expect(pids.every(isAlive)).toBe(true);
    child.kill('SIGKILL');
    await expect.poll(() => pids.filter(isAlive), { timeout: 10_000 }).toEqual([]);
    await expect.poll(() => existsSync(folder), { timeout: 10_000 }).toBe(false);
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
