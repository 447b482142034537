/** `bin/mica` in a clone: it runs what the sources say now, from anywhere, also when two start at once. */
import { mkdirSync, readFileSync, readdirSync, rmSync, symlinkSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { cloneWith, root, temporaryFolder, writeFiles } from './clone.js';
import { run } from './run.js';

const tools = ['bin', 'scripts', 'package.json', 'package-lock.json', 'tsconfig.json'];

function cloneThatSays(words: string): string {
  return cloneWith(tools, {
    'src/apps/cli/main.ts': `import { words } from '#core/words';
      export function main(argv: readonly string[]): Promise<number> {
        process.stdout.write([words, ...argv].join(' '));
        return Promise.resolve(1);
      }`,
    'src/core/words.ts': `export const words: string = '${words}';`,
    'src/core/words.test.ts': 'throw new Error("tests are not built");',
  });
}

describe('bin/mica in a clone', () => {
  it('builds, passes the arguments on and ends with the code of main', async () => {
    const clone = cloneThatSays('one');
    expect(await run(join(clone, 'bin/mica'), ['--flag'])).toEqual({
      code: 1,
      stdout: 'one --flag',
      stderr: '',
    });
    expect(readdirSync(join(clone, 'dist/core'))).toEqual(['words.js']);
  });

  it('runs through a symlink from another folder', async () => {
    const clone = cloneThatSays('linked');
    const elsewhere = temporaryFolder();
    symlinkSync(join(clone, 'bin/mica'), join(elsewhere, 'mica'));
    expect((await run('./mica', [], { cwd: elsewhere })).stdout).toBe('linked');
  });

  it('sees a source that changed, also to an older date, and one that is gone', async () => {
    const clone = cloneThatSays('before');
    const mica = join(clone, 'bin/mica');
    writeFiles(clone, { 'src/core/extra.ts': 'export const extra = 1;' });
    await run(mica, []);
    expect(readdirSync(join(clone, 'dist/core'))).toContain('extra.js');

    writeFiles(clone, { 'src/core/words.ts': `export const words: string = 'after!';` });
    utimesSync(join(clone, 'src/core/words.ts'), 0, 0);
    expect((await run(mica, [])).stdout).toBe('after!');

    rmSync(join(clone, 'src/core/extra.ts'));
    await run(mica, []);
    expect(readdirSync(join(clone, 'dist/core'))).not.toContain('extra.js');
  });

  it('leaves dist/ alone when only a test changed', async () => {
    const clone = cloneThatSays('same');
    await run(join(clone, 'bin/mica'), []);
    const built = readFileSync(join(clone, 'dist/.built-from'), 'utf8');
    writeFiles(clone, { 'src/core/words.test.ts': '// another test' });
    await run(join(clone, 'bin/mica'), []);
    expect(readFileSync(join(clone, 'dist/.built-from'), 'utf8')).toBe(built);
  });

  it('works when several start at once on an unbuilt clone', async () => {
    const mica = join(cloneThatSays('all'), 'bin/mica');
    const runs = await Promise.all(Array.from({ length: 4 }, () => run(mica, [])));
    expect(runs).toEqual(runs.map(() => ({ code: 1, stdout: 'all', stderr: '' })));
  });

  it('takes over the lock of a process that died', async () => {
    const clone = cloneThatSays('mine');
    const died = await run(process.execPath, ['-p', 'process.pid']);
    mkdirSync(join(clone, '.mica'));
    writeFiles(clone, { '.mica/build.lock': died.stdout.trim() });
    expect((await run(join(clone, 'bin/mica'), [])).stdout).toBe('mine');
  });

  it('says where a source does not compile, without a stack trace', async () => {
    const clone = cloneThatSays('never');
    writeFiles(clone, { 'src/core/words.ts': 'export const words = ;' });
    const { code, stderr } = await run(join(clone, 'bin/mica'), []);
    expect(code).toBe(3);
    expect(stderr).toMatch(/^mica: the sources do not compile\n {2}src\/core\/words\.ts:1: .+\n$/);
  });
});

describe('an old Node', () => {
  const pretend = (version: string) =>
    `data:text/javascript,Object.defineProperty(process,'versions',{value:{...process.versions,node:'${version}'}})`;

  it.each(['bin/mica', 'scripts/bootstrap.mjs'])('is refused in words by %s', async (script) => {
    const { code, stderr } = await run(process.execPath, [
      '--import',
      pretend('20.18.3'),
      join(root, script),
    ]);
    expect(code).toBe(3);
    expect(stderr).toMatch(/this is Node 20\.18\.3 .*needs 20\.19 or newer\.\nWhat to do: /);
  });

  it('is what package.json says', async () => {
    const { engines } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    expect(engines.node).toBe('>=20.19');
    const { stderr } = await run(process.execPath, [
      '--import',
      pretend('20.19.0'),
      join(root, 'bin/node-version.js'),
    ]);
    expect(stderr).toBe('');
  });
});
