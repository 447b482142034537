/** What the kernel says of NVIDIA's modules; `null`: it does not say. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface NvidiaKernel {
  /** The open kernel modules, as opposed to the closed ones. */
  readonly isOpen: boolean | null;
  /** `nvidia_drm` holds every GPU, so that none can be reset. */
  readonly hasDrm: boolean | null;
}

export async function nvidiaKernel(proc = '/proc'): Promise<NvidiaKernel> {
  const [version, modules] = await Promise.all([
    textOf(join(proc, 'driver/nvidia/version')),
    textOf(join(proc, 'modules')),
  ]);
  return {
    isOpen: version === null ? null : /open kernel module/i.test(version),
    hasDrm: modules === null ? null : /^nvidia_drm /m.test(modules),
  };
}

async function textOf(path: string): Promise<string | null> {
  return readFile(path, 'utf8').catch(() => null);
}
