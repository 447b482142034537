import { describe, expect, it } from 'vitest';
import type { MachineFacts } from '#adapters/system/machine-facts';
import { modelByKey } from '#core/catalogue/catalogue';
import { machineChecks } from './check-machine.js';
import { isAtLeast } from './check-versions.js';
import { checksOf } from './checks.js';
import type { SeenGpu } from './see-gpus.js';

function seen(key: string, more: Partial<SeenGpu['info']> = {}, rest: Partial<SeenGpu> = {}): SeenGpu {
  const model = modelByKey(key) ?? null;
  const mig = model?.kind === 'mig' ? { current: false, pending: false } : null;
  const info = {
    index: 0,
    uuid: 'GPU-1',
    name: model?.name ?? key,
    pciBusId: '00000000:10:00.0',
    pciDeviceId: 'FFFF',
    pciSubsystemId: null,
    driverVersion: '580.65.06',
    vbiosVersion: '98.02.6B.00.01',
    memoryMiB: null,
    mig,
    ...more,
  };
  return { info, model, card: null, instances: [], processes: [], troubles: [], ...rest };
}

/** A machine where nothing stands in the way. */
function facts(more: Partial<MachineFacts> = {}): MachineFacts {
  return {
    isRoot: true,
    kernel: { isOpen: true, drm: { isLoaded: false, uses: 0 } },
    machine: { kind: 'physical', name: 'Supermicro SYS-1' },
    pci: [{ address: '0000:10:00.0', classCode: '0302', bar1MiB: 131_072 }],
    open: { holders: [], hidden: 0 },
    fabric: { switches: 'none', managerPid: null, version: null },
    ...more,
  };
}

function verdicts(gpu: SeenGpu, about: MachineFacts | null = null): Record<string, string> {
  return Object.fromEntries(checksOf(gpu, about).map(({ check, verdict }) => [check, verdict]));
}

/** What is said of one thing: `verdict: message -> fix`. */
function said(check: string, gpu: SeenGpu, about: MachineFacts | null): string {
  const all = [...machineChecks([gpu], about), ...checksOf(gpu, about)];
  const found = all.find((one) => one.check === check);
  if (found === undefined) return 'nothing';
  const { verdict, message, fix } = found;
  // Whoever reads "not ok" is told what to do, always.
  expect(fix === undefined, message).toBe(verdict === 'ok');
  return `${verdict}: ${message}${fix === undefined ? '' : ` -> ${fix}`}`;
}

const server = 'rtx-pro-6000-blackwell-server';
const maxq = 'rtx-pro-6000-blackwell-maxq';
const isCut = { mig: { current: true, pending: true } };

describe('isAtLeast', () => {
  it.each([
    ['525.85.12', '525.85.12', 10, true],
    ['525.85.5', '525.85.12', 10, false],
    ['535.1', '525.85.12', 10, true],
    ['525', '525.85.12', 10, false],
    ['575.51.03', '575.64', 10, false],
    ['610.43.02', '575.64', 10, true],
    ['98.02.6A.00.00', '98.02.55.00.00', 16, true],
    ['98.02.5F.00.00', '98.02.6A.00.00', 16, false],
    ['98.02.a0.00.00', '98.02.6A.00.00', 16, true],
  ] as const)('%s, at least %s in base %d: %j', (version, least, base, answer) => {
    expect(isAtLeast(version, least, base)).toBe(answer);
  });
});

describe('checksOf', () => {
  it('finds nothing wrong with a card that can be cut', () => {
    expect(verdicts(seen('h100-80gb-sxm'))).toEqual({ mig: 'ok', driver: 'ok', idle: 'ok' });
  });

  it('finds nothing wrong with a machine where nothing stands in the way', () => {
    const all = ['a30-24gb', 'a100-80gb', 'h100-80gb-sxm', 'b200-180gb', server].flatMap((key) => [
      ...machineChecks([seen(key)], facts()),
      ...checksOf(seen(key), facts()),
    ]);
    expect(all.filter(({ verdict }) => verdict !== 'ok')).toEqual([]);
  });

  it('finds an old driver, an old vBIOS, the closed modules and a display mode that nobody knows', () => {
    const card = seen(maxq, {
      driverVersion: '570.172.08',
      vbiosVersion: '98.02.55.00.00',
      memoryMiB: 97_887,
    });
    const about = facts({ kernel: { isOpen: false, drm: null } });
    expect(verdicts(card, about)).toEqual({
      mig: 'ok',
      driver: 'bad',
      vbios: 'bad',
      'display-mode': 'unknown',
      'resizable-bar': 'ok',
      'kernel-modules': 'bad',
      idle: 'ok',
    });
    for (const { verdict, fix } of checksOf(card, about)) expect(fix === undefined).toBe(verdict === 'ok');
  });

  it('a mode that waits, a GPU that is held, a slice that nothing can use, a driver that does not answer', () => {
    const mig = { current: false, pending: true };
    const processes = [
      { pid: 1, name: 'nv-hostengine', usedMiB: 1, instanceId: null },
      { pid: 2, name: null, usedMiB: null, instanceId: null },
    ];
    const found = checksOf(seen('h100-80gb-sxm', { mig }, { processes, troubles: ['lost'] }), null);
    expect(found.find(({ check }) => check === 'idle')?.fix).toMatch(/stop DCGM.*; end the processes/);
    expect(found.find(({ check }) => check === 'pending-mode')?.verdict).toBe('warn');
    expect(found.find(({ check }) => check === 'answers')?.verdict).toBe('bad');
    const empty = {
      id: 1,
      profileId: 19,
      placement: { profile: '1g.10gb', start: 0, size: 1 },
      computeInstances: [],
      memory: null,
    };
    const cut = seen('h100-80gb-sxm', { mig: { current: true, pending: true } }, { instances: [empty] });
    expect(verdicts(cut)).toEqual({ mig: 'ok', driver: 'ok', slices: 'warn' });
  });

  it('a card without MIG is fine as it is; one that hides its MIG is not', () => {
    expect(verdicts(seen('t4-16gb'))).toEqual({ mig: 'ok' });
    expect(verdicts(seen('h100-80gb-sxm', { mig: null }))).toEqual({ mig: 'bad' });
  });

  it('a card that nobody has heard of is judged by its driver alone', () => {
    const mig = { current: false, pending: false };
    expect(verdicts(seen('rubin', { mig }))).toEqual({ mig: 'ok', driver: 'unknown', idle: 'ok' });
  });
});

describe('a board', () => {
  const withBar = (bar1MiB: number | null, classCode = '0302', kind: 'physical' | 'virtual' = 'physical') =>
    facts({
      pci: [
        { address: '0000:0f:00.0', classCode: '0300', bar1MiB: 1 },
        { address: '0000:10:00.0', classCode, bar1MiB },
      ],
      machine: { kind, name: null },
    });

  it.each([
    [server, withBar(131_072), /^ok: BAR1 is 128 GiB: all of the memory$/],
    [server, withBar(256), /^bad: BAR1 is 256 MiB: .*off -> switch on Resizable BAR and Above 4G[^;]*$/],
    [server, withBar(256, '0302', 'virtual'), /^bad: .* -> give the virtual machine the whole BAR1/],
    [
      'rtx-pro-6000-blackwell-workstation',
      withBar(8192),
      /^warn: BAR1 is 8 GiB: a part of the memory -> .*see display-mode$/,
    ],
    [maxq, withBar(8192), /^unknown: BAR1 is 8 GiB, and how much .* -> compare/],
    [server, withBar(null), /^unknown: .* -> `nvidia-smi -q -d MEMORY`/],
    [server, facts({ pci: null }), /^unknown: /],
    [server, facts({ pci: [] }), /^unknown: /],
    ['h100-80gb-sxm', withBar(256), /^nothing$/],
  ])('%s: how much memory is in reach', (key, about, expected) => {
    const memoryMiB = key === maxq ? null : 97_887;
    expect(said('resizable-bar', seen(key, { memoryMiB }), about)).toMatch(expected);
  });

  it('has shown what it can where MIG is on', () => {
    expect(said('resizable-bar', seen(server, isCut), withBar(256))).toBe('nothing');
    expect(said('display-mode', seen(maxq, isCut), withBar(256))).toBe('ok: compute: MIG is on');
  });

  it.each([
    [maxq, withBar(256, '0300'), /^unknown: .* a VGA controller, .* -> `displaymodeselector --listgpumodes`/],
    [maxq, withBar(256), /^unknown: .* a 3D controller, /],
    [maxq, null, /^unknown: [^;]* -> .*`displaymodeselector --gpumode compute`.*, reboot$/],
    [server, withBar(256), /^nothing$/],
  ])('%s: its display mode is nothing to guess at', (key, about, expected) => {
    expect(said('display-mode', seen(key), about)).toMatch(expected);
  });

  it('does not guess which kernel modules are loaded', () => {
    const about = facts({ kernel: { isOpen: null, drm: null } });
    expect(said('kernel-modules', seen(server), about)).toMatch(/^unknown: .* -> `modinfo/);
  });
});

describe('a reset', () => {
  const drm = (uses: number): MachineFacts =>
    facts({ kernel: { isOpen: null, drm: { isLoaded: true, uses } } });
  const on = (kind: MachineFacts['machine']['kind'], name: string | null): MachineFacts =>
    facts({ machine: { kind, name } });

  it.each([
    ['a100-40gb', drm(0), /^warn: .*nvidia_drm holds the GPUs -> `modprobe -r nvidia_drm`/],
    ['a100-40gb', drm(3), /^warn: .* -> stop what uses it \(3 now; /],
    [
      'a100-40gb',
      on('virtual', 'QEMU'),
      /^warn: .*virtual machine \(QEMU\): most cannot -> .*reboot the virtual/,
    ],
    ['a100-40gb', on('unknown', null), /^unknown: .* -> `systemd-detect-virt`/],
    ['a100-40gb', on('physical', null), /^nothing$/],
    ['h100-80gb-sxm', drm(3), /^nothing$/],
    ['h100-80gb-sxm', on('virtual', 'QEMU'), /^nothing$/],
    ['a100-40gb', null, /^nothing$/],
  ])('%s: what keeps it from being done', (key, about, expected) => {
    expect(said('reset', seen(key), about)).toMatch(expected);
  });

  it('that is waited for comes with a reboot in a virtual machine', () => {
    const waiting = seen('a100-40gb', { mig: { current: false, pending: true } });
    expect(said('pending-mode', waiting, on('virtual', 'Amazon EC2 p4d.24xlarge'))).toMatch(
      /^warn: MIG is off and will be on .*p4d.24xlarge.* -> reboot the virtual machine, then run `mica node restore`/,
    );
    expect(said('pending-mode', waiting, facts())).toMatch(/-> run `mica node restore`, or reboot/);
  });
});

describe('who holds a GPU', () => {
  const here = (...names: readonly string[]): MachineFacts =>
    facts({
      open: {
        holders: [
          ...names.map((name, index) => ({ pid: 100 + index, name, addresses: ['0000:10:00.0'] })),
          { pid: 99, name: 'elsewhere', addresses: ['0000:11:00.0'] },
        ],
        hidden: 0,
      },
    });

  it.each([
    ['nv-hostengine', 'stop DCGM'],
    ['dcgm-exporter', 'stop DCGM'],
    ['nvidia-persiste', 'systemctl stop nvidia-persistenced'],
    ['nvsm_core', 'systemctl stop nvsm'],
    ['Xorg', 'stop the desktop'],
    ['gnome-shell', 'stop the desktop'],
    ['/usr/lib/xorg/Xorg :0 -seat seat0', 'stop the desktop'],
    ['python3', '--drain'],
  ])('%s: %s', (name, fix) => {
    expect(said('idle', seen('h100-80gb-sxm'), here(name))).toMatch(
      new RegExp(`^warn: held by ${name} \\(pid 100\\): .* -> .*${fix}`),
    );
  });

  it('is told once, whether the driver lists them or the kernel or both', () => {
    const processes = [{ pid: 100, name: '/usr/bin/python3', usedMiB: 1, instanceId: null }];
    const gpu = seen('h100-80gb-sxm', {}, { processes });
    expect(said('idle', gpu, here('python3', 'Xorg'))).toContain(
      'held by /usr/bin/python3 (pid 100), Xorg (pid 101):',
    );
  });

  it('is not the Fabric Manager, which must run', () => {
    expect(said('idle', seen('h100-80gb-sxm'), here('nv-fabricmanage'))).toBe('ok: nobody holds it');
  });

  it('is unknown where others may not be looked into', () => {
    const open = { holders: [], hidden: 12 };
    expect(said('idle', seen('h100-80gb-sxm'), facts({ open }))).toMatch(
      /^unknown: .* 12 processes .* -> run this as root/,
    );
    expect(said('idle', seen('h100-80gb-sxm'), facts({ open: null }))).toMatch(/^unknown: /);
    expect(said('idle', seen('h100-80gb-sxm', isCut), facts({ open: null }))).toMatch(/^unknown: /);
  });
});

describe('the machine', () => {
  const fabric = (more: Partial<MachineFacts['fabric']>): MachineFacts =>
    facts({ fabric: { switches: 'some', managerPid: 900, version: '580.65.06', ...more } });
  const h200 = seen('h200-141gb');

  it.each([
    ['runs, of the same version', h200, fabric({}), /^ok: runs \(pid 900\), 580.65.06 as the driver$/],
    ['does not run', h200, fabric({ managerPid: null }), /^warn: .* -> `systemctl enable --now/],
    [
      'cannot run',
      h200,
      fabric({ managerPid: null, version: '575.57.08' }),
      /-> install .* 580.65.06, .*575.57.08/,
    ],
    [
      'is not installed',
      h200,
      fabric({ managerPid: null, version: null }),
      /^warn: .*no Fabric Manager runs/,
    ],
    [
      'is older',
      h200,
      fabric({ version: '575.57.08' }),
      /^warn: 575.57.08 is installed, and the driver is 580.65.06/,
    ],
    ['does not say', h200, fabric({ version: null }), /^unknown: .* -> compare/],
    ['is not needed', h200, fabric({ switches: 'none' }), /^nothing$/],
    [
      'may be needed',
      seen('b200-180gb'),
      fabric({ switches: 'hidden' }),
      /^unknown: .* -> run this as root$/,
    ],
    ['was never needed', seen(server), fabric({ switches: 'hidden' }), /^nothing$/],
  ])('its Fabric Manager %s', (_, gpu, about, expected) => {
    expect(said('fabric-manager', gpu, about)).toMatch(expected);
  });

  it('needs root, and a GPU', () => {
    expect(said('privileges', h200, facts({ isRoot: false }))).toMatch(/^warn: not root/);
    expect(machineChecks([], null)).toMatchObject([{ check: 'gpus', verdict: 'bad' }]);
    expect(machineChecks([h200], null)).toEqual([]);
  });
});
