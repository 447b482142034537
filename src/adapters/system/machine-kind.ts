/** Whether this is a machine or a virtual one, which may be unable to reset a GPU that it was given. */
import { join } from 'node:path';
import { textOf } from './reading.js';

export interface MachineKind {
  readonly kind: 'physical' | 'virtual' | 'unknown';
  /** Maker and product as the firmware says, e.g. `QEMU Standard PC`; `null`: it does not. */
  readonly name: string | null;
}

/** Makers of virtual machines; clouds are not among them, since they let whole machines as well. */
const virtualMakers = /^(QEMU|KVM|Bochs|Xen|VMware|innotek|Red Hat|OpenStack|Parallels)/i;
const virtualProducts = /^(KVM|Virtual Machine|VirtualBox|VMware|OpenStack|HVM domU)/i;

/** `root`: where the file system of the machine begins. */
export async function machineKind(root = '/'): Promise<MachineKind> {
  const [cpus, maker, product] = await Promise.all([
    textOf(join(root, 'proc/cpuinfo')),
    firmware(root, 'sys_vendor'),
    firmware(root, 'product_name'),
  ]);
  const names = [maker, product].filter((part) => part !== null && part !== '');
  const name = names.length === 0 ? null : names.join(' ');
  // x86 processors show a flag in every virtual machine; others show none, so there only the firmware may tell.
  const [, flags] = /^flags\s*:(.*)$/m.exec(cpus ?? '') ?? [];
  if (flags !== undefined) return { kind: / hypervisor( |$)/.test(flags) ? 'virtual' : 'physical', name };
  const isVirtual = virtualMakers.test(maker ?? '') || virtualProducts.test(product ?? '');
  return { kind: isVirtual ? 'virtual' : 'unknown', name };
}

async function firmware(root: string, what: string): Promise<string | null> {
  return (await textOf(join(root, 'sys/class/dmi/id', what)))?.trim() ?? null;
}
