/** What the kernel says of NVIDIA's modules; `null`: it does not say. */
import { join } from 'node:path';
import { textOf } from './reading.js';

export interface NvidiaKernel {
  /** The open kernel modules, as opposed to the closed ones. */
  readonly isOpen: boolean | null;
  /** `nvidia_drm` holds every GPU, so that none can be reset; `uses`: by whom it is held itself, as a number. */
  readonly drm: { readonly isLoaded: boolean; readonly uses: number } | null;
}

/** `root`: where the file system of the machine begins. */
export async function nvidiaKernel(root = '/'): Promise<NvidiaKernel> {
  const [version, modules] = await Promise.all([
    textOf(join(root, 'proc/driver/nvidia/version')),
    textOf(join(root, 'proc/modules')),
  ]);
  const [line, uses = '0'] = modules === null ? [] : (/^nvidia_drm \d+ (\d+) /m.exec(modules) ?? []);
  return {
    isOpen: version === null ? null : /open kernel module/i.test(version),
    drm: modules === null ? null : { isLoaded: line !== undefined, uses: Number(uses) },
  };
}
