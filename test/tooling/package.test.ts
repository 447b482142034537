/** What `npm pack` makes, installed in an empty folder as a user would: the command and the library doors work. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { root, writeFiles } from './clone.js';
import { requires } from './requires.js';
import { run } from './run.js';

const folder = mkdtempSync(join(tmpdir(), 'mica-package-'));
const cleanUp = () => rmSync(folder, { recursive: true, force: true });
afterAll(cleanUp);

const packed = await run('npm', ['pack', '--json', '--pack-destination', folder], { cwd: root });
if (packed.code !== 0) {
  cleanUp();
  throw new Error(packed.stderr);
}
const { filename, files } = JSON.parse(packed.stdout)[0] as { filename: string; files: { path: string }[] };

writeFiles(folder, { 'package.json': '{ "private": true, "type": "module" }' });
const quickly = ['--prefer-offline', '--no-audit', '--no-fund', '--fetch-retries=0'];
const installed = await run('npm', ['install', ...quickly, join(folder, filename)], { cwd: folder });
const unreachable = /ENOTCACHED|ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH/;
const registry = requires('npm-registry', !unreachable.test(installed.stderr));

describe('npm pack', () => {
  it('holds what runs and nothing else', () => {
    const paths = files.map(({ path }) => path);
    const expected =
      /^(bin\/|dist\/.*\.(js|d\.ts)$|data\/|deploy\/|docs\/(reference|guides)\/|package\.json$|LICENSE$|README\.md$)/;
    expect(paths.filter((path) => !expected.test(path) || /\.test\./.test(path))).toEqual([]);
    expect(paths).toEqual(
      expect.arrayContaining(['bin/mica', 'LICENSE', 'dist/index.d.ts', 'dist/core/index.d.ts']),
    );
  });
});

describe.skipIf(registry.missing)(registry.title('the installed package'), () => {
  const mica = join(folder, 'node_modules/.bin/mica');

  it('installs without an error', () => {
    expect(installed.stderr).not.toContain('npm error');
    expect(installed.code).toBe(0);
  });

  it('knows its version', async () => {
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    expect(await run(mica, ['--version'], { cwd: folder })).toEqual({
      code: 0,
      stdout: `${version}\n`,
      stderr: '',
    });
  });

  it('runs the demo', async () => {
    const elsewhere = join(folder, 'elsewhere');
    mkdirSync(elsewhere);
    const { code, stdout } = await run(mica, ['demo'], { cwd: elsewhere });
    expect(code).toBe(0);
    expect(stdout).toMatch(/GPU/);
  });

  it('is a library with types: mica and mica/core', async () => {
    const module = { module: 'NodeNext', target: 'ES2023', strict: true, types: [] };
    writeFiles(folder, {
      'tsconfig.json': JSON.stringify({ compilerOptions: module, files: ['user.ts'] }),
      'user.ts': `import { statesOf, type MigModel } from 'mica';
        import { spaceOf } from 'mica/core';
        export const countStates = (model: MigModel): number => statesOf(spaceOf(model)).length;
        // @ts-expect-error: the declarations are real, not any
        spaceOf('h100');`,
    });
    const tsc = join(root, 'node_modules/typescript/bin/tsc');
    expect(await run(process.execPath, [tsc, '-p', folder, '--noEmit'])).toEqual({
      code: 0,
      stdout: '',
      stderr: '',
    });
    const printDoors = `const [all, core] = [await import('mica'), await import('mica/core')];
      console.log(typeof core.spaceOf, all.spaceOf === core.spaceOf);`;
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', printDoors], {
      cwd: folder,
    });
    expect(stdout).toBe('function true\n');
  });
});
