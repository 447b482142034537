/** How the board presents itself to the machine: its display mode, and how much of its memory is in reach. */
import type { MachineFacts } from '#adapters/system/machine-facts';
import { isAt, type PciGpu } from '#adapters/system/pci-gpus';
import { formatMiB } from '#core/units';
import type { Finding } from './check.js';
import type { SeenGpu } from './see-gpus.js';

/** Nothing but MIG being on proves the display mode; what the card announces on the bus is a hint. */
export function displayMode({ info, model }: SeenGpu, facts: MachineFacts | null): Finding | null {
  if (!hasDisplayModes(model)) return null;
  const check = 'display-mode';
  if (info.mig?.current === true) return { check, verdict: 'ok', message: 'compute: MIG is on' };
  const card = onBus(info, facts);
  const said = card === undefined ? '' : `; on the PCI bus it is ${kindOf(card)}`;
  return {
    check,
    verdict: 'unknown',
    message: `this card ships in graphics mode, in which MIG cannot be switched on${said}`,
    fix:
      '`displaymodeselector --listgpumodes` says which mode it is in; to change it unload the driver, run ' +
      '`displaymodeselector --gpumode compute` for this card alone, reboot',
  };
}

/** RTX PRO cards want all of their memory in reach of the processor. */
export function resizableBar({ info, model }: SeenGpu, facts: MachineFacts | null): Finding | null {
  const isOn = info.mig?.current === true;
  if (facts === null || isOn || model?.key.startsWith('rtx-pro') !== true) return null;
  const check = 'resizable-bar';
  const bar1MiB = onBus(info, facts)?.bar1MiB ?? null;
  if (bar1MiB === null) {
    const message = 'nothing here says how large BAR1 is, the window to the memory of the card';
    const fix = '`nvidia-smi -q -d MEMORY` shows it under "BAR1 Memory Usage"; 256 MiB means off';
    return { check, verdict: 'unknown', message, fix };
  }
  const size = `BAR1 is ${formatMiB(bar1MiB)}`;
  const memoryMiB = info.memoryMiB ?? model.memoryMiB;
  if (memoryMiB !== null && bar1MiB >= memoryMiB) {
    return { check, verdict: 'ok', message: `${size}: all of the memory` };
  }
  const fix = [
    facts.machine.kind === 'virtual'
      ? 'give the virtual machine the whole BAR1 of the card, which is for the hypervisor to do'
      : 'switch on Resizable BAR and Above 4G Decoding in the firmware setup of the machine',
    ...(hasDisplayModes(model)
      ? ['the display modes of this card make BAR1 small too: see display-mode']
      : []),
  ].join('; ');
  if (bar1MiB <= smallBarMiB) {
    return { check, verdict: 'bad', message: `${size}: Resizable BAR is off`, fix };
  }
  if (memoryMiB === null) {
    const message = `${size}, and how much memory the card has is not known`;
    return { check, verdict: 'unknown', message, fix: 'compare it with the memory that `nvidia-smi` shows' };
  }
  return { check, verdict: 'warn', message: `${size}: a part of the memory`, fix };
}

/** What cards show without Resizable BAR. */
const smallBarMiB = 256;

function hasDisplayModes(model: SeenGpu['model']): boolean {
  return model !== null && model.kind !== 'no-mig' && model.migEnable.needsComputeDisplayMode === true;
}

function onBus({ pciBusId }: SeenGpu['info'], facts: MachineFacts | null): PciGpu | undefined {
  return facts?.pci?.find(({ address }) => isAt(address, pciBusId));
}

function kindOf({ classCode }: PciGpu): string {
  return classCode === '0300'
    ? 'a VGA controller, as cards with display outputs are'
    : 'a 3D controller, as cards without display outputs are';
}
