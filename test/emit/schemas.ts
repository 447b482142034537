/** Checks emitted files against the schemas of fixtures/emit: what each target's own reader would say. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { parse, parseAllDocuments } from 'yaml';
import type { EmittedFile } from '#engines/emit/emission';
import { root } from '../tooling/clone.js';

const ajv = new Ajv({
  allErrors: true,
  strict: true,
  allowUnionTypes: true,
  strictRequired: false,
  strictTypes: false,
});
const check = (name: string) =>
  ajv.compile(JSON.parse(readFileSync(join(root, `fixtures/emit/${name}.schema.json`), 'utf8')));
const validators = {
  'mig-parted': check('mig-parted'),
  kubernetes: check('kubernetes'),
  'gke-node-pool': check('gke-node-pool'),
};

/** What is wrong with a value; empty: nothing. */
export function faultsOf(schema: keyof typeof validators, value: unknown): readonly string[] {
  const validate = validators[schema];
  return validate(value)
    ? []
    : (validate.errors ?? []).map((error) => `${error.instancePath} ${error.message ?? ''}`);
}

/** What is wrong with a file, by its path; every emitted YAML and JSON file is of some kind. */
export function faultsIn({ path, content }: EmittedFile): readonly string[] {
  if (path.endsWith('.json')) return faultsInJson(path, JSON.parse(content));
  if (!path.endsWith('.yaml')) return [];
  const documents = parseAllDocuments(content, { uniqueKeys: true });
  const broken = documents.flatMap((document) => [...document.errors, ...document.warnings]);
  if (broken.length > 0) return broken.map((error) => error.message);
  const values = documents.map((document) => document.toJS() as unknown);
  if (path === 'helm-values.yaml') return [];
  if (path === 'mig-parted.yaml') return values.flatMap((value) => faultsOf('mig-parted', value));
  return values.flatMap((value) => [...faultsOf('kubernetes', value), ...faultsInside(value)]);
}

function faultsInJson(path: string, value: unknown): readonly string[] {
  if (path.startsWith('node-pools/')) return faultsOf('gke-node-pool', value);
  if (path.startsWith('node-labels/')) {
    const labels = (value as { metadata: { labels: object } }).metadata.labels;
    const asConfigMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x', labels }, data: {} };
    return faultsOf('kubernetes', asConfigMap);
  }
  const isCommands = Array.isArray(value) && value.flat().every((word) => typeof word === 'string');
  return isCommands ? [] : [`${path} is no list of commands`];
}

/** The mig-parted file inside the operator's ConfigMap. */
function faultsInside(value: unknown): readonly string[] {
  const { metadata, data } = value as { metadata: { name: string }; data?: Record<string, string> };
  return metadata.name === 'mica-mig-config'
    ? faultsOf('mig-parted', parse(data?.['config.yaml'] ?? ''))
    : [];
}
