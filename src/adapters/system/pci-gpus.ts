/** NVIDIA's cards as the PCI bus shows them: what they announce themselves as, and how much of them is in reach. */
import { join } from 'node:path';
import { namesIn, textOf } from './reading.js';

export interface PciGpu {
  /** `0000:1a:00.0`. */
  readonly address: string;
  /** Four hex digits: `0300` has display outputs (VGA), `0302` has none (3D). */
  readonly classCode: string;
  /** Size of the window through which the processor reaches the memory; `null`: it cannot be read. */
  readonly bar1MiB: number | null;
}

/** `null`: this machine shows no PCI bus. `root`: where the file system of the machine begins. */
export async function pciGpus(root = '/'): Promise<readonly PciGpu[] | null> {
  const folder = join(root, 'sys/bus/pci/devices');
  const addresses = await namesIn(folder);
  if (addresses === null) return null;
  const found = await Promise.all(
    addresses.map(async (address): Promise<readonly PciGpu[]> => {
      const place = join(folder, address);
      if ((await textOf(join(place, 'vendor')))?.trim() !== '0x10de') return [];
      const classCode = ((await textOf(join(place, 'class'))) ?? '').trim().slice(2, 6);
      if (classCode !== '0300' && classCode !== '0302') return [];
      return [{ address, classCode, bar1MiB: sizeMiB(await textOf(join(place, 'resource'))) }];
    }),
  );
  return found.flat();
}

/** NVML writes `00000000:1A:00.0` where the kernel writes `0000:1a:00.0`. */
export function isAt(address: string, busId: string): boolean {
  const plain = (text: string): string => text.toLowerCase().replace(/^0+/, '');
  return plain(address) === plain(busId);
}

/** The second line is BAR1: first byte, last byte, flags. */
function sizeMiB(resource: string | null): number | null {
  const [first, last] = (resource?.split('\n')[1] ?? '').split(' ');
  if (first === undefined || last === undefined || !/^0x[\da-f]+$/i.test(last)) return null;
  // Addresses go beyond what a number holds exactly.
  const bytes = BigInt(last) - BigInt(first) + 1n;
  return bytes > 1n ? Number(bytes / 1_048_576n) : null;
}
