/** `mica node show --watch` as a process on a simulated machine that changes meanwhile. */
import { spawn, spawnSync, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { root } from '../tooling/clone.js';

const mica = join(root, 'bin/mica');
const folder = mkdtempSync(join(tmpdir(), 'mica-watch-'));
afterAll(() => rmSync(folder, { recursive: true }));
const simulated = ['--driver', 'simulated', '--state', join(folder, 'machine.json')];
const run = (...args: readonly string[]) =>
  spawnSync(process.execPath, [mica, 'node', ...args, ...simulated], { encoding: 'utf8', cwd: root });

// The first start after a change builds the sources.
beforeAll(() => void run('show', '--gpus', 'rtx-pro-6000:1'), 60_000);

class Watched {
  text = '';
  errors = '';
  readonly child: ChildProcessWithoutNullStreams;
  readonly end: Promise<number | null>;

  constructor(...args: readonly string[]) {
    this.child = spawn(process.execPath, [mica, 'node', 'show', '--watch', ...args, ...simulated]);
    this.child.stdout.on('data', (chunk) => (this.text += String(chunk)));
    this.child.stderr.on('data', (chunk) => (this.errors += String(chunk)));
    this.end = new Promise((resolve) => this.child.on('close', resolve));
    onTestFinished(() => void this.child.kill('SIGKILL'));
  }

  /** Resolves once it has printed this. */
  async until(pattern: RegExp): Promise<void> {
    while (!pattern.test(this.text)) {
      await Promise.race([
        new Promise((resolve) => this.child.stdout.once('data', resolve)),
        this.end.then((code) => Promise.reject(new Error(`it ended (${code}): ${this.text}${this.errors}`))),
      ]);
    }
  }
}

it('appends a snapshot whenever the time has come, and ends with 0 at Ctrl-C', async () => {
  const watched = new Watched('0.1');
  await watched.until(/MIG off[^]*MIG off/);
  expect(run('apply', '-f', 'data/demo/layout.yaml').status).toBe(0);
  await watched.until(/2g\.48gb:6/);
  watched.child.kill('SIGINT');
  expect(await watched.end).toBe(0);
  expect(watched.errors).toBe('');
  expect(watched.text).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\n\ngpu-0 {2}RTX PRO 6000 /);
  expect(watched.text).not.toContain('\u001b');
});

it('does not sleep out an hour when it is told to end', async () => {
  const watched = new Watched('3600', '--json');
  await watched.until(/\n/);
  watched.child.kill('SIGINT');
  expect(await watched.end).toBe(0);
  expect(watched.text.trimEnd().split('\n')).toHaveLength(1);
});

it('prints a JSON document per line', async () => {
  const watched = new Watched('0.1', '--json');
  await watched.until(/\n[^]*\n[^]*\n/);
  watched.child.kill('SIGINT');
  expect(await watched.end).toBe(0);
  const documents = watched.text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  for (const { at, driver, gpus } of documents) {
    expect(at).toMatch(/^\d{4}-/);
    expect(driver).toBe('simulated');
    expect(gpus).toHaveLength(1);
  }
});

it('ends quietly when nobody reads any more', async () => {
  const watched = new Watched('0.1');
  await watched.until(/\n/);
  watched.child.stdout.destroy();
  expect(await watched.end).toBe(0);
  expect(watched.errors).toBe('');
});
