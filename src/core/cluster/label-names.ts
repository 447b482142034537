/**
 * Labels by which nodes say what GPUs they have.
 *
 * Sources: NVIDIA/gpu-operator@a22dbf6 and NVIDIA/k8s-device-plugin@1b826ac (GFD), 2026-08; labels of GKE's cluster
 * autoscaler (public file, "Copyright 2026 Google"); EKS and Karpenter documentation.
 */
export const labels = {
  instanceType: 'node.kubernetes.io/instance-type',
  hostname: 'kubernetes.io/hostname',
  present: 'nvidia.com/gpu.present',
  product: 'nvidia.com/gpu.product',
  count: 'nvidia.com/gpu.count',
  memory: 'nvidia.com/gpu.memory',
  migStrategy: 'nvidia.com/mig.strategy',
  migConfig: 'nvidia.com/mig.config',
  migConfigState: 'nvidia.com/mig.config.state',
  /** The beginning of the labels that switch the operator's components on a node. */
  deploy: 'nvidia.com/gpu.deploy.',
  migManager: 'nvidia.com/gpu.deploy.mig-manager',
  gkeAccelerator: 'cloud.google.com/gke-accelerator',
  gkeCount: 'cloud.google.com/gke-accelerator-count',
  gkePartition: 'cloud.google.com/gke-gpu-partition-size',
  gkeSharing: 'cloud.google.com/gke-gpu-sharing-strategy',
  gkeClients: 'cloud.google.com/gke-max-shared-clients-per-gpu',
  gkePool: 'cloud.google.com/gke-nodepool',
  /** GKE's own plugin is off, and the GPU Operator has the node. */
  gkeNoPlugin: 'gke-no-default-nvidia-gpu-device-plugin',
  eksGroup: 'eks.amazonaws.com/nodegroup',
  karpenterPool: 'karpenter.sh/nodepool',
} as const;
