/** The readers on made-up file systems; what each file looks like is from machines with these cards (nvidia-smi, lspci, /proc). */
import { chmodSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder, writeFiles } from '../../../test/tooling/clone.js';
import { fabricOf } from './fabric-manager.js';
import { gpuHolders } from './gpu-holders.js';
import { machineFacts } from './machine-facts.js';
import { machineKind } from './machine-kind.js';
import { isAt, pciGpus } from './pci-gpus.js';

const rootWith = (files: Readonly<Record<string, string>>): string => {
  const root = temporaryFolder();
  writeFiles(root, files);
  return root;
};

describe('machineKind', () => {
  it.each([
    ['flags\t\t: fpu vme hypervisor lahf_lm', 'Amazon EC2', 'p4d.24xlarge', 'virtual'],
    ['flags\t\t: fpu vme hypervisor', 'Google', 'Google Compute Engine', 'virtual'],
    ['flags\t\t: fpu vme lahf_lm', 'Amazon EC2', 'p4d.metal', 'physical'],
    ['flags\t\t: fpu vme lahf_lm', 'QEMU', 'x', 'physical'],
    ['Features\t: fp asimd', 'QEMU', 'KVM Virtual Machine', 'virtual'],
    ['Features\t: fp asimd', 'NVIDIA', 'Grace Hopper', 'unknown'],
  ] as const)('%s, %s %s: %s', async (cpus, maker, product, kind) => {
    const root = rootWith({
      'proc/cpuinfo': `processor\t: 0\n${cpus}\n`,
      'sys/class/dmi/id/sys_vendor': `${maker}\n`,
      'sys/class/dmi/id/product_name': `${product}\n`,
    });
    expect(await machineKind(root)).toEqual({ kind, name: `${maker} ${product}` });
  });

  it('does not know what nothing says', async () => {
    expect(await machineKind(temporaryFolder())).toEqual({ kind: 'unknown', name: null });
  });
});

describe('pciGpus', () => {
  const devices = 'sys/bus/pci/devices';
  const nothing = '0x0000000000000000 0x0000000000000000 0x0000000000000000';
  const first = '0x00000000f8000000 0x00000000fbffffff 0x0000000000040200';

  it('reads class and BAR1 of cards with and without display outputs, and of nothing else', async () => {
    const root = rootWith({
      [`${devices}/0000:01:00.0/vendor`]: '0x10de\n',
      [`${devices}/0000:01:00.0/class`]: '0x030000\n',
      [`${devices}/0000:01:00.0/resource`]: `${first}\n0x0000020000000000 0x000002000fffffff 0x000000000014220c\n${nothing}\n`,
      [`${devices}/0000:01:00.1/vendor`]: '0x10de\n',
      [`${devices}/0000:01:00.1/class`]: '0x040300\n',
      [`${devices}/0000:1a:00.0/vendor`]: '0x10de\n',
      [`${devices}/0000:1a:00.0/class`]: '0x030200\n',
      [`${devices}/0000:1a:00.0/resource`]: `${first}\n0x0000080000000000 0x0000081fffffffff 0x000000000014220c\n`,
      [`${devices}/0000:02:00.0/vendor`]: '0x1a03\n',
      [`${devices}/0000:02:00.0/class`]: '0x030000\n',
      [`${devices}/0001:03:00.0/vendor`]: '0x10de\n',
      [`${devices}/0001:03:00.0/class`]: '0x030200\n',
      [`${devices}/0001:03:00.0/resource`]: `${first}\n${nothing}\n`,
    });
    expect(await pciGpus(root)).toEqual([
      { address: '0000:01:00.0', classCode: '0300', bar1MiB: 256 },
      { address: '0000:1a:00.0', classCode: '0302', bar1MiB: 128 * 1024 },
      { address: '0001:03:00.0', classCode: '0302', bar1MiB: null },
    ]);
    expect(await pciGpus(temporaryFolder())).toBe(null);
  });

  it('knows an address as NVML writes it', () => {
    expect(isAt('0000:1a:00.0', '00000000:1A:00.0')).toBe(true);
    expect(isAt('0001:1a:00.0', '00000001:1A:00.0')).toBe(true);
    expect(isAt('0000:1a:00.0', '00000001:1A:00.0')).toBe(false);
    expect(isAt('10000:1a:00.0', '00010000:1A:00.0')).toBe(true);
    expect(isAt('0000:1a:00.0', '00000000:1B:00.0')).toBe(false);
  });
});

describe('gpuHolders', () => {
  const information = (minor: number): string =>
    `Model: \t\t NVIDIA H100\nGPU UUID: \t GPU-1\nDevice Minor: \t ${minor}\nGPU Excluded:\t No\n`;
  const process_ = (root: string, pid: number, name: string, open: readonly string[]): void => {
    writeFiles(root, { [`proc/${pid}/comm`]: `${name}\n` });
    mkdirSync(join(root, `proc/${pid}/fd`), { recursive: true });
    open.forEach((path, fd) => symlinkSync(path, join(root, `proc/${pid}/fd/${fd}`)));
  };

  it('names who has which card open, by the number that the driver gave it', async () => {
    const root = rootWith({
      'proc/driver/nvidia/gpus/0000:17:00.0/information': information(1),
      'proc/driver/nvidia/gpus/0000:3b:00.0/information': information(0),
    });
    process_(root, 1, 'systemd', ['/dev/null']);
    process_(root, 70, 'nvidia-persiste', ['/dev/nvidiactl', '/dev/nvidia0', '/dev/nvidia1', '/dev/nvidia1']);
    process_(root, 71, 'Xorg', ['/dev/nvidia0', 'socket:[4]', '/dev/nvidia-modeset']);
    process_(root, 72, 'odd', ['/dev/nvidia7']);
    process_(root, 73, 'mica', ['/dev/nvidia0']);
    process_(root, 74, 'watcher', ['/dev/nvidiactl', '/dev/nvidia-caps/nvidia-cap1']);
    expect(await gpuHolders(root, 73)).toEqual({
      holders: [
        { pid: 70, name: 'nvidia-persiste', addresses: ['0000:3b:00.0', '0000:17:00.0'] },
        { pid: 71, name: 'Xorg', addresses: ['0000:3b:00.0'] },
        { pid: 72, name: 'odd', addresses: ['minor 7'] },
      ],
      hidden: 0,
    });
  });

  it('counts whom it may not look into', async () => {
    const root = rootWith({ 'proc/80/comm': 'secret\n', 'proc/81/comm': 'secret too\n' });
    // What cannot be listed stands for what may not be: root may read everything.
    writeFiles(root, { 'proc/80/fd': '' });
    expect(await gpuHolders(root)).toEqual({ holders: [], hidden: 2 });
    expect(await gpuHolders(temporaryFolder())).toBe(null);
  });
});

describe('fabricOf', () => {
  it('finds switches that the driver lists, the manager that runs and the version that is installed', async () => {
    const root = rootWith({
      'proc/driver/nvidia-nvswitch/devices/0000:0c:09.0/information': '',
      'proc/900/comm': 'nv-fabricmanage\n',
      'usr/bin/nv-fabricmanager': '#!/bin/sh\necho; echo "\tFabric Manager version is : 580.65.06"\n',
    });
    chmodSync(join(root, 'usr/bin/nv-fabricmanager'), 0o755);
    expect(await fabricOf(root)).toEqual({ switches: 'some', managerPid: 900, version: '580.65.06' });
  });

  it('finds switches behind a marked network card, and no manager', async () => {
    const root = rootWith({
      'sys/class/infiniband/mlx5_0/device/vpd': 'ordinary',
      'sys/class/infiniband/mlx5_1/device/vpd': '\u0082\u0000SW_MNG\u0000',
    });
    expect(await fabricOf(root)).toEqual({ switches: 'some', managerPid: null, version: null });
  });

  it('says where only root could tell, and where there is nothing', async () => {
    const hidden = rootWith({ 'sys/class/infiniband/mlx5_0/device/other': '' });
    expect((await fabricOf(hidden)).switches).toBe('hidden');
    const none = rootWith({ 'sys/class/infiniband/mlx5_0/device/vpd': 'ordinary' });
    expect((await fabricOf(none)).switches).toBe('none');
    expect((await fabricOf(temporaryFolder())).switches).toBe('none');
  });
});

it('looks at the machine that it runs on, and takes seconds at most', async () => {
  const facts = await machineFacts();
  expect(['physical', 'virtual', 'unknown']).toContain(facts.machine.kind);
});
