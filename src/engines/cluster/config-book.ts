/** The ConfigMap that mig-manager reads: what its configurations say, and our own entry in it. */
import { parse } from 'yaml';
import { allDisabledEntries, allDisabledName, type MigEntry } from '#core/cluster/operator/mig-config';
import { configsInUse, configsToDrop, isOwnConfig } from '#core/cluster/operator/prune';
import type { Clock } from '#ports/clock';
import type { ApiAnswer, ApiRefusal } from '#ports/cluster-api';
import { yamlText } from '../emit/yaml-text.js';
import type { ClusterPorts, NodeApi } from './ports.js';

export interface ConfigPlace {
  /** Where the operator runs. */
  readonly namespace: string;
  /** `migManager.config.name` of the operator. */
  readonly configMap: string;
}

export interface KnownConfigs {
  /** `null`: nobody has written such a configuration, or not in a form that mig-manager takes. */
  readonly entriesOf: (config: string) => readonly MigEntry[] | null;
  /** When this process wrote our entry, 0 where it was there already; `null`: it is not there. */
  readonly entrySince: (config: string, entries: readonly MigEntry[]) => number | null;
}

type Entries = Readonly<Record<string, unknown>>;

const fileKey = 'config.yaml';
/** A ConfigMap holds 1 MiB; of a node with eight GPUs that are all cut otherwise an entry is 1 KiB. */
const mostOwn = 100;
const mostTries = 5;

export class ConfigBook {
  readonly #api: NodeApi;
  readonly #clock: Clock;
  readonly #place: ConfigPlace;
  readonly #writtenMs = new Map<string, number>();
  /** Writes, one after the other: each carries over what it read. */
  #last: Promise<unknown> = Promise.resolve();

  constructor({ api, clock }: ClusterPorts, place: ConfigPlace) {
    this.#api = api;
    this.#clock = clock;
    this.#place = place;
  }

  async has(config: string, entries: readonly MigEntry[]): Promise<ApiAnswer<boolean>> {
    const read = await this.#read(this.#place.configMap);
    if (!read.ok) return read;
    return { ok: true, value: isSame(read.value.entries[config], entries) };
  }

  /** Other entries stay as they are. */
  write(config: string, entries: readonly MigEntry[]): Promise<ApiAnswer<unknown>> {
    const turn = this.#last.then(() => this.#write(config, entries));
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  /** Of ours, and of what mig-manager made of the node's own GPUs. */
  async known(node: string): Promise<ApiAnswer<KnownConfigs>> {
    const all: Entries[] = [];
    for (const name of [this.#place.configMap, `${node}-mig-config`, 'default-mig-parted-config']) {
      const read = await this.#read(name);
      if (read.ok) all.push(read.value.entries);
      else if (read.why.kind !== 'invalid') return read;
    }
    const find = (config: string): readonly MigEntry[] | null => {
      const found = all.find((entries) => entries[config] !== undefined)?.[config];
      return isEntries(found) ? found : null;
    };
    const { configMap } = this.#place;
    const own = await this.#read(configMap);
    const entrySince = (config: string, entries: readonly MigEntry[]): number | null =>
      own.ok && isSame(own.value.entries[config], entries) ? (this.#writtenMs.get(config) ?? 0) : null;
    return { ok: true, value: { entriesOf: find, entrySince } };
  }

  /** Only over what was read, or an entry that another process added meanwhile would be lost. */
  async #write(config: string, entries: readonly MigEntry[]): Promise<ApiAnswer<unknown>> {
    for (let tries = 1; ; tries += 1) {
      const read = await this.#read(this.#place.configMap);
      if (!read.ok) return read;
      const { entries: there, version } = read.value;
      const configs = { [allDisabledName]: allDisabledEntries, ...there, [config]: entries };
      const kept = await this.#pruned(configs, config);
      const file = yamlText({ version: 'v1', 'mig-configs': kept });
      const { namespace, configMap } = this.#place;
      this.#writtenMs.set(config, this.#clock.nowMs());
      const written = await this.#api.applyConfigMap(namespace, configMap, { [fileKey]: file }, version);
      const isLate = !written.ok && written.why.kind === 'conflict';
      if (!isLate || tries === mostTries) return written;
    }
  }

  /** Where there are many: without those of ours that no node has anything to do with. */
  async #pruned(configs: Entries, written: string): Promise<Entries> {
    const names = Object.keys(configs);
    if (names.filter(isOwnConfig).length <= mostOwn) return configs;
    const nodes = await this.#api.nodes();
    if (!nodes.ok) return configs;
    const used = new Set([...configsInUse(nodes.value), written]);
    const dropped = new Set(configsToDrop(names, used, mostOwn));
    return Object.fromEntries(Object.entries(configs).filter(([name]) => !dropped.has(name)));
  }

  async #read(
    name: string,
  ): Promise<ApiAnswer<{ readonly entries: Entries; readonly version: string | undefined }>> {
    const { namespace } = this.#place;
    const found = await this.#api.getConfigMap(namespace, name);
    if (!found.ok) return found;
    const text = found.value?.data[fileKey] ?? '';
    try {
      const file: unknown = parse(text);
      const configs = isMap(file) ? file['mig-configs'] : undefined;
      const entries = isMap(configs) ? configs : {};
      return { ok: true, value: { entries, version: found.value?.resourceVersion } };
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
