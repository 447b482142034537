/** Whether a change of the MIG mode can take effect: some cards need a reset for it, and some machines cannot do one. */
import type { MachineFacts } from '#adapters/system/machine-facts';
import type { Finding } from './check.js';
import type { SeenGpu } from './see-gpus.js';

export function resettable({ model }: SeenGpu, facts: MachineFacts | null): Finding | null {
  if (facts === null || model === null || model.kind === 'no-mig') return null;
  if (model.migEnable.resetToToggle !== true) return null;
  const { kernel, machine } = facts;
  const check = 'reset';
  if (machine.kind === 'virtual') {
    return {
      check,
      verdict: 'warn',
      message: `switching MIG needs a GPU reset, and this is a virtual machine${named(machine.name)}: most cannot`,
      fix: 'let `mica node apply` switch MIG, reboot the virtual machine, and run `mica node restore`',
    };
  }
  if (kernel.drm?.isLoaded === true) {
    const { uses } = kernel.drm;
    const first =
      uses === 0 ? '' : `stop what uses it (${uses} now; \`systemctl isolate multi-user.target\`), `;
    return {
      check,
      verdict: 'warn',
      message: 'switching MIG needs a GPU reset here, and nvidia_drm holds the GPUs',
      fix: `${first}\`modprobe -r nvidia_drm\` before MIG is switched, or reboot after it`,
    };
  }
  if (machine.kind === 'physical') return null;
  const message = 'switching MIG needs a GPU reset, which a virtual machine may be unable to do';
  return { check, verdict: 'unknown', message, fix: '`systemd-detect-virt` says whether this is one' };
}

export function pendingMode({ info: { mig } }: SeenGpu, facts: MachineFacts | null): Finding | null {
  if (mig === null || mig.current === mig.pending) return null;
  const [now, then] = [mig.current ? 'on' : 'off', mig.pending ? 'on' : 'off'];
  const isVirtual = facts?.machine.kind === 'virtual';
  const fix = isVirtual
    ? 'reboot the virtual machine, then run `mica node restore`'
    : 'run `mica node restore`, or reboot where the GPU cannot be reset';
  const why = isVirtual ? `, which a virtual machine${named(facts.machine.name)} cannot do as a rule` : '';
  const message = `MIG is ${now} and will be ${then} after a reset${why}`;
  return { check: 'pending-mode', verdict: 'warn', message, fix };
}

function named(name: string | null): string {
  return name === null ? '' : ` (${name})`;
}
