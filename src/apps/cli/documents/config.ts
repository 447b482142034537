/** `mica.yaml`: what holds for every command where neither a flag nor the environment says otherwise. */
import { access } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { z } from 'zod';
import { readText } from '#adapters/files/read-text';
import { MicaError } from '#core/errors';
import { checkShape } from './check-shape.js';
import { failureOf } from './problem.js';
import { configSchema } from './schemas.js';
import { readYaml } from './yaml-source.js';

export type Config = z.infer<typeof configSchema>;

/** `$MICA_CONFIG`, which must be there, or `mica.yaml` of the folder, which may be. Paths in it start at its folder. */
export async function readConfig(env: Readonly<Record<string, string | undefined>>): Promise<Config> {
  const named = env['MICA_CONFIG'];
  const path = named ?? 'mica.yaml';
  if (named === undefined && !(await isThere(path))) return {};
  const source = readYaml(await readText(path, 2 ** 16), path);
  if (!source.ok) throw failureOf(source.problems);
  const [document, second] = source.documents;
  if (document === undefined) return {};
  if (second !== undefined)
    throw new MicaError('bad-document', `${path} holds several documents; it may hold one`);
  const checked = checkShape(configSchema, document);
  if (!checked.ok) throw failureOf(checked.problems);
  const { prices, ...rest } = checked.value;
  return prices === undefined ? rest : { ...rest, prices: resolve(dirname(path), prices) };
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
