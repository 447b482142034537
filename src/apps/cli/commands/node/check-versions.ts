/** Whether driver, vBIOS and kernel modules are ones that can cut the card. */
import type { MachineFacts } from '#adapters/system/machine-facts';
import type { Finding } from './check.js';
import type { SeenGpu } from './see-gpus.js';

export function driver({ info, model }: SeenGpu): Finding {
  const { driverVersion } = info;
  const least = model === null || model.kind === 'no-mig' ? null : model.migEnable.minDriver;
  const check = 'driver';
  if (least === null) {
    const message = `${driverVersion}; the least version is not published`;
    return {
      check,
      verdict: 'unknown',
      message,
      fix: 'look for the card in the release notes of the driver',
    };
  }
  if (isAtLeast(driverVersion, least, 10)) {
    return { check, verdict: 'ok', message: `${driverVersion}, at least ${least}` };
  }
  const message = `${driverVersion} is older than ${least}, the first that can cut this card`;
  return { check, verdict: 'bad', message, fix: `install driver ${least} or newer` };
}

export function vbios({ info, model }: SeenGpu): Finding | null {
  const least = model === null || model.kind === 'no-mig' ? null : model.migEnable.minVbios;
  if (least === null) return null;
  const { vbiosVersion } = info;
  const check = 'vbios';
  if (vbiosVersion === null) {
    const fix = '`nvidia-smi --query-gpu=vbios_version --format=csv` may say';
    return { check, verdict: 'unknown', message: `the driver does not say; ${least} is needed`, fix };
  }
  if (isAtLeast(vbiosVersion, least, 16)) {
    return { check, verdict: 'ok', message: `${vbiosVersion}, at least ${least}` };
  }
  const message = `${vbiosVersion} is older than ${least}`;
  return { check, verdict: 'bad', message, fix: 'update the vBIOS with the tool of the card vendor' };
}

/** RTX PRO cards can be cut with the open kernel modules only. */
export function modules({ model }: SeenGpu, facts: MachineFacts | null): Finding | null {
  if (facts === null || model?.key.startsWith('rtx-pro') !== true) return null;
  const check = 'kernel-modules';
  switch (facts.kernel.isOpen) {
    case true:
      return { check, verdict: 'ok', message: 'the open ones' };
    case false: {
      const message = 'the closed kernel modules are loaded, which cannot cut this card';
      return { check, verdict: 'bad', message, fix: 'install the open kernel modules of the same driver' };
    }
    case null: {
      const fix = '`modinfo -F license nvidia` says `Dual MIT/GPL` for the open ones';
      return { check, verdict: 'unknown', message: 'open or closed: the kernel does not say here', fix };
    }
  }
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
