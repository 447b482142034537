/** The CLI as a process: exit codes, streams, pipes and time. What it prints is held by the golden files. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { root } from '../tooling/clone.js';

const mica = join(root, 'bin/mica');
const folder = mkdtempSync(join(tmpdir(), 'mica-test-'));
afterAll(() => rmSync(folder, { recursive: true }));

function run(args: readonly string[], input = '', env: Readonly<Record<string, string>> = {}) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [mica, ...args], {
    input,
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, ...env },
    maxBuffer: 2 ** 26,
  });
  return { status, stdout, stderr };
}

function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

const question = `
apiVersion: mica/v1
kind: Fleet
spec: { rent: [{ machineType: g4-standard-48, max: 2 }] }
---
apiVersion: mica/v1
kind: Needs
spec: { needs: [{ name: bert, count: 8, memory: 9GiB }] }
`;

// The first start after a change builds the sources, which is not what is timed here.
beforeAll(() => void run(['--version']), 60_000);

describe('exit codes', () => {
  it.each([
    [['layout', 'check', 'h100', '3g.40gb', '3g.40gb'], 0],
    [['layout', 'check', 'h100', '3g.40gb', '3g.40gb', '1g.10gb'], 1],
    [['layout', 'check', 'nope', '3g.40gb'], 2],
    [['layout'], 2],
  ])('%j: %d', (args, status) => {
    expect(run(args).status).toBe(status);
  });

  it.runIf(process.platform === 'linux')('says that nobody can read its answer', () => {
    const { status, stderr } = spawnSync(
      'sh',
      ['-c', `"${process.execPath}" "${mica}" --version > /dev/full`],
      {
        encoding: 'utf8',
      },
    );
    expect({ status, stderr }).toEqual({
      status: 3,
      stderr: expect.stringMatching(/^mica: the answer cannot be written: ENOSPC.*\n$/),
    });
  });

  it('3 where the answer cannot be written', () => {
    const notAFolder = file('not-a-folder', '');
    const { status, stderr } = run(
      ['plan', '-f', '-', '--emit', 'vm', '--out', join(notAFolder, 'out')],
      question,
    );
    expect({ status, stderr }).toEqual({ status: 3, stderr: expect.stringContaining('[unwritable-folder]') });
  });
});

describe('standard input and output', () => {
  it('plans what it reads from standard input, and prints only the answer', () => {
    const { status, stdout, stderr } = run(['plan', '-f', '-', '--json'], question);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const plan = JSON.parse(stdout);
    expect(plan).toMatchObject({
      schema: 'mica/plan@1',
      gpus: 2,
      unplaced: [],
      headroom: 0.1,
      proof: { kind: 'prices' },
    });
    expect(plan.assignment).toHaveLength(8);
    expect(plan.alternatives).toMatchObject({
      wholeGpus: { gpus: 2, unplaced: 6 },
      timeSliced: { unplaced: 0 },
    });
  });

  it('takes a setting from the flag before the environment before mica.yaml', () => {
    const config = file('settings.yaml', 'headroom: 0.4');
    const headroomOf = (args: readonly string[], env: Readonly<Record<string, string>>): unknown =>
      JSON.parse(
        run(['size', '--memory', '20GiB', '--json', ...args], '', { MICA_CONFIG: config, ...env }).stdout,
      ).headroom;
    expect(headroomOf([], {})).toBe(0.4);
    expect(headroomOf(['--headroom', '0.2'], { MICA_HEADROOM: '0.3' })).toBe(0.2);
  });

  it('writes the files of --emit where they are wanted, executable where they are scripts', () => {
    const out = join(folder, 'out');
    const { status, stdout } = run(['plan', '-f', '-', '--emit', 'vm', '--out', out], question);
    expect(status).toBe(0);
    const files = readdirSync(out);
    expect(files.length).toBeGreaterThan(0);
    for (const name of files) expect(stdout).toContain(name);
    const [script = ''] = files.filter((name) => name.endsWith('.sh'));
    expect(statSync(join(out, script)).mode & 0o111).not.toBe(0);
  });

  it('ends quietly when the reader has seen enough', async () => {
    const child = spawn(process.execPath, [mica, 'layout', 'list', 'h100', '--json'], { cwd: folder });
    let stderr = '';
    child.stderr.on('data', (chunk) => (stderr += String(chunk)));
    child.stdout.once('data', () => child.stdout.destroy());
    const status = await new Promise((resolve) => child.on('close', resolve));
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });
});

describe('garbage', () => {
  it.each([
    ['random bytes', () => Uint8Array.from({ length: 1e7 }, (_, index) => (index * 2654435761) >>> 24)],
    ['text of no sense', () => 'a: b: [c, {d\n'.repeat(770_000)],
    ['as much as is read', () => '[{a: [b, '.repeat(116_000)],
  ])('10 MB of %s: one screen, exit 2, at once', (name, content) => {
    const path = file(`${name}.yaml`, content());
    const started = performance.now();
    const { status, stdout, stderr } = run(['plan', '-f', path]);
    const seconds = (performance.now() - started) / 1000;
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr.split('\n').length).toBeLessThan(24);
    expect(stderr).toContain('What to do: ');
    expect(stderr).not.toMatch(/^\s+at /m);
    // Two seconds on a machine of its own; other tests use these cores as well.
    expect(seconds).toBeLessThan(6);
  });
});

describe('what --help and --version load', () => {
  /** What importing a source file runs: its static imports, theirs, and so on. */
  function loadedBy(entry: string): ReadonlySet<string> {
    const loaded = new Set<string>();
    const visit = (path: string): void => {
      if (loaded.has(path)) return;
      loaded.add(path);
      if (!path.endsWith('.ts')) return;
      for (const [, name = ''] of readFileSync(join(root, path), 'utf8').matchAll(
        /^(?:import|export) (?!type\b)[^;]*? from '([^']+)';/gm,
      )) {
        if (name.startsWith('#')) visit(`src/${name.slice(1)}.ts`);
        else if (name.startsWith('.'))
          visit(relative(root, join(root, dirname(path), name.replace(/\.js$/, '.ts'))));
        else visit(name);
      }
    };
    visit(entry);
    return loaded;
  }

  it('is the commander tree, and neither zod, YAML, tables, adapters nor the catalogue', () => {
    expect([...loadedBy('src/apps/cli/main.ts')].sort()).toEqual([
      'commander',
      'picocolors',
      'src/apps/cli/audit-formats.ts',
      'src/apps/cli/audit-program.ts',
      'src/apps/cli/batch-program.ts',
      'src/apps/cli/cluster-apply-program.ts',
      'src/apps/cli/cluster-plan-program.ts',
      'src/apps/cli/cluster-pool-program.ts',
      'src/apps/cli/cluster-program.ts',
      'src/apps/cli/controller-program.ts',
      'src/apps/cli/did-you-mean.ts',
      'src/apps/cli/lint-program.ts',
      'src/apps/cli/look-program.ts',
      'src/apps/cli/main.ts',
      'src/apps/cli/mica-command.ts',
      'src/apps/cli/node-program.ts',
      'src/apps/cli/options.ts',
      'src/apps/cli/program.ts',
      'src/apps/cli/run-program.ts',
      'src/apps/cli/serve-program.ts',
      'src/apps/cli/tenant-program.ts',
      'src/apps/cli/terminal/screen.ts',
      'src/apps/cli/usage-error.ts',
      'src/apps/cli/version.ts',
      'src/core/catalogue/edit-distance.ts',
      'src/core/errors.ts',
    ]);
  });

  it('print and end with 0', () => {
    expect(run(['--version'])).toEqual({
      status: 0,
      stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
      stderr: '',
    });
    expect(run(['plan', '--help'])).toEqual({
      status: 0,
      stdout: expect.stringContaining('Usage: mica plan'),
      stderr: '',
    });
  });
});
