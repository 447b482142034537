/**
 * How the lists of built-in types merge. `apply`: the keys by which server-side apply tells items apart (a set's items are
 * their own keys; an atomic list has one owner). `patch`: the key of a strategic merge patch, or what happens without one.
 * Source: the listType/listMapKey and patchStrategy/patchMergeKey markers of k8s.io/api v0.34, read 2026-11.
 */
export interface ListKeys {
  readonly apply: readonly string[] | 'set' | 'atomic';
  readonly patch: { readonly key: string } | 'merge' | 'replace';
}

const map = (key: string, ...more: readonly string[]): ListKeys => ({
  apply: [key, ...more],
  patch: { key },
});
const conditions = map('type');

const table: Readonly<Record<string, ListKeys>> = {
  'V1ObjectMeta.ownerReferences': map('uid'),
  'V1ObjectMeta.finalizers': { apply: 'set', patch: 'merge' },
  'V1PodSpec.containers': map('name'),
  'V1PodSpec.initContainers': map('name'),
  'V1PodSpec.ephemeralContainers': map('name'),
  'V1PodSpec.volumes': map('name'),
  'V1PodSpec.imagePullSecrets': map('name'),
  'V1PodSpec.hostAliases': map('ip'),
  'V1PodSpec.topologySpreadConstraints': map('topologyKey', 'whenUnsatisfiable'),
  'V1PodSpec.schedulingGates': map('name'),
  'V1PodSpec.resourceClaims': map('name'),
  'V1Container.env': map('name'),
  'V1Container.ports': map('containerPort', 'protocol'),
  'V1Container.volumeMounts': map('mountPath'),
  'V1Container.volumeDevices': map('devicePath'),
  'V1ResourceRequirements.claims': { apply: ['name'], patch: 'replace' },
  'V1PodStatus.podIPs': map('ip'),
  'V1PodStatus.resourceClaimStatuses': map('name'),
  'V1NodeStatus.addresses': map('type'),
  'V1NodeSpec.podCIDRs': { apply: 'set', patch: 'merge' },
  'V1ServiceSpec.ports': map('port', 'protocol'),
  'V1ServiceAccount.secrets': map('name'),
  'V1ResourceClaimStatus.reservedFor': map('uid'),
  'ResourceV1ResourceClaimStatus.reservedFor': map('uid'),
  'V1ResourceClaimStatus.devices': { apply: ['driver', 'device', 'pool', 'shareID'], patch: 'replace' },
};

export function listKeys(owner: string, field: string): ListKeys | undefined {
  return field === 'conditions' ? conditions : table[`${owner}.${field}`];
}

/** Structures that have one owner as a whole. */
export const atomicTypes: ReadonlySet<string> = new Set([
  'V1LabelSelector',
  'V1SecretKeySelector',
  'V1ConfigMapKeySelector',
  'V1ObjectFieldSelector',
  'V1ResourceFieldSelector',
  'V1ObjectReference',
  'V1LocalObjectReference',
  'V1TypedLocalObjectReference',
  'V1NodeSelector',
  'V1NodeSelectorTerm',
  'V1OwnerReference',
  'V1RoleRef',
  'RbacV1Subject',
  'V1ScopeSelector',
]);

/** What key fields are when an item leaves them out. */
export const keyDefaults: Readonly<Record<string, string>> = { protocol: 'TCP' };
