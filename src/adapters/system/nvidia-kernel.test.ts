import { expect, it } from 'vitest';
import { temporaryFolder, writeFiles } from '../../../test/tooling/clone.js';
import { nvidiaKernel } from './nvidia-kernel.js';

it('tells the open modules from the closed ones, and whether nvidia_drm is loaded', async () => {
  const root = temporaryFolder();
  expect(await nvidiaKernel(root)).toEqual({ isOpen: null, drm: null });
  writeFiles(root, {
    'proc/driver/nvidia/version': 'NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.65.06\n',
    'proc/modules': 'nvidia_uvm 1 0 - Live\nnvidia_drm 98304 4 - Live\n',
  });
  expect(await nvidiaKernel(root)).toEqual({ isOpen: true, drm: { isLoaded: true, uses: 4 } });
  writeFiles(root, {
    'proc/driver/nvidia/version': 'NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.183.01\n',
    'proc/modules': 'nvidia 1 1 nvidia_drm, Live\n',
  });
  expect(await nvidiaKernel(root)).toEqual({ isOpen: false, drm: { isLoaded: false, uses: 0 } });
});
