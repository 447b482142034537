/** Who may do what: roles and bindings in the store, judged as the RBAC authorizer does. */
import type { Json } from './json.js';
import type { Store } from './store.js';

export interface User {
  readonly name: string;
  readonly groups: readonly string[];
}

export interface Attributes {
  readonly verb: string;
  readonly group: string;
  /** `pods` or `pods/eviction`; empty for a path that is no resource. */
  readonly resource: string;
  readonly namespace: string;
  readonly name: string;
  readonly path: string;
}

const rolesOf = 'roles.rbac.authorization.k8s.io';
const clusterRolesOf = 'clusterroles.rbac.authorization.k8s.io';

export function allows(store: Store, user: User, asked: Attributes): boolean {
  if (user.groups.includes('system:masters')) return true;
  for (const binding of store.of('clusterrolebindings.rbac.authorization.k8s.io').items.values()) {
    if (binds(binding.object, user, '') && permits(store, binding.object.roleRef, '', asked)) return true;
  }
  if (asked.namespace === '') return false;
  const bindings = store.of('rolebindings.rbac.authorization.k8s.io');
  return bindings.keys(`${asked.namespace}/`).some((key) => {
    const { object } = bindings.items.get(key)!;
    return binds(object, user, asked.namespace) && permits(store, object.roleRef, asked.namespace, asked);
  });
}

function binds(binding: Json, user: User, namespace: string): boolean {
  return (binding.subjects ?? []).some((subject: Json) => {
    switch (subject.kind) {
      case 'User':
        return subject.name === user.name;
      case 'Group':
        return user.groups.includes(subject.name);
      case 'ServiceAccount':
        return (
          user.name ===
          `system:serviceaccount:${String(subject.namespace ?? namespace)}:${String(subject.name)}`
        );
      default:
        return false;
    }
  });
}

function permits(store: Store, roleRef: Json, namespace: string, asked: Attributes): boolean {
  const role =
    roleRef.kind === 'ClusterRole'
      ? store.of(clusterRolesOf).items.get(roleRef.name)
      : store.of(rolesOf).items.get(`${namespace}/${String(roleRef.name)}`);
  return (role?.object.rules ?? []).some((rule: Json) => covers(rule, asked));
}

function covers(rule: Json, asked: Attributes): boolean {
  const has = (list: Json, value: string): boolean =>
    list?.includes('*') === true || list?.includes(value) === true;
  if (!has(rule.verbs, asked.verb)) return false;
  if (asked.resource === '') {
    return (rule.nonResourceURLs ?? []).some((url: string) =>
      url.endsWith('*') ? asked.path.startsWith(url.slice(0, -1)) : url === asked.path,
    );
  }
  const [, subresource] = asked.resource.split('/');
  const named =
    has(rule.resources, asked.resource) ||
    (subresource !== undefined && rule.resources?.includes(`*/${subresource}`) === true);
  if (!named || !has(rule.apiGroups, asked.group)) return false;
  return (rule.resourceNames ?? []).length === 0 || rule.resourceNames.includes(asked.name);
}

export function refusal(user: User, asked: Attributes): string {
  if (asked.resource === '') return `User "${user.name}" cannot ${asked.verb} path "${asked.path}"`;
  const scope = asked.namespace === '' ? 'at the cluster scope' : `in the namespace "${asked.namespace}"`;
  return `User "${user.name}" cannot ${asked.verb} resource "${asked.resource}" in API group "${asked.group}" ${scope}`;
}

/** The roles that every cluster starts with, as far as tests meet them. */
export const bootstrapRoles: readonly Json[] = [
  role('cluster-admin', [
    { apiGroups: ['*'], resources: ['*'], verbs: ['*'] },
    { nonResourceURLs: ['*'], verbs: ['*'] },
  ]),
  role('system:discovery', [
    {
      nonResourceURLs: [
        '/api',
        '/api/*',
        '/apis',
        '/apis/*',
        '/healthz',
        '/livez',
        '/openapi',
        '/openapi/*',
        '/readyz',
        '/version',
        '/version/',
      ],
      verbs: ['get'],
    },
  ]),
  role('system:basic-user', [
    {
      apiGroups: ['authorization.k8s.io'],
      resources: ['selfsubjectaccessreviews', 'selfsubjectrulesreviews'],
      verbs: ['create'],
    },
  ]),
  role('system:public-info-viewer', [
    { nonResourceURLs: ['/healthz', '/livez', '/readyz', '/version', '/version/'], verbs: ['get'] },
  ]),
  roleBinding('cluster-admin', 'system:masters'),
  roleBinding('system:discovery', 'system:authenticated'),
  roleBinding('system:basic-user', 'system:authenticated'),
  roleBinding('system:public-info-viewer', 'system:authenticated', 'system:unauthenticated'),
];

function role(name: string, rules: readonly Json[]): Json {
  return { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name }, rules };
}

function roleBinding(name: string, ...groups: readonly string[]): Json {
  const apiGroup = 'rbac.authorization.k8s.io';
  return {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name },
    roleRef: { apiGroup, kind: 'ClusterRole', name },
    subjects: groups.map((group) => ({ kind: 'Group', apiGroup, name: group })),
  };
}
