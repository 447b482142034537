/** House rules about files that no linter knows. */
import { readFileSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root } from './clone.js';

const sources = ['src', 'test', 'bench'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => join(folder, path)),
);

function textOf(file: string): string {
  return readFileSync(join(root, file), 'utf8');
}

describe('files', () => {
  it('are named in kebab-case', () => {
    expect(
      sources.filter((file) => !/^[a-z0-9]+(-[a-z0-9]+)*(\.(test|contract))?\.ts$/.test(basename(file))),
    ).toEqual([]);
  });

  it('live in rooms that say what is in them', () => {
    expect(
      sources.filter((file) => /(^|\/)(utils?|common|helpers?|types|misc|lib)(\/|\.ts$)/.test(file)),
    ).toEqual([]);
  });

  it('begin with a sentence that says what they are', () => {
    const silent = sources.filter((file) => !file.endsWith('.test.ts') && !/^\/\*\*\s+\S/.test(textOf(file)));
    expect(silent).toEqual([]);
  });

  it('use index.ts for published doors only', () => {
    const doors = sources.filter((file) => basename(file) === 'index.ts');
    expect(doors.sort()).toEqual(['src/core/index.ts', 'src/index.ts']);
  });
});

describe('package-lock.json', () => {
  const { packages } = JSON.parse(textOf('package-lock.json')) as {
    packages: Record<string, { resolved?: string; optionalDependencies?: Record<string, string> }>;
  };

  it('names no registry, so that it installs from any', () => {
    expect(Object.keys(packages).filter((path) => packages[path]?.resolved !== undefined)).toEqual([]);
  });

  it('lists what other platforms need: npm ci refuses a lock file that does not', () => {
    const names = new Set(Object.keys(packages).map((path) => path.replace(/^.*node_modules\//, '')));
    const wanted = Object.values(packages).flatMap(({ optionalDependencies }) =>
      Object.keys(optionalDependencies ?? {}),
    );
    expect(wanted.filter((name) => !names.has(name))).toEqual([]);
  });
});
