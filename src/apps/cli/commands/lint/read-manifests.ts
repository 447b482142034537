/** Files and folders of manifests -> their documents, each with its place. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { nameOf, readText } from '#adapters/files/read-text';
import { MicaError } from '#core/errors';
import { failureOf } from '../../documents/problem.js';
import { longestYamlBytes, readYaml, type SourceDocument } from '../../documents/yaml-source.js';

export interface ManifestFile {
  readonly path: string;
  readonly text: string;
  /** Those that hold something, in their order. */
  readonly documents: readonly SourceDocument[];
}

/** Throws MicaError where a file cannot be read as manifests. */
export async function readManifests(paths: readonly string[]): Promise<readonly ManifestFile[]> {
  const found = (await Promise.all(paths.map((path) => filesOf(path, true)))).flat();
  if (found.length === 0) {
    throw new MicaError('unreadable-file', `${paths.join(', ')}: no *.yaml, *.yml or *.json in it`);
  }
  const files: ManifestFile[] = [];
  for (const path of new Set(found)) files.push(manifestsIn(path, await readText(path, longestYamlBytes)));
  return files;
}

/** Throws MicaError `bad-document`. */
export function manifestsIn(path: string, text: string): ManifestFile {
  const source = readYaml(text, nameOf(path));
  const isTemplate = source.ok
    ? source.documents.some(({ value }) => hasBracedKey(value))
    : /\{\{[^}]*\}\}/.test(text);
  if (isTemplate) {
    throw new MicaError('bad-document', `${nameOf(path)} is a template, not a manifest`, {
      next: 'Render it first: `helm template CHART | mica lint -f -`.',
    });
  }
  if (!source.ok) throw failureOf(source.problems);
  return { path, text, documents: source.documents };
}

/** `{{ .Values.name }}` is YAML: a map whose key is a map. */
function hasBracedKey(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).some(([key, one]) => /^\{ .* \}$/.test(key) || hasBracedKey(one));
}

/** A file that was named is read whatever it is called. */
async function filesOf(path: string, isNamed: boolean): Promise<readonly string[]> {
  if (path === '-') return [path];
  const isFolder = await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (!isFolder) return isNamed || /\.(ya?ml|json)$/.test(path) ? [path] : [];
  const names = await readdir(path).catch((error: unknown) => {
    throw new MicaError('unreadable-file', `${path} cannot be listed`, { cause: error });
  });
  const inner = names.filter((name) => !name.startsWith('.') && name !== 'node_modules').sort();
  return (await Promise.all(inner.map((name) => filesOf(join(path, name), false)))).flat();
}
