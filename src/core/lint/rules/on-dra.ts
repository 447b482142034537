/** Under the DRA driver there are no extended resources for slices unless a device class maps them: pods claim devices. */
import { asNvidiaSpells } from '#core/catalogue/profile-name';
import type { Edit } from '../finding.js';
import type { Rules } from '../rule.js';
import { countOf, isMap, migSizeOf } from '../pod-specs.js';

export const onDra: Rules = {
  ask: ({ pod, container, resource, count, path }, { target }) => {
    const size = migSizeOf(resource.replace(/\.shared$/, ''));
    if (target !== 'dra' || size === null) return [];
    const profile = asNvidiaSpells(size);
    const slices = countOf(count) ?? 1;
    const claim = `mig-${size.replaceAll(/[.+]/g, '-').toLowerCase()}${slices > 1 ? `-x${slices}` : ''}`;
    const claims = container.value['resources'];
    const isPlain = !isMap(claims) || claims['claims'] === undefined;
    return [
      {
        ...{ rule: 'mig-resource-under-dra', severity: 'error', path },
        message: `the DRA driver offers no ${resource}, unless a DeviceClass says so with extendedResourceName`,
        fix: `claim it: a ResourceClaimTemplate of class mig.nvidia.com with the profile ${profile}`,
        edits: isPlain
          ? [
              // First, so that what is removed leaves something around it, with its comments.
              { kind: 'append', path: [...container.path, 'resources', 'claims'], value: { name: claim } },
              ...(['limits', 'requests'] as const).flatMap((where): readonly Edit[] =>
                resource in container[where]
                  ? [{ kind: 'remove', path: [...container.path, 'resources', where, resource] }]
                  : [],
              ),
              {
                kind: 'append',
                path: [...pod.path, 'resourceClaims'],
                value: { name: claim, resourceClaimTemplateName: claim },
              },
              { kind: 'add-document', value: templateOf(claim, profile, slices, pod.owner.namespace) },
            ]
          : [],
      },
    ];
  },
};

/** As the driver names the attribute of its MIG devices (kubernetes-sigs/dra-driver-nvidia-gpu@9593204, 2026-08). */
function templateOf(name: string, profile: string, count: number, namespace: string | null): unknown {
  const expression = `device.attributes["gpu.nvidia.com"].profile == "${profile}"`;
  return {
    apiVersion: 'resource.k8s.io/v1',
    kind: 'ResourceClaimTemplate',
    metadata: { name, ...(namespace === null ? {} : { namespace }) },
    spec: {
      spec: {
        devices: {
          requests: [
            {
              name: 'slice',
              exactly: {
                deviceClassName: 'mig.nvidia.com',
                ...(count > 1 ? { count } : {}),
                selectors: [{ cel: { expression } }],
              },
            },
          ],
        },
      },
    },
  };
}
