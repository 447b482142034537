/** Everything about a machine, beside what its GPU driver says, that decides whether its GPUs can be cut. */
import { fabricOf, type Fabric } from './fabric-manager.js';
import { gpuHolders, type GpuHolders } from './gpu-holders.js';
import { machineKind, type MachineKind } from './machine-kind.js';
import { nvidiaKernel, type NvidiaKernel } from './nvidia-kernel.js';
import { pciGpus, type PciGpu } from './pci-gpus.js';

export interface MachineFacts {
  readonly isRoot: boolean;
  readonly kernel: NvidiaKernel;
  readonly machine: MachineKind;
  /** `null`: the machine does not show them. */
  readonly pci: readonly PciGpu[] | null;
  /** `null`: the machine does not show them. */
  readonly open: GpuHolders | null;
  readonly fabric: Fabric;
}

/** `root`: where the file system of the machine begins. Only looks. */
export async function machineFacts(root = '/'): Promise<MachineFacts> {
  const [kernel, machine, pci, open, fabric] = await Promise.all([
    nvidiaKernel(root),
    machineKind(root),
    pciGpus(root),
    gpuHolders(root),
    fabricOf(root),
  ]);
  return { isRoot: process.getuid?.() === 0, kernel, machine, pci, open, fabric };
}
