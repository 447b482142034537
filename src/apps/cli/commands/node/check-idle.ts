/** Who holds a GPU that is to be cut: the mode, and the first slice of a card, need one that nobody else uses. */
import type { MachineFacts } from '#adapters/system/machine-facts';
import { isAt } from '#adapters/system/pci-gpus';
import type { Finding } from './check.js';
import { processesIn, processInWords, type SeenGpu } from './see-gpus.js';

interface Holder {
  readonly pid: number;
  readonly name: string | null;
}

export function idle(gpu: SeenGpu, facts: MachineFacts | null): Finding | null {
  if (gpu.info.mig?.current === true && gpu.instances.length > 0) return null;
  const check = 'idle';
  const holding = holdersOf(gpu, facts);
  if (holding.length > 0) {
    const message = `held by ${holding.map(processInWords).join(', ')}: MIG may refuse to be switched on meanwhile`;
    return { check, verdict: 'warn', message, fix: [...new Set(holding.map(fixFor))].join('; ') };
  }
  const hidden = facts?.open?.hidden ?? 0;
  if (facts !== null && (facts.open === null || hidden > 0)) {
    const what = facts.open === null ? 'processes' : `${hidden} processes of other users`;
    const message = `the driver lists nobody, and ${what} may not be looked into`;
    return { check, verdict: 'unknown', message, fix: 'run this as root, or `sudo fuser -v /dev/nvidia*`' };
  }
  return { check, verdict: 'ok', message: 'nobody holds it' };
}

/** The driver lists who computes or draws, the kernel who has the card open: the union, by pid. */
function holdersOf(gpu: SeenGpu, facts: MachineFacts | null): readonly Holder[] {
  const listed: readonly Holder[] = processesIn(gpu, null);
  const open = (facts?.open?.holders ?? []).filter(({ addresses }) =>
    addresses.some((address) => isAt(address, gpu.info.pciBusId)),
  );
  const known = new Set(listed.map(({ pid }) => pid));
  return (
    [...listed, ...open.filter(({ pid }) => !known.has(pid))]
      .map(({ pid, name }) => ({ pid, name }))
      // It must run where there are switches, and NVIDIA's own tools leave it running.
      .filter(({ name }) => name === null || !/^nv-fabricmanag/.test(baseOf(name)))
  );
}

const ways: readonly (readonly [RegExp, string])[] = [
  [/^(nv-hostengine|dcgm)/, 'stop DCGM: `systemctl stop nvidia-dcgm`, or its pods'],
  [/^nvidia-persiste/, 'stop the persistence daemon: `systemctl stop nvidia-persistenced`'],
  [/^nvsm/, 'stop NVSM: `systemctl stop nvsm`'],
  [
    /^(Xorg|X$|Xwayland|gnome-shell|gnome-remote|mutter|kwin|plasmashell|sddm|gdm|lightdm|cinnamon|cosmic|sway|weston)/,
    'stop the desktop: `systemctl isolate multi-user.target`',
  ],
];

function fixFor({ name }: Holder): string {
  const way = ways.find(([pattern]) => pattern.test(baseOf(name ?? '')));
  return way?.[1] ?? 'end the processes, or let `mica node apply` do it with --drain';
}

/** The driver gives a path, or the whole command line, where the kernel gives a name. */
function baseOf(name: string): string {
  const [program = ''] = name.split(' ');
  return program.slice(program.lastIndexOf('/') + 1);
}
