/**
 * Labels of real GPU nodes, without those that say nothing of GPUs.
 *
 * Source: two dumps of one H100 machine under the GPU Operator (GFD, driver 550.54.15, 2024-05), in public files; the
 * GKE node is put together from the labels in the source of GKE's cluster autoscaler (2026). Read 2026-11-23.
 */
const h100 = {
  'nvidia.com/gpu.count': '1',
  'nvidia.com/gpu.deploy.device-plugin': 'true',
  'nvidia.com/gpu.deploy.mig-manager': 'true',
  'nvidia.com/gpu.family': 'hopper',
  'nvidia.com/gpu.memory': '81559',
  'nvidia.com/gpu.present': 'true',
  'nvidia.com/gpu.product': 'NVIDIA-H100-80GB-HBM3',
  'nvidia.com/gpu.sharing-strategy': 'none',
  'nvidia.com/mig.capable': 'true',
  'nvidia.com/mig.config.state': 'success',
};

export const mixedH100 = {
  ...h100,
  'nvidia.com/gpu.replicas': '0',
  'nvidia.com/mig-1g.10gb.count': '2',
  'nvidia.com/mig-1g.10gb.memory': '9984',
  'nvidia.com/mig-1g.10gb.replicas': '1',
  'nvidia.com/mig-2g.20gb.count': '1',
  'nvidia.com/mig-2g.20gb.replicas': '1',
  'nvidia.com/mig-3g.40gb.count': '1',
  'nvidia.com/mig-3g.40gb.replicas': '1',
  'nvidia.com/mig.config': 'all-balanced',
  'nvidia.com/mig.strategy': 'mixed',
};

export const wholeH100 = {
  ...h100,
  'nvidia.com/gpu.replicas': '1',
  'nvidia.com/mig.config': 'all-disabled',
  'nvidia.com/mig.strategy': 'single',
};

export const gkeG4 = {
  'cloud.google.com/gke-nodepool': 'mig',
  'cloud.google.com/gke-accelerator': 'nvidia-rtx-pro-6000',
  'cloud.google.com/gke-gpu': 'true',
  'cloud.google.com/gke-gpu-partition-size': '1g.24gb',
  'cloud.google.com/gke-gpu-sharing-strategy': 'time-sharing',
  'cloud.google.com/gke-max-shared-clients-per-gpu': '4',
  'node.kubernetes.io/instance-type': 'g4-standard-48',
};
