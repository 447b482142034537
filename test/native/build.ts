/** Compiles the double once for each version of its sources, and puts a copy into a machine's folder. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const doubleFolder = fileURLToPath(new URL('./double/', import.meta.url));
const cacheFolder = fileURLToPath(new URL('../../out/native/', import.meta.url));
const flags = ['-std=c99', '-D_GNU_SOURCE', '-O1', '-Wall', '-Wextra', '-pthread'];
const ofBoth = ['machine.c', 'state.c', 'clients.c', 'frame.c'];
const ofLibrary = ['handles.c', 'devices.c', 'mode.c', 'instances.c', 'computes.c', 'events.c'];

/** A copy in each folder, since the double finds its machine beside itself and loads once per file. */
export function buildDouble(folder: string): { readonly libraryPath: string; readonly smiPath: string } {
  const built = builtFolder();
  const libraryPath = join(folder, 'libnvidia-ml.so.1');
  const smiPath = join(folder, 'nvidia-smi');
  copyFileSync(join(built, 'libnvidia-ml.so.1'), libraryPath);
  copyFileSync(join(built, 'nvidia-smi'), smiPath);
  return { libraryPath, smiPath };
}

/** Runs a compiler on files of the double's folder. */
export function compile(output: string, sources: readonly string[], more: readonly string[] = []): void {
  execFileSync('cc', [...flags, ...more, '-o', output, ...sources, '-ldl'], {
    cwd: doubleFolder,
    stdio: 'pipe',
  });
}

/** Other test files may build at the same time: whoever is last replaces equal files by equal ones. */
function builtFolder(): string {
  const built = join(cacheFolder, hashOfSources());
  if (existsSync(built)) return built;
  mkdirSync(cacheFolder, { recursive: true });
  const fresh = mkdtempSync(join(cacheFolder, 'new-'));
  compile(
    join(fresh, 'libnvidia-ml.so.1'),
    [...ofBoth, ...ofLibrary],
    ['-fPIC', '-shared', '-fvisibility=hidden'],
  );
  compile(join(fresh, 'nvidia-smi'), [...ofBoth, 'nvidia-smi.c']);
  try {
    renameSync(fresh, built);
  } catch {
    rmSync(fresh, { recursive: true, force: true });
  }
  return built;
}

function hashOfSources(): string {
  const hash = createHash('sha256').update(flags.join(' '));
  for (const file of readdirSync(doubleFolder).sort())
    hash.update(file).update(readFileSync(join(doubleFolder, file)));
  return hash.digest('hex').slice(0, 16);
}
