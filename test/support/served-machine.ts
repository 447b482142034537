/** `mica serve` as a process on a simulated machine of its own, with clients as processes and in this one. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, vi } from 'vitest';
import { connectTo, type Connection } from '#adapters/desk/connection';
import { systemClock } from '#adapters/system/clock';
import { root } from '../tooling/clone.js';
import { Started } from './started.js';

const mica = join(root, 'bin/mica');

export class ServedMachine {
  readonly folder = mkdtempSync(join(tmpdir(), 'mica-serve-'));
  readonly state = join(this.folder, 'state');
  readonly socket = join(this.folder, 'state', 'mica.sock');
  readonly #serveArgs: readonly string[];
  readonly #children = new Set<ChildProcess>();
  server: Started | null = null;

  constructor(serveArgs: readonly string[]) {
    this.#serveArgs = serveArgs;
    // So that what keeps others out is not this very folder.
    chmodSync(this.folder, 0o755);
  }

  get env(): NodeJS.ProcessEnv {
    return {
      ...process.env,
      MICA_STATE_DIR: this.state,
      MICA_SOCKET: this.socket,
      MICA_TOKEN: '',
      HOME: this.folder,
    };
  }

  async serve(): Promise<Started> {
    const server = this.start(['serve', '--driver', 'simulated', ...this.#serveArgs]);
    this.server = server;
    const isUp = vi.waitFor(() => expect(server.stderr).toContain('listening on'), {
      timeout: 30_000,
      interval: 20,
    });
    await Promise.race([isUp, server.ended.then(() => Promise.reject(new Error(server.stderr)))]);
    return server;
  }

  /** `token`: none is whoever runs the machine. */
  run(args: readonly string[], token = '', env: NodeJS.ProcessEnv = {}) {
    const { status, stdout, stderr } = spawnSync(process.execPath, [mica, ...args], {
      encoding: 'utf8',
      cwd: this.folder,
      env: { ...this.env, MICA_TOKEN: token, ...env },
    });
    return { status, stdout, stderr };
  }

  start(args: readonly string[], token = '', env: NodeJS.ProcessEnv = {}): Started {
    const child = spawn(process.execPath, [mica, ...args], {
      cwd: this.folder,
      env: { ...this.env, MICA_TOKEN: token, ...env },
      stdio: 'pipe',
    });
    this.#children.add(child);
    return new Started(child);
  }

  json(args: readonly string[], token = '') {
    const { status, stdout, stderr } = this.run([...args, '--json'], token);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    return JSON.parse(stdout);
  }

  addTenant(name: string, ...args: readonly string[]): string {
    return this.json(['tenant', 'add', name, ...args]).token.text;
  }

  connect(token: string): Connection {
    return connectTo({ socket: this.socket, token, clock: systemClock, patienceMs: 20_000 });
  }

  async close(): Promise<void> {
    this.server?.child.kill('SIGTERM');
    await this.server?.ended;
    for (const child of this.#children) child.kill('SIGKILL');
    rmSync(this.folder, { recursive: true, force: true });
  }
}
