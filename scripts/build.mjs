/** Turns src/*.ts into dist/*.js where a source has changed since the last build, so that a clone runs as it is. */
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { ensureInstalled, root } from './install.mjs';
import { withLock } from './lock.mjs';

const src = join(root, 'src');
const dist = join(root, 'dist');
const stampFile = join(dist, '.built-from');
// npm's own list stands for node_modules: where it is gone or new, what dist/ imports may be too.
const buildInputs = [
  'package-lock.json',
  'node_modules/.package-lock.json',
  'tsconfig.json',
  'scripts/build.mjs',
];
const testFile = /\.(test|contract)\.ts$/;

/** The common case, nothing to do, is one look at the dates of the sources. */
export async function ensureBuilt() {
  if (isCurrent()) return;
  await ensureInstalled();
  await withLock(join(root, '.mica/build.lock'), async () => {
    if (!isCurrent()) await build();
  });
}

/** Everything afresh, plus declarations; npm pack calls it. */
export async function buildForPackage() {
  await ensureInstalled();
  await withLock(join(root, '.mica/build.lock'), async () => {
    await build();
    await emitDeclarations();
  });
}

function isCurrent() {
  try {
    return readFileSync(stampFile, 'utf8') === describeInputs();
  } catch {
    return false;
  }
}

/** Path, size and date of every input: any difference counts, also an older file or a missing one. */
function describeInputs() {
  return [...buildInputs.map((file) => join(root, file)), ...sourceFiles()]
    .map((file) => {
      const { size, mtimeMs } = statSync(file);
      return `${file.slice(root.length)} ${size} ${mtimeMs}\n`;
    })
    .join('');
}

function sourceFiles(folder = src) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return sourceFiles(path);
    return path.endsWith('.ts') && !testFile.test(path) ? [path] : [];
  });
}

/** Each file is replaced in one move and only if it differs: a Mica that is running meanwhile never sees half. */
async function build() {
  const { build: transpile } = await import('esbuild');
  const builtFrom = describeInputs();
  const { outputFiles } = await transpile({
    entryPoints: sourceFiles(),
    outdir: dist,
    outbase: src,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    write: false,
    absWorkingDir: root,
    logLevel: 'silent',
  }).catch((error) => {
    throw new Error(`the sources do not compile\n${describeErrors(error)}`);
  });
  rmSync(stampFile, { force: true });
  for (const { path, contents } of outputFiles) replaceIfDifferent(path, contents);
  removeAllBut(new Set(outputFiles.map((file) => file.path)));
  writeFileSync(stampFile, builtFrom);
}

function replaceIfDifferent(path, contents) {
  try {
    if (readFileSync(path).equals(contents)) return;
  } catch {
    mkdirSync(dirname(path), { recursive: true });
  }
  const fresh = `${path}.${process.pid}`;
  writeFileSync(fresh, contents);
  renameSync(fresh, path);
}

function removeAllBut(kept, folder = dist) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) removeAllBut(kept, path);
    else if (!kept.has(path)) rmSync(path);
  }
  if (readdirSync(folder).length === 0) rmSync(folder, { recursive: true });
}

async function emitDeclarations() {
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const args = [tsc, '-p', join(root, 'tsconfig.build.json')];
  await promisify(execFile)(process.execPath, args).catch((error) => {
    throw new Error(`the declarations do not compile\n${error.stdout}`);
  });
}

function describeErrors(error) {
  const lines = (error.errors ?? []).map(
    ({ text, location }) => `  ${location ? `${location.file}:${location.line}: ` : ''}${text}`,
  );
  return lines.length > 0 ? lines.join('\n') : `  ${error.message}`;
}
