/** Who has a GPU open, seen from the kernel: more than the driver lists, which names only who computes or draws. */
import { readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { namesIn, textOf } from './reading.js';

export interface GpuHolder {
  readonly pid: number;
  /** At most 15 letters: the kernel keeps no more. */
  readonly name: string | null;
  /** PCI addresses of the GPUs that it has open. */
  readonly addresses: readonly string[];
}

export interface GpuHolders {
  readonly holders: readonly GpuHolder[];
  /** How many processes may not be looked into: another user's, where one is not root. */
  readonly hidden: number;
}

/** All but this very process. `null`: this machine shows no processes. */
export async function gpuHolders(root = '/', self = process.pid): Promise<GpuHolders | null> {
  const pids = (await namesIn(join(root, 'proc')))?.filter((name) => /^\d+$/.test(name));
  if (pids === undefined || pids.length === 0) return null;
  const addressOf = await addressesByMinor(root);
  const holders: GpuHolder[] = [];
  let hidden = 0;
  for (const pid of pids) {
    if (Number(pid) === self) continue;
    const folder = join(root, 'proc', pid);
    const open = await openGpus(folder);
    // A process that has ended since it was listed has no folder any more, and hides nothing.
    if (open === null) hidden += (await namesIn(folder)) === null ? 0 : 1;
    else if (open.length > 0) {
      const name = (await textOf(join(folder, 'comm')))?.trimEnd() ?? null;
      const addresses = open.map((minor) => addressOf.get(minor) ?? `minor ${minor}`);
      holders.push({ pid: Number(pid), name, addresses });
    }
  }
  return { holders, hidden };
}

/** Minor numbers of the GPUs that a process has open; `null`: nobody may look. */
async function openGpus(folder: string): Promise<readonly number[] | null> {
  const files = await namesIn(join(folder, 'fd'));
  if (files === null) return null;
  const targets = await Promise.all(files.map((file) => readlink(join(folder, 'fd', file)).catch(() => '')));
  const minors = targets.flatMap((target) => {
    const [, minor] = /^\/dev\/nvidia(\d+)$/.exec(target) ?? [];
    return minor === undefined ? [] : [Number(minor)];
  });
  return [...new Set(minors)].sort((a, b) => a - b);
}

/** The number in /dev/nvidiaN is neither NVML's index nor fixed: the driver says which card it is. */
async function addressesByMinor(root: string): Promise<ReadonlyMap<number, string>> {
  const folder = join(root, 'proc/driver/nvidia/gpus');
  const pairs = await Promise.all(
    ((await namesIn(folder)) ?? []).map(async (address) => {
      const information = (await textOf(join(folder, address, 'information'))) ?? '';
      const [, minor] = /^Device Minor:\s*(\d+)/m.exec(information) ?? [];
      return minor === undefined ? [] : [[Number(minor), address] as const];
    }),
  );
  return new Map(pairs.flat());
}
