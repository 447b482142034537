/** A program that was started: what it has printed, and how it ended. */
import type { ChildProcess } from 'node:child_process';
import { expect, vi } from 'vitest';

export class Started {
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

  get pid(): number {
    return this.child.pid ?? -1;
  }

  /** What the program has printed by then. */
  async says(text: string | RegExp): Promise<string> {
    await vi.waitFor(() => expect(this.stdout).toMatch(text), { timeout: 20_000, interval: 20 });
    return this.stdout;
  }

  async kill(signal: NodeJS.Signals): Promise<number | NodeJS.Signals | null> {
    this.child.kill(signal);
    return this.ended;
  }
}
