/** `.ci/run` on a machine whose programs a test chooses: what it promises, its last line and its exit code. */
import { chmodSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { cloneWith, root, writeFiles } from './clone.js';
import { requires } from './requires.js';
import { run, type Ran } from './run.js';

const shellcheck = requires('shellcheck');

describe.skipIf(shellcheck.missing)(shellcheck.title('.ci/run is a clean script'), () => {
  it('passes shellcheck', async () => {
    expect(await run('shellcheck', [join(root, '.ci/run')])).toEqual({ code: 0, stdout: '', stderr: '' });
  });
});

const npmThatPasses =
  'mkdir -p out; echo "promised: $MICA_CI_STRICT"; echo "2 passed, 0 failed" | tee out/summary.txt';
const present = 'exit 0';

/** Runs it where exactly these programs exist; each is the body of a shell script. */
async function runCi(programs: Readonly<Record<string, string>>): Promise<Ran & { lastLine: string }> {
  const clone = cloneWith(['.ci'], {});
  for (const [name, body] of Object.entries(programs)) {
    writeFiles(clone, { [`bin/${name}`]: `#!/bin/sh\n${body}\n` });
    chmodSync(join(clone, 'bin', name), 0o755);
  }
  for (const name of ['dirname', 'rm', 'mkdir', 'tee'])
    symlinkSync(await pathOf(name), join(clone, 'bin', name));
  const ran = await run(await pathOf('bash'), [join(clone, '.ci/run')], {
    env: { PATH: join(clone, 'bin') },
  });
  return { ...ran, lastLine: ran.stdout.trimEnd().split('\n').at(-1) ?? '' };
}

async function pathOf(program: string): Promise<string> {
  return (await run('sh', ['-c', `command -v ${program}`])).stdout.trim();
}

describe('.ci/run', () => {
  it('ends with the count of the checks and their exit code', async () => {
    const good = await runCi({ id: 'echo 0', shellcheck: present, npm: npmThatPasses });
    expect([good.code, good.lastLine]).toEqual([0, '2 passed, 0 failed']);
    const bad = await runCi({
      id: 'echo 0',
      shellcheck: present,
      npm: 'mkdir out; echo "1 passed, 1 failed" | tee out/summary.txt; exit 1',
    });
    expect([bad.code, bad.lastLine]).toEqual([1, '1 passed, 1 failed']);
  });

  it('counts a run that stopped before it could count as a failure, whatever its exit code', async () => {
    for (const npm of ['exit 7', 'exit 0']) {
      const stopped = await runCi({ id: 'echo 0', shellcheck: present, npm });
      expect(stopped.code).not.toBe(0);
      expect(stopped.lastLine).toBe('0 passed, 1 failed');
    }
  });

  it('promises what is there', async () => {
    const { stdout } = await runCi({
      id: 'echo 0',
      shellcheck: present,
      gcloud: present,
      npm: npmThatPasses,
    });
    expect(stdout).toContain('promised: npm-registry shellcheck gcloud\n');
  });

  it('promises what it could have installed, so that its suite fails and does not skip', async () => {
    const { stdout } = await runCi({ id: 'echo 0', 'apt-get': present, npm: npmThatPasses });
    expect(stdout).toContain('promised: npm-registry shellcheck cc chromium prometheus openssl\n');
  });

  it('lets a suite skip where apt cannot be reached or used', async () => {
    const unreachable = await runCi({ id: 'echo 0', 'apt-get': 'exit 100', npm: npmThatPasses });
    expect(unreachable.stdout).toContain('promised: npm-registry\n');
    const notRoot = await runCi({ id: 'echo 1000', 'apt-get': present, npm: npmThatPasses });
    expect(notRoot.stdout).toContain('promised: npm-registry\n');
    expect([unreachable.code, notRoot.code]).toEqual([0, 0]);
  });
});
