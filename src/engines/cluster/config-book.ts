/** The ConfigMap that mig-manager reads: what its configurations say, and our own entry in it. */
import { parse } from 'yaml';
import { allDisabledEntries, allDisabledName, type MigEntry } from '#core/cluster/operator/mig-config';
import type { ApiAnswer, ApiRefusal } from '#ports/cluster-api';
import { yamlText } from '../emit/yaml-text.js';
import type { NodeApi } from './ports.js';

export interface ConfigPlace {
  /** Where the operator runs. */
  readonly namespace: string;
  /** `migManager.config.name` of the operator. */
  readonly configMap: string;
}

type Entries = Readonly<Record<string, unknown>>;

const fileKey = 'config.yaml';

export class ConfigBook {
  readonly #api: NodeApi;
  readonly #place: ConfigPlace;
  /** Writes, one after the other: each carries over what it read. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(api: NodeApi, place: ConfigPlace) {
    this.#api = api;
    this.#place = place;
  }

  async has(config: string, entries: readonly MigEntry[]): Promise<ApiAnswer<boolean>> {
    const read = await this.#read(this.#place.configMap);
    if (!read.ok) return read;
    return { ok: true, value: isSame(read.value[config], entries) };
  }

  /** Other entries stay as they are. */
  write(config: string, entries: readonly MigEntry[]): Promise<ApiAnswer<unknown>> {
    const turn = this.#last.then(() => this.#write(config, entries));
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  /** Of ours, and of what mig-manager made of the node's own GPUs. */
  async known(node: string): Promise<ApiAnswer<(config: string) => readonly MigEntry[] | null>> {
    const all: Entries[] = [];
    for (const name of [this.#place.configMap, `${node}-mig-config`, 'default-mig-parted-config']) {
      const read = await this.#read(name);
      if (read.ok) all.push(read.value);
      else if (read.why.kind !== 'invalid') return read;
    }
    const find = (config: string): readonly MigEntry[] | null => {
      const found = all.find((entries) => entries[config] !== undefined)?.[config];
      return isEntries(found) ? found : null;
    };
    return { ok: true, value: find };
  }

  async #write(config: string, entries: readonly MigEntry[]): Promise<ApiAnswer<unknown>> {
    const read = await this.#read(this.#place.configMap);
    if (!read.ok) return read;
    const configs = { [allDisabledName]: allDisabledEntries, ...read.value, [config]: entries };
    const file = yamlText({ version: 'v1', 'mig-configs': configs });
    return this.#api.applyConfigMap(this.#place.namespace, this.#place.configMap, { [fileKey]: file });
  }

  async #read(name: string): Promise<ApiAnswer<Entries>> {
    const { namespace } = this.#place;
    const found = await this.#api.getConfigMap(namespace, name);
    if (!found.ok) return found;
    const text = found.value?.data[fileKey] ?? '';
    try {
      const file: unknown = parse(text);
      const configs = isMap(file) ? file['mig-configs'] : undefined;
      return { ok: true, value: isMap(configs) ? configs : {} };
    } catch {
      return { ok: false, why: notYaml(`ConfigMap ${namespace}/${name}: its ${fileKey} is not YAML`) };
    }
  }
}

function notYaml(message: string): ApiRefusal {
  return { kind: 'invalid', message, retryAfterMs: null };
}

function isSame(found: unknown, entries: readonly MigEntry[]): boolean {
  return JSON.stringify(inKeyOrder(found)) === JSON.stringify(inKeyOrder(entries));
}

function inKeyOrder(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inKeyOrder);
  if (!isMap(value)) return value;
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((key) => [key, inKeyOrder(value[key])]),
  );
}

function isEntries(found: unknown): found is readonly MigEntry[] {
  return (
    Array.isArray(found) &&
    found.every((one) => isMap(one) && typeof one['mig-enabled'] === 'boolean' && isDevices(one['devices']))
  );
}

function isDevices(devices: unknown): boolean {
  return devices === 'all' || (Array.isArray(devices) && devices.every((index) => Number.isInteger(index)));
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
