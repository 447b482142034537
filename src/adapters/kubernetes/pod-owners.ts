/** Who made a pod, as the Kubernetes API says: the surest answer, for pods that are still there. */
import type { Owner } from '#core/observe/observation';
import type { OwnerOf, PodOwners } from '#ports/pod-owners';
import { openCluster, type ClusterOptions, type Listed } from './cluster.js';

/** What makes pods on behalf of something else. */
const between: Readonly<Record<string, { readonly api: string; readonly resource: string }>> = {
  ReplicaSet: { api: '/apis/apps/v1', resource: 'replicasets' },
  Job: { api: '/apis/batch/v1', resource: 'jobs' },
};

/** Reads only, and only in the namespaces of the pods that are asked for. */
export function kubernetesOwners(options: ClusterOptions): PodOwners {
  const cluster = openCluster(options);
  return {
    ownersOf: async (pods, signal): Promise<OwnerOf> => {
      const owners = new Map<string, Owner>();
      for (const namespace of new Set(pods.map((pod) => pod.namespace).filter((name) => name !== ''))) {
        const asked = new Set(pods.filter((pod) => pod.namespace === namespace).map(({ pod }) => pod));
        const within = (api: string, resource: string) =>
          cluster.list(`${api}/namespaces/${encodeURIComponent(namespace)}/${resource}`, signal);
        const found = (await within('/api/v1', 'pods')).filter(({ name }) => asked.has(name));
        const above = new Map<string, ReadonlyMap<string, Listed>>();
        for (const kind of new Set(found.map((pod) => makerOf(pod)?.kind ?? ''))) {
          const middle = between[kind];
          if (middle === undefined) continue;
          const all = await within(middle.api, middle.resource);
          above.set(kind, new Map(all.map((one) => [one.name, one])));
        }
        for (const pod of found) {
          const maker = makerOf(pod);
          if (maker === null) continue;
          const itself = above.get(maker.kind)?.get(maker.name);
          const { kind, name } = (itself === undefined ? null : makerOf(itself)) ?? maker;
          owners.set(`${namespace}/${pod.name}`, { kind, name, via: 'api' });
        }
      }
      return ({ namespace, pod }) => owners.get(`${namespace}/${pod}`) ?? null;
    },
  };
}

/** The one that controls it; a plain reference may be there only to be cleaned up together. */
function makerOf({ owners }: Listed): { readonly kind: string; readonly name: string } | null {
  return owners.find(({ controller }) => controller) ?? null;
}
