/** What must be true of a GPU before it can be cut, each with what to do where it is not. */
import type { NvidiaKernel } from '#adapters/system/nvidia-kernel';
import { asArgument } from '#core/geometry/placement';
import type { GpuProcess } from '#ports/gpu-driver';
import { processesIn, processInWords, type SeenGpu } from './see-gpus.js';

export interface Check {
  /** `null`: of the machine. */
  readonly gpu: number | null;
  readonly check: string;
  /** `bad`: cutting cannot work; `warn`: it may not, or something is left to do; `unknown`: nobody says. */
  readonly verdict: 'ok' | 'warn' | 'bad' | 'unknown';
  readonly message: string;
  readonly fix?: string;
}

type Finding = Omit<Check, 'gpu'>;

/** `kernel`: left out for GPUs that are not in this machine. */
export function checksOf(gpu: SeenGpu, kernel: NvidiaKernel | null): readonly Check[] {
  const { info, troubles } = gpu;
  const findings: readonly (Finding | null)[] = [
    ...troubles.map((trouble): Finding => ({
      check: 'answers',
      verdict: 'bad',
      message: trouble,
      fix: 'look at the kernel log (`dmesg | grep -i nvrm`); a reset or a reboot brings back a GPU that is lost',
    })),
    capable(gpu),
    ...(info.mig === null
      ? []
      : [
          driver(gpu),
          vbios(gpu),
          displayMode(gpu),
          kernel === null ? null : modules(gpu, kernel),
          kernel === null ? null : resettable(gpu, kernel),
          pendingMode(gpu),
          clients(gpu),
          usable(gpu),
        ]),
  ];
  return findings.flatMap((finding) => (finding === null ? [] : { gpu: info.index, ...finding }));
}

function capable({ info, model }: SeenGpu): Finding {
  if (info.mig !== null) {
    const known =
      model === null
        ? `${info.name}, which the catalogue does not know: the driver's word counts`
        : info.name;
    return { check: 'mig', verdict: 'ok', message: known };
  }
  if (model === null || model.kind === 'no-mig') {
    return { check: 'mig', verdict: 'ok', message: `${info.name} has no MIG and is used whole` };
  }
  const message = `${info.name} has MIG, and its driver says that it has not`;
  const fix = 'update the driver; a virtual machine needs the whole GPU passed through, not a vGPU';
  return { check: 'mig', verdict: 'bad', message, fix };
}

function driver({ info, model }: SeenGpu): Finding {
  const { driverVersion } = info;
  const least = model === null || model.kind === 'no-mig' ? null : model.migEnable.minDriver;
  const check = 'driver';
  if (least === null) {
    return { check, verdict: 'unknown', message: `${driverVersion}; the least version is not published` };
  }
  if (isAtLeast(driverVersion, least, 10)) {
    return { check, verdict: 'ok', message: `${driverVersion}, at least ${least}` };
  }
  const message = `${driverVersion} is older than ${least}, the first that can cut this card`;
  return { check, verdict: 'bad', message, fix: `install driver ${least} or newer` };
}

function vbios({ info, model }: SeenGpu): Finding | null {
  const least = model === null || model.kind === 'no-mig' ? null : model.migEnable.minVbios;
  if (least === null) return null;
  const { vbiosVersion } = info;
  const check = 'vbios';
  if (vbiosVersion === null) {
    return { check, verdict: 'unknown', message: `the driver does not say; ${least} is needed` };
  }
  if (isAtLeast(vbiosVersion, least, 16)) {
    return { check, verdict: 'ok', message: `${vbiosVersion}, at least ${least}` };
  }
  const message = `${vbiosVersion} is older than ${least}`;
  return { check, verdict: 'bad', message, fix: 'update the vBIOS with the tool of the card vendor' };
}

/** Nothing but MIG being on shows the display mode. */
function displayMode({ info, model }: SeenGpu): Finding | null {
  if (model === null || model.kind === 'no-mig' || model.migEnable.needsComputeDisplayMode !== true)
    return null;
  if (info.mig?.current === true)
    return { check: 'display-mode', verdict: 'ok', message: 'compute: MIG is on' };
  return {
    check: 'display-mode',
    verdict: 'unknown',
    message: 'this card ships in graphics mode, in which MIG cannot be switched on',
    fix: 'unload the driver, run `displaymodeselector --gpumode compute` for this card alone, reboot',
  };
}

/** RTX PRO cards can be cut with the open kernel modules only. */
function modules({ model }: SeenGpu, { isOpen }: NvidiaKernel): Finding | null {
  if (model?.key.startsWith('rtx-pro') !== true || isOpen === null) return null;
  if (isOpen) return { check: 'kernel-modules', verdict: 'ok', message: 'the open ones' };
  return {
    check: 'kernel-modules',
    verdict: 'bad',
    message: 'the closed kernel modules are loaded, which cannot cut this card',
    fix: 'install the open kernel modules of the same driver',
  };
}

function resettable({ model }: SeenGpu, { hasDrm }: NvidiaKernel): Finding | null {
  if (model === null || model.kind === 'no-mig' || model.migEnable.resetToToggle !== true) return null;
  if (hasDrm !== true) return null;
  return {
    check: 'reset',
    verdict: 'warn',
    message: 'switching MIG needs a GPU reset here, and nvidia_drm holds the GPUs',
    fix: '`modprobe -r nvidia_drm` before MIG is switched, or reboot after it',
  };
}

function pendingMode({ info: { mig } }: SeenGpu): Finding | null {
  if (mig === null || mig.current === mig.pending) return null;
  const [now, then] = [mig.current ? 'on' : 'off', mig.pending ? 'on' : 'off'];
  return {
    check: 'pending-mode',
    verdict: 'warn',
    message: `MIG is ${now} and will be ${then} after a reset`,
    fix: 'run `mica node restore`, or reboot where the GPU cannot be reset',
  };
}

/** The mode, and the first slice of a card, need a GPU that nobody else uses. */
function clients(gpu: SeenGpu): Finding | null {
  const { info, instances } = gpu;
  if (info.mig?.current === true && instances.length > 0) return null;
  const holding = processesIn(gpu, null);
  const check = 'idle';
  if (holding.length === 0) return { check, verdict: 'ok', message: 'nobody holds it' };
  const fixes = new Set(holding.map(fixFor));
  return {
    check,
    verdict: 'warn',
    message: `held by ${holding.map(processInWords).join(', ')}: MIG cannot be switched on meanwhile`,
    fix: [...fixes].join('; '),
  };
}

const ways: readonly (readonly [RegExp, string])[] = [
  [/^nv-hostengine|^dcgm/, 'stop DCGM: `systemctl stop nvidia-dcgm`, or its pods'],
  [/^nvidia-persiste/, 'stop the persistence daemon: `systemctl stop nvidia-persistenced`'],
  [/^nv-fabricmanag/, 'stop the Fabric Manager: `systemctl stop nvidia-fabricmanager`'],
  [
    /^(Xorg|Xwayland|gnome-shell|kwin|plasmashell|sddm|gdm)/,
    'stop the desktop: `systemctl isolate multi-user.target`',
  ],
];

function fixFor({ name }: GpuProcess): string {
  const way = ways.find(([pattern]) => pattern.test(name ?? ''));
  return way?.[1] ?? 'end the processes, or let `mica node apply` do it with --drain';
}

function usable({ instances }: SeenGpu): Finding | null {
  const empty = instances.filter(({ computeInstances }) => computeInstances.length === 0);
  if (empty.length === 0) return null;
  return {
    check: 'slices',
    verdict: 'warn',
    message: `without a compute instance, so nothing can run there: ${empty.map((one) => asArgument(one.placement)).join(', ')}`,
    fix: '`mica node apply` with a layout that has them makes the rest',
  };
}

/** Versions of numbers with dots; vBIOS versions count in hexadecimal. `least` may be a branch, as in `525`. */
export function isAtLeast(version: string, least: string, base: 10 | 16): boolean {
  const partsOf = (text: string): readonly number[] =>
    text.split('.').map((part) => Number.parseInt(part, base));
  const have = partsOf(version);
  for (const [index, part] of partsOf(least.replace(/^R/, '')).entries()) {
    const own = have[index] ?? 0;
    if (own !== part) return own > part;
  }
  return true;
}
