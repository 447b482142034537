/** What clients ask first: which groups, versions and resources there are, plainly and aggregated. */
import type { Json } from './json.js';
import { groupVersion, verbs, type Resource, type Resources } from './resources.js';

interface Subresource {
  readonly name: string;
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly verbs: readonly string[];
}

/** Subresources with the kinds that they speak. */
function subresourcesOf(resource: Resource): readonly Subresource[] {
  return resource.subresources.map((name) => {
    const own = { name, group: resource.group, version: resource.version, kind: resource.kind };
    switch (name) {
      case 'eviction':
        return { ...own, group: 'policy', version: 'v1', kind: 'Eviction', verbs: ['create'] };
      case 'binding':
        return { ...own, kind: 'Binding', verbs: ['create'] };
      case 'scale':
        return {
          ...own,
          group: 'autoscaling',
          version: 'v1',
          kind: 'Scale',
          verbs: ['get', 'patch', 'update'],
        };
      case 'log':
        return { ...own, verbs: ['get'] };
      case 'finalize':
        return { ...own, verbs: ['update'] };
      default:
        return { ...own, verbs: ['get', 'patch', 'update'] };
    }
  });
}

const reviews: readonly Resource[] = ['SelfSubjectAccessReview', 'SubjectAccessReview'].map((kind) => ({
  group: 'authorization.k8s.io',
  version: 'v1',
  plural: `${kind.toLowerCase()}s`,
  singular: kind.toLowerCase(),
  kind,
  listKind: '',
  namespaced: false,
  shortNames: [],
  categories: [],
  subresources: [],
  model: '',
  unconditionalUpdate: false,
  createOnUpdate: false,
  counted: false,
}));

const verbsOf = (resource: Resource): readonly string[] => (reviews.includes(resource) ? ['create'] : verbs);

function groups(resources: Resources): ReadonlyMap<string, readonly Resource[]> {
  const found = new Map<string, Resource[]>();
  for (const row of [...resources.list(), ...reviews])
    found.set(row.group, [...(found.get(row.group) ?? []), row]);
  return found;
}

const versionsIn = (rows: readonly Resource[]): readonly string[] => [
  ...new Set(rows.map(({ version }) => version)),
];

function groupDocument(group: string, rows: readonly Resource[]): Json {
  const versions = versionsIn(rows).map((version) => ({ groupVersion: `${group}/${version}`, version }));
  return { name: group, versions, preferredVersion: versions[0] };
}

export function apiVersions(url: string): Json {
  return {
    kind: 'APIVersions',
    versions: ['v1'],
    serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress: url.replace('https://', '') }],
  };
}

export function groupList(resources: Resources): Json {
  const named = [...groups(resources)].filter(([group]) => group !== '');
  return {
    kind: 'APIGroupList',
    apiVersion: 'v1',
    groups: named.map(([group, rows]) => groupDocument(group, rows)),
  };
}

export function oneGroup(resources: Resources, group: string): Json {
  const rows = groups(resources).get(group);
  return rows === undefined
    ? undefined
    : { kind: 'APIGroup', apiVersion: 'v1', ...groupDocument(group, rows) };
}

export function resourceList(resources: Resources, group: string, version: string): Json {
  const rows =
    groups(resources)
      .get(group)
      ?.filter((row) => row.version === version) ?? [];
  if (rows.length === 0) return undefined;
  const list = rows.flatMap((row) => [
    {
      name: row.plural,
      singularName: row.singular,
      namespaced: row.namespaced,
      kind: row.kind,
      verbs: verbsOf(row),
      ...(row.shortNames.length > 0 ? { shortNames: row.shortNames } : {}),
      ...(row.categories.length > 0 ? { categories: row.categories } : {}),
    },
    ...subresourcesOf(row).map((sub) => ({
      name: `${row.plural}/${sub.name}`,
      singularName: '',
      namespaced: row.namespaced,
      ...(sub.group === row.group ? {} : { group: sub.group, version: sub.version }),
      kind: sub.kind,
      verbs: sub.verbs,
    })),
  ]);
  return {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: groupVersion({ group, version }),
    resources: list,
  };
}

/** `core`: the document of /api; otherwise that of /apis. */
export function aggregated(resources: Resources, core: boolean): Json {
  const items = [...groups(resources)].filter(([group]) => (group === '') === core);
  return {
    kind: 'APIGroupDiscoveryList',
    apiVersion: 'apidiscovery.k8s.io/v2',
    metadata: {},
    items: items.map(([group, rows]) => ({
      metadata: group === '' ? {} : { name: group },
      versions: versionsIn(rows).map((version) => ({
        version,
        freshness: 'Current',
        resources: rows.filter((row) => row.version === version).map(aggregatedResource),
      })),
    })),
  };
}

const aggregatedResource = (row: Resource): Json => ({
  resource: row.plural,
  responseKind: { group: row.group, version: row.version, kind: row.kind },
  scope: row.namespaced ? 'Namespaced' : 'Cluster',
  singularResource: row.singular,
  verbs: verbsOf(row),
  shortNames: row.shortNames,
  categories: row.categories,
  subresources: subresourcesOf(row).map((sub) => ({
    subresource: sub.name,
    responseKind: { group: sub.group, version: sub.version, kind: sub.kind },
    verbs: sub.verbs,
  })),
});

/** Just enough OpenAPI that kubectl leaves field validation to the server. */
export function openApi(resources: Resources, group: string, version: string): Json {
  const rows = resources.list().filter((row) => row.group === group && row.version === version);
  if (rows.length === 0) return undefined;
  const base = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
  const query = (name: string): Json => ({
    name,
    in: 'query',
    schema: { type: 'string', uniqueItems: true },
  });
  const paths = rows.map((row) => {
    const gvk = { group, version, kind: row.kind };
    const operation = {
      parameters: [query('dryRun'), query('fieldManager'), query('fieldValidation')],
      responses: { 200: { description: 'OK' } },
      'x-kubernetes-group-version-kind': gvk,
    };
    const path = `${base}/${row.namespaced ? 'namespaces/{namespace}/' : ''}${row.plural}/{name}`;
    return [path, { patch: { ...operation, 'x-kubernetes-action': 'patch' }, put: operation }];
  });
  return {
    openapi: '3.0.0',
    info: { title: 'Kubernetes', version: 'v1.34.0' },
    paths: Object.fromEntries(paths),
    components: { schemas: {} },
  };
}

export function openApiIndex(resources: Resources): Json {
  const paths = [...new Set(resources.list().map(groupVersion))].map((name) => {
    const path = name.includes('/') ? `apis/${name}` : `api/${name}`;
    return [path, { serverRelativeURL: `/openapi/v3/${path}` }];
  });
  return { paths: Object.fromEntries(paths) };
}

export const versionInfo: Json = {
  major: '1',
  minor: '34',
  gitVersion: 'v1.34.0',
  gitCommit: '',
  gitTreeState: 'clean',
  buildDate: '2025-08-27T10:09:04Z',
  goVersion: 'go1.24.6',
  compiler: 'gc',
  platform: 'linux/amd64',
};
