import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { nvidiaKernel } from './nvidia-kernel.js';

const proc = mkdtempSync(join(tmpdir(), 'mica-proc-'));
afterAll(() => rmSync(proc, { recursive: true }));

it('tells the open modules from the closed ones, and whether nvidia_drm is loaded', async () => {
  expect(await nvidiaKernel(proc)).toEqual({ isOpen: null, hasDrm: null });
  mkdirSync(join(proc, 'driver/nvidia'), { recursive: true });
  const version = join(proc, 'driver/nvidia/version');
  writeFileSync(version, 'NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.65.06\n');
  writeFileSync(join(proc, 'modules'), 'nvidia_uvm 1 0 - Live\nnvidia_drm 98304 4 - Live\n');
  expect(await nvidiaKernel(proc)).toEqual({ isOpen: true, hasDrm: true });
  writeFileSync(version, 'NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.183.01\n');
  writeFileSync(join(proc, 'modules'), 'nvidia 1 1 nvidia_drm, Live\n');
  expect(await nvidiaKernel(proc)).toEqual({ isOpen: false, hasDrm: false });
});
