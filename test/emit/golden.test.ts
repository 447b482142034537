/** Whole outputs, byte for byte. After a wanted change: UPDATE_GOLDEN=1 npx vitest run test/emit/golden.test.ts */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { emit } from '#engines/emit/emit';
import { root } from '../tooling/clone.js';
import { examples } from './example-plans.js';
import { faultsIn } from './schemas.js';

const cases = examples.flatMap((example) => example.targets.map((target) => ({ example, target })));

describe.each(cases)('$example.name for $target', ({ example, target }) => {
  const emission = emit(target, example.plan, example.options);
  if (!emission.ok) throw new Error(emission.why.message);
  const folder = join(root, 'test/golden/emit', example.name, target);
  const wanted = Object.fromEntries([
    ...emission.files.map(({ path, content }) => [path, content]),
    ['NOTES', emission.notes.map((note) => `${note}\n`).join('')],
  ]);

  it('is what the golden files say', () => {
    if (process.env['UPDATE_GOLDEN'] !== undefined) replace(folder, wanted);
    expect(readFolder(folder)).toEqual(wanted);
  });

  it('agrees with the schemas', () => {
    expect(emission.files.flatMap((file) => faultsIn(file).map((fault) => `${file.path}${fault}`))).toEqual(
      [],
    );
  });
});

function readFolder(folder: string): Record<string, string> {
  if (!existsSync(folder)) return {};
  const names = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  const paths = names.map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
  return Object.fromEntries(paths.sort().map((path) => [path, readFileSync(join(folder, path), 'utf8')]));
}

function replace(folder: string, files: Readonly<Record<string, string>>): void {
  rmSync(folder, { recursive: true, force: true });
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
}
