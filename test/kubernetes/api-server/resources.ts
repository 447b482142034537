/** Which resources this API server has: a table, to which CustomResourceDefinitions add rows while it runs. */
import type { Json } from './json.js';

export interface Resource {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly singular: string;
  readonly kind: string;
  readonly listKind: string;
  readonly namespaced: boolean;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly subresources: readonly string[];
  /** What a built-in kind's fields are: the name of its model in the Kubernetes client. */
  readonly model: string;
  /** A custom resource has its definition's version instead of a model. */
  readonly custom?: CustomVersion;
  /** A PUT may leave the resourceVersion out. */
  readonly unconditionalUpdate: boolean;
  readonly createOnUpdate: boolean;
  /** metadata.generation counts the changes of its spec. */
  readonly counted: boolean;
}

export interface CustomVersion {
  readonly schema: Json;
  readonly columns: readonly Json[];
  readonly selectableFields: readonly string[];
  readonly stored: string;
}

export const verbs = [
  'create',
  'delete',
  'deletecollection',
  'get',
  'list',
  'patch',
  'update',
  'watch',
] as const;

/** group/version | plural | Kind | model | short names | flags: n namespaced, s status, x scale, u unconditional PUT, c PUT may create, g generation | categories */
const table = `
v1|namespaces|Namespace|V1Namespace|ns|su|
v1|nodes|Node|V1Node|no|su|
v1|pods|Pod|V1Pod|po|nsug|all
v1|configmaps|ConfigMap|V1ConfigMap|cm|nu|
v1|secrets|Secret|V1Secret||nu|
v1|services|Service|V1Service|svc|nsu|all
v1|serviceaccounts|ServiceAccount|V1ServiceAccount|sa|nu|
v1|events|Event|CoreV1Event|ev|nuc|
v1|resourcequotas|ResourceQuota|V1ResourceQuota|quota|nsu|
apps/v1|deployments|Deployment|V1Deployment|deploy|nsxug|all
apps/v1|replicasets|ReplicaSet|V1ReplicaSet|rs|nsxug|all
apps/v1|statefulsets|StatefulSet|V1StatefulSet|sts|nsxug|all
apps/v1|daemonsets|DaemonSet|V1DaemonSet|ds|nsug|all
batch/v1|jobs|Job|V1Job||nsug|all
batch/v1|cronjobs|CronJob|V1CronJob|cj|nsug|all
policy/v1|poddisruptionbudgets|PodDisruptionBudget|V1PodDisruptionBudget|pdb|nsg|
networking.k8s.io/v1|networkpolicies|NetworkPolicy|V1NetworkPolicy|netpol|nug|
coordination.k8s.io/v1|leases|Lease|V1Lease||nc|
events.k8s.io/v1|events|Event|EventsV1Event|ev|nuc|
rbac.authorization.k8s.io/v1|roles|Role|V1Role||nuc|
rbac.authorization.k8s.io/v1|rolebindings|RoleBinding|V1RoleBinding||nuc|
rbac.authorization.k8s.io/v1|clusterroles|ClusterRole|V1ClusterRole||uc|
rbac.authorization.k8s.io/v1|clusterrolebindings|ClusterRoleBinding|V1ClusterRoleBinding||uc|
apiextensions.k8s.io/v1|customresourcedefinitions|CustomResourceDefinition|V1CustomResourceDefinition|crd,crds|sg|api-extensions
scheduling.k8s.io/v1|priorityclasses|PriorityClass|V1PriorityClass|pc|ug|
resource.k8s.io/v1|deviceclasses|DeviceClass|V1DeviceClass||ug|
resource.k8s.io/v1|resourceclaims|ResourceClaim|ResourceV1ResourceClaim||nsu|
resource.k8s.io/v1|resourceclaimtemplates|ResourceClaimTemplate|V1ResourceClaimTemplate||nu|
resource.k8s.io/v1|resourceslices|ResourceSlice|V1ResourceSlice||ug|`;

export const builtIns: readonly Resource[] = table
  .trim()
  .split('\n')
  .map((line) => {
    const [groupVersion = '', plural = '', kind = '', model = '', short = '', flags = '', category = ''] =
      line.split('|');
    const [version = '', group = ''] = groupVersion.split('/').reverse();
    const has = (flag: string): boolean => flags.includes(flag);
    return {
      group,
      version,
      plural,
      singular: kind.toLowerCase(),
      kind,
      listKind: `${kind}List`,
      namespaced: has('n'),
      shortNames: short.split(',').filter(Boolean),
      categories: category.split(',').filter(Boolean),
      subresources: [
        ...(has('s') ? ['status'] : []),
        ...(has('x') ? ['scale'] : []),
        ...(plural === 'pods' ? ['eviction', 'binding', 'log'] : []),
        ...(plural === 'namespaces' ? ['finalize'] : []),
      ],
      model,
      unconditionalUpdate: has('u'),
      createOnUpdate: has('c'),
      counted: has('g'),
    };
  });

export const groupVersion = (resource: Pick<Resource, 'group' | 'version'>): string =>
  resource.group === '' ? resource.version : `${resource.group}/${resource.version}`;

export class Resources {
  private all: readonly Resource[] = builtIns;

  list(): readonly Resource[] {
    return this.all;
  }

  find(group: string, version: string, plural: string): Resource | undefined {
    return this.all.find((row) => row.plural === plural && row.group === group && row.version === version);
  }

  ofKind(apiVersion: string, kind: string): Resource | undefined {
    return this.all.find((row) => row.kind === kind && groupVersion(row) === apiVersion);
  }

  /** A built-in resource that the server itself relies on. */
  named(plural: string): Resource {
    const found = this.all.find((row) => row.plural === plural);
    if (found === undefined) throw new Error(`no resource ${plural}`);
    return found;
  }

  /** Replaces what a CustomResourceDefinition serves. */
  define(stored: string, rows: readonly Resource[]): void {
    this.all = [...this.all.filter((row) => row.custom?.stored !== stored), ...rows];
  }
}

/** Both events APIs show one set of objects, and all versions of a custom resource do. */
export const storedAs = (resource: Resource): string =>
  resource.plural === 'events'
    ? 'events'
    : (resource.custom?.stored ?? `${resource.plural}.${resource.group}`);
