/** The pods that a manifest makes, wherever it keeps them: templates of workloads, jobs, and of other kinds too. */
import type { Path } from './finding.js';

export type Json = Readonly<Record<string, unknown>>;

export interface PodSpec {
  /** Of the spec. */
  readonly path: Path;
  readonly spec: Json;
  readonly containers: readonly Container[];
  /** The object that makes the pods. */
  readonly owner: {
    readonly kind: string;
    readonly namespace: string | null;
    readonly name: string;
  };
}

export interface Container {
  readonly path: Path;
  readonly name: string;
  readonly value: Json;
  /** NVIDIA's resources by name, as they are written. */
  readonly limits: Json;
  readonly requests: Json;
}

/** Items of lists are documents of their own. A pod spec is what has containers with images. */
export function podSpecsIn(document: unknown): readonly PodSpec[] {
  return searched(document, [], null);
}

type Owner = PodSpec['owner'];

function searched(value: unknown, path: Path, owner: Owner | null): readonly PodSpec[] {
  if (Array.isArray(value)) {
    return value.flatMap((item: unknown, index) => searched(item, [...path, index], owner));
  }
  if (!isMap(value)) return [];
  const here = ownerOf(value) ?? owner;
  const containers = ['initContainers', 'containers'].flatMap((key) => containersIn(value, key, path));
  const isPod = here !== null && Array.isArray(value['containers']) && containers.length > 0;
  const own = isPod ? [{ path, spec: value, containers, owner: here }] : [];
  const inner = Object.entries(value).filter(([key]) => !(isPod && key.endsWith('ontainers')));
  return [...own, ...inner.flatMap(([key, one]) => searched(one, [...path, key], here))];
}

function ownerOf(value: Json): Owner | null {
  const { kind, metadata, apiVersion } = value;
  if (typeof kind !== 'string' || typeof apiVersion !== 'string' || kind.endsWith('List')) return null;
  const named: Json = isMap(metadata) ? metadata : {};
  const { name, namespace } = named;
  return {
    kind,
    name: typeof name === 'string' ? name : '?',
    namespace: typeof namespace === 'string' ? namespace : null,
  };
}

function containersIn(spec: Json, key: string, path: Path): readonly Container[] {
  const list = spec[key];
  if (!Array.isArray(list)) return [];
  return list.flatMap((value: unknown, index): readonly Container[] => {
    if (!isMap(value)) return [];
    const resources: Json = isMap(value['resources']) ? value['resources'] : {};
    const name = typeof value['name'] === 'string' ? value['name'] : String(index);
    return [
      {
        path: [...path, key, index],
        name,
        value,
        limits: gpuResources(resources['limits']),
        requests: gpuResources(resources['requests']),
      },
    ];
  });
}

function gpuResources(value: unknown): Json {
  if (!isMap(value)) return {};
  return Object.fromEntries(Object.entries(value).filter(([key]) => key.startsWith('nvidia.com/')));
}

export function isMap(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** One resource of one container, once. */
export interface Ask {
  readonly pod: PodSpec;
  readonly container: Container;
  readonly resource: string;
  /** As it is written. */
  readonly count: unknown;
  readonly path: Path;
}

export function asksOf(pod: PodSpec): readonly Ask[] {
  return pod.containers.flatMap((container) => {
    const names = new Set([...Object.keys(container.limits), ...Object.keys(container.requests)]);
    return [...names].map((resource): Ask => {
      const where = resource in container.limits ? 'limits' : 'requests';
      return {
        ...{ pod, container, resource },
        count: container[where][resource],
        path: [...container.path, 'resources', where, resource],
      };
    });
  });
}

/** `1` and `"1"`; `null`: not a whole number of at least 1. */
export function countOf(count: unknown): number | null {
  const number = typeof count === 'string' && /^\d+$/.test(count) ? Number(count) : count;
  return typeof number === 'number' && Number.isInteger(number) && number >= 1 ? number : null;
}

const migPrefix = 'nvidia.com/mig-';

/** What follows `nvidia.com/mig-`; `null`: another resource. */
export function migSizeOf(resource: string): string | null {
  return resource.startsWith(migPrefix) ? resource.slice(migPrefix.length) : null;
}
