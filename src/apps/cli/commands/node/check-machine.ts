/** What must be true of the machine as a whole before its GPUs can be cut. Pure: the facts are arguments. */
import type { MachineFacts } from '#adapters/system/machine-facts';
import type { Check, Finding } from './check.js';
import type { SeenGpu } from './see-gpus.js';

/** `facts`: `null` for GPUs that are not in this machine. */
export function machineChecks(gpus: readonly SeenGpu[], facts: MachineFacts | null): readonly Check[] {
  const findings: readonly (Finding | null)[] = [
    facts === null ? null : privileges(facts),
    gpus.length === 0 ? noGpu : null,
    facts === null ? null : fabricManager(gpus, facts),
  ];
  return findings.flatMap((finding) => (finding === null ? [] : { gpu: null, ...finding }));
}

const noGpu: Finding = {
  check: 'gpus',
  verdict: 'bad',
  message: 'the driver lists no GPU',
  fix: 'look whether `lspci -d 10de:` shows one, and at the kernel log',
};

function privileges({ isRoot }: MachineFacts): Finding {
  const check = 'privileges';
  if (isRoot) return { check, verdict: 'ok', message: 'root' };
  const message = 'not root: slices can be seen, not changed';
  return { check, verdict: 'warn', message, fix: 'run what changes GPUs as root' };
}

/** Only boards with switches need it, and there its version must be that of the driver. */
function fabricManager(gpus: readonly SeenGpu[], { fabric }: MachineFacts): Finding | null {
  const check = 'fabric-manager';
  const { switches, managerPid, version } = fabric;
  if (switches === 'none') return null;
  if (switches === 'hidden') {
    if (!gpus.some(({ model }) => /^g?b[23]00-/.test(model?.key ?? ''))) return null;
    const message = 'whether the cards are behind NVSwitches is for root to see';
    return { check, verdict: 'unknown', message, fix: 'run this as root' };
  }
  const driver = gpus[0]?.info.driverVersion ?? null;
  const installed = driver === null ? '' : ` of version ${driver}`;
  if (managerPid === null) {
    const message =
      'the cards are behind NVSwitches, and no Fabric Manager runs: programs may not start on them';
    const fix =
      version !== null && driver !== null && version !== driver
        ? `install the Fabric Manager${installed}, which the driver has (installed: ${version}), then \`systemctl enable --now nvidia-fabricmanager\``
        : '`systemctl enable --now nvidia-fabricmanager`; `journalctl -u nvidia-fabricmanager` says why it ended';
    return { check, verdict: 'warn', message, fix };
  }
  if (version === null || driver === null) {
    const message = `runs (pid ${managerPid}), of a version that it does not say`;
    return {
      check,
      verdict: 'unknown',
      message,
      fix: 'compare `nv-fabricmanager --version` with the driver',
    };
  }
  if (version === driver) {
    return { check, verdict: 'ok', message: `runs (pid ${managerPid}), ${version} as the driver` };
  }
  const message = `${version} is installed, and the driver is ${driver}: they must be the same`;
  const fix = `install the Fabric Manager${installed}, then \`systemctl restart nvidia-fabricmanager\``;
  return { check, verdict: 'warn', message, fix };
}
