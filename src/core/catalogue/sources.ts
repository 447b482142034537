/** Where the facts of the catalogue come from: short id -> full citation. Read in or before 2026-11. */

export const sources = {
  // NVIDIA's own words.
  'docs-profiles': 'docs.nvidia.com/datacenter/tesla/mig-user-guide/supported-mig-profiles.html',
  'docs-support':
    'docs.nvidia.com/datacenter/tesla/mig-user-guide (supported-gpus / deployment-considerations pages)',
  'docs-start': 'docs.nvidia.com/datacenter/tesla/mig-user-guide/getting-started-with-mig.html',
  'driver-readme': 'github:NVIDIA/open-gpu-kernel-modules@df1c9a3d README.md (595.45.04)',
  'mig-parted-config': 'github:NVIDIA/mig-parted@bd7160f4 deployments/systemd/config-default.yaml',
  'mig-parted-b300': 'github:NVIDIA/mig-parted commit 47c56d96',
  'mig-parted-31': 'github:NVIDIA/mig-parted issue 31',
  'operator-notes': 'github:NVIDIA/cloud-native-docs@52dcb7b8 gpu-operator/release-notes.rst',
  'operator-900': 'github:NVIDIA/gpu-operator pulls 900/903',
  'operator-1303': 'github:NVIDIA/gpu-operator pull 1303 (pre-production GB200)',
  'vgpu-hopper': 'public GitHub file (repository not known): NVIDIA AI Enterprise vGPU types, Hopper',
  'gb300-playbook': 'public GitHub file (repository not known): NVIDIA "MIG on DGX Station" GB300 playbook',

  // What hardware printed: `nvidia-smi -q -x` of whole cards.
  'smi-a100':
    'github:NVIDIA/k8s-test-infra@3b2b865d tests/e2e/go/assertions/nvidiasmi/testdata/hardware/qx-a100.xml',
  'smi-h100':
    'github:NVIDIA/k8s-test-infra@3b2b865d tests/e2e/go/assertions/nvidiasmi/testdata/hardware/qx-h100.xml',
  'smi-b200':
    'github:NVIDIA/k8s-test-infra@3b2b865d tests/e2e/go/assertions/nvidiasmi/testdata/hardware/qx-b200.xml',
  'smi-gb200':
    'github:NVIDIA/k8s-test-infra@3b2b865d tests/e2e/go/assertions/nvidiasmi/testdata/hardware/qx-gb200.xml',
  'smi-gb300':
    'github:NVIDIA/k8s-test-infra@3b2b865d tests/e2e/go/assertions/nvidiasmi/testdata/hardware/qx-gb300.xml',
  'smi-t4':
    'github:NVIDIA/k8s-test-infra@63018b86 tests/e2e/go/assertions/nvidiasmi/testdata/hardware/qx-t4.xml',
  'smi-l40s':
    'github:NVIDIA/k8s-test-infra@d2c1e25e tests/e2e/go/assertions/nvidiasmi/testdata/hardware/qx-l40s.xml',
  'smi-totals':
    'public GitHub files (several, agreeing): lines of `nvidia-smi --query-gpu=name,memory.total`, drivers 535 to 610',
  'torch-properties':
    'public GitHub files (several, agreeing): multi_processor_count of torch.cuda.get_device_properties',

  // What hardware printed: profiles and placements.
  'a30-lab': 'public GitHub file (repository not known): real A30, driver 535.183.01',
  'a100-40-instaslice':
    'github:project-codeflare/instaslice@b34e86d README.md (real A100-PCIE-40GB, driver 550.54.14)',
  'dra-capture':
    "public GitHub file (repository not known): Go package nvidiadra: capture of NVIDIA's DRA driver on p4d/p5/p6-b200; header says EXAMPLE FILE, MAY NOT BE CORRECT",
  'a100-80-placements':
    'github:cloudai-fusion@fe349ea0 docs/final-hardware-validation/results/placement_constraints.txt (A100-SXM4-80GB, driver 580.173.02)',
  'a100-80-lgip-1': 'public GitHub file (repository not known): A100-80 -lgip, first file',
  'a100-80-lgip-2': 'public GitHub file (repository not known): A100-80 -lgip, second file',
  'h100-sxm-blog': 'public GitHub file (repository not known): blog post, real H100 SXM',
  'h100-pcie-lgip': 'public GitHub file (repository not known): real H100 PCIe, driver 570.169',
  'h100-pcie-lgi': 'public GitHub file (repository not known): real H100 PCIe, -lgi',
  'h100-nvl-azure': 'public GitHub file (repository not known): real H100 NVL on Azure, driver 560.35.03',
  'h100-nvl-colfax': 'public GitHub file (repository not known): Colfax H100 NVL -lgipp',
  'gh200-96-lgip': 'public GitHub file (repository not known): real GH200 96GB',
  'gh200-144-lgip': 'github:NVIDIA/mig-parted pull 139 (real GH200 144G HBM3e)',
  'h200-lgip': 'github:NVIDIA/mig-parted issue 120 (real H200)',
  'h200-fixture': 'public GitHub file (repository not known): H200 -lgip test fixture',
  'b200-lgip': 'github:NVIDIA/mig-parted pull 187 and gpu-operator pull 1351 (real B200)',
  'gb200-lgip': 'github:NVIDIA/mig-parted issue 227 (real GB200, production board)',
  'rtx-server-lifecycle':
    'github:kubesimplify/website@c3935fb3 content/blog/slicing-gpus-in-kubernetes-with-nvidia-mig.md (real, driver 610.43.02)',
  'rtx-server-hami':
    'github:kubesimplify/website@c3935fb3 content/blog/dynamic-mig-in-kubernetes-with-hami.md (real, NVML values)',
  'rtx-server-bottlerocket': 'github:bottlerocket-os/bottlerocket-kernel-kit pull 300 (real Server Edition)',
  'rtx-server-gke': 'github:GoogleCloudPlatform/container-engine-accelerators pulls 563/564 (real)',
  'rtx-workstation-lgip':
    'github:truenas-community-sysexts/nvidia-mig-support@ee72c59b docs/mig-profiles.md (real Workstation Edition)',
  'rtx-maxq-lab': 'public GitHub file (repository not known): lab guide, 2x RTX PRO 6000 Max-Q',

  // Lists of others.
  'pci-ids': 'the PCI ID repository, pci.ids 2023.04.10',
  'gce-gpus': 'Compute Engine documentation, page "GPU platforms"',
  instaslice: 'github:project-codeflare/instaslice (emulated A30)',
} as const satisfies Readonly<Record<string, string>>;

export type SourceId = keyof typeof sources;

/** A list of ids that the compiler has checked. */
export function cite(...ids: SourceId[]): readonly SourceId[] {
  return ids;
}

/** The full text behind an id; what is no id of ours (a driver's own answer, say) stands for itself. */
export function citation(id: string): string {
  return Object.hasOwn(sources, id) ? sources[id as SourceId] : id;
}
