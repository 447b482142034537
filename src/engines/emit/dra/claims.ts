/** Resource claims in words of NVIDIA's DRA driver: a slice by its profile, or whole cards by number. */
import type { Ask } from '../workloads.js';

/** The `spec` of a ResourceClaim, and the inner `spec` of a ResourceClaimTemplate. */
function claimSpec(ask: Ask): object {
  const exactly =
    ask.kind === 'whole'
      ? { deviceClassName: 'gpu.nvidia.com', allocationMode: 'ExactCount', count: ask.gpus }
      : {
          deviceClassName: 'mig.nvidia.com',
          selectors: [
            { cel: { expression: `device.attributes['gpu.nvidia.com'].profile == '${ask.profile}'` } },
          ],
        };
  return { devices: { requests: [{ name: 'gpu', exactly }] } };
}

export function claimTemplate(name: string, namespace: string | undefined, ask: Ask): object {
  return {
    apiVersion: 'resource.k8s.io/v1',
    kind: 'ResourceClaimTemplate',
    metadata: metadata(name, namespace),
    spec: { spec: claimSpec(ask) },
  };
}

/** One claim that several pods name: they get the same slice. */
export function sharedClaim(name: string, namespace: string | undefined, ask: Ask): object {
  return {
    apiVersion: 'resource.k8s.io/v1',
    kind: 'ResourceClaim',
    metadata: metadata(name, namespace),
    spec: claimSpec(ask),
  };
}

function metadata(name: string, namespace: string | undefined): object {
  return {
    name,
    ...(namespace !== undefined && { namespace }),
    labels: { 'app.kubernetes.io/managed-by': 'mica' },
  };
}
