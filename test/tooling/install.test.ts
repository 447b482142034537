/** `scripts/bootstrap.mjs`, with the real npm on a package that needs no registry. */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder, writeFiles, root } from './clone.js';
import { run, type Ran } from './run.js';

const environment = { ...process.env, npm_execpath: '' };

function freshClone(): string {
  const clone = temporaryFolder();
  const tools = ['scripts/bootstrap.mjs', 'scripts/install.mjs', 'scripts/step.mjs', 'scripts/lock.mjs'];
  for (const file of [...tools, 'bin/node-version.js']) {
    writeFiles(clone, { [file]: readFileSync(join(root, file), 'utf8') });
  }
  lockTo(clone, '1.0.0');
  return clone;
}

/** A clone whose one dependency is a folder beside it, at this version. */
function lockTo(clone: string, version: string): void {
  const own = { name: 'clone', version: '0.0.0', type: 'module', dependencies: { near: 'file:near' } };
  writeFiles(clone, {
    'near/package.json': JSON.stringify({ name: 'near', version }),
    'package.json': JSON.stringify(own),
    'package-lock.json': JSON.stringify({
      name: 'clone',
      version: '0.0.0',
      lockfileVersion: 3,
      requires: true,
      packages: { '': own, near: { version }, 'node_modules/near': { resolved: 'near', link: true } },
    }),
  });
}

function bootstrap(clone: string, env: NodeJS.ProcessEnv = environment): Promise<Ran> {
  return run(process.execPath, [join(clone, 'scripts/bootstrap.mjs')], { env });
}

const installed = { code: 0, stdout: '', stderr: expect.stringContaining('dependencies are installed') };
const nothingToDo = { code: 0, stdout: '', stderr: '' };

describe('bootstrap', () => {
  it('installs once, then has nothing to do', async () => {
    const clone = freshClone();
    expect(await bootstrap(clone)).toEqual(installed);
    expect(existsSync(join(clone, 'node_modules/near/package.json'))).toBe(true);
    expect(await bootstrap(clone)).toEqual(nothingToDo);
  });

  it('installs again when the lock file asks for something else, or a package is gone', async () => {
    const clone = freshClone();
    await bootstrap(clone);
    lockTo(clone, '1.1.0');
    expect(await bootstrap(clone)).toEqual(installed);
    rmSync(join(clone, 'node_modules/near'));
    expect(await bootstrap(clone)).toEqual(installed);
  });

  it('installs again after an install that was cut off', async () => {
    const clone = freshClone();
    await bootstrap(clone);
    rmSync(join(clone, 'node_modules/.package-lock.json'));
    expect(await bootstrap(clone)).toEqual(installed);
  });

  it('installs once when several start at once', async () => {
    const clone = freshClone();
    const runs = await Promise.all([bootstrap(clone), bootstrap(clone), bootstrap(clone)]);
    expect(runs.map(({ code }) => code)).toEqual([0, 0, 0]);
    expect(runs.filter(({ stderr }) => stderr.includes('npm ci'))).toHaveLength(1);
  });

  it('passes on what npm said when it fails, and what to do', async () => {
    const clone = freshClone();
    writeFiles(clone, { 'package-lock.json': '{}' });
    const { code, stderr } = await bootstrap(clone);
    expect(code).toBe(3);
    expect(stderr).toMatch(/npm ci failed \(1\).*npm error.*What to do: /s);
    expect(stderr).not.toMatch(/^ +at /m);
  });

  it('says so when there is no npm', async () => {
    const { code, stderr } = await bootstrap(freshClone(), { ...environment, PATH: '' });
    expect(code).toBe(3);
    expect(stderr).toMatch(/npm ci failed \(ENOENT\).*What to do: /s);
  });
});
