/** Quantities as people write and read them: memory and money. */

export type MemoryQuantity =
  { readonly ok: true; readonly memoryMiB: number } | { readonly ok: false; readonly why: MemoryRefusal };

export interface MemoryRefusal {
  readonly kind:
    'not-a-quantity' | 'no-unit' | 'ambiguous-unit' | 'unknown-unit' | 'not-positive' | 'too-large';
  readonly message: string;
}

/**
 * Memory with its unit, in whole MiB, rounded up so that what is asked for never shrinks:
 * `20GiB` and `20Gi` are 20480, `24GB` (decimal) is 22889. A bare `20G` is refused: it means GiB to some tools and
 * GB to others, and the difference of 7 % decides between two slices.
 */
export function parseMemoryMiB(text: string): MemoryQuantity {
  const match = /^\s*(-?(?:\d+\.?\d*|\.\d+))\s*([a-z]*)\s*$/i.exec(text);
  if (match === null)
    return refuse('not-a-quantity', `'${shortened(text)}' is not an amount of memory: write 20GiB`);
  const [, amount = '', unit = ''] = match;
  if (unit === '') return refuse('no-unit', `'${text}' has no unit: write ${amount}GiB or ${amount}MiB`);
  if (/^[kmgt]$/i.test(unit)) {
    const [binary, decimal] = [`${unit.toUpperCase()}iB`, `${unit.toUpperCase()}B`];
    return refuse(
      'ambiguous-unit',
      `'${text}' may mean ${amount}${binary} or ${amount}${decimal}: write which`,
    );
  }
  const bytes = bytesPerUnit.get(unit.toLowerCase());
  if (bytes === undefined) {
    return refuse(
      'unknown-unit',
      `'${shortened(unit)}' is not a unit of memory: use MiB, GiB, TiB, MB, GB or TB`,
    );
  }
  const memoryMiB = Math.ceil((Number(amount) * bytes) / bytesPerMiB);
  if (!(memoryMiB > 0)) return refuse('not-positive', `'${text}' is not more than zero`);
  if (memoryMiB > largestMiB)
    return refuse('too-large', `'${shortened(text)}' is more memory than any machine has`);
  return { ok: true, memoryMiB };
}

/** `24192` is `23.6 GiB`; below one GiB in MiB. One decimal, none where it would be 0. */
export function formatMiB(memoryMiB: number): string {
  if (Math.abs(memoryMiB) < 1024) return `${Math.round(memoryMiB)} MiB`;
  return `${(memoryMiB / 1024).toFixed(1).replace('.0', '')} GiB`;
}

/** `4.5001` is `$4.50`, `1234.5` is `$1,234.50`; below one cent with four decimals, so that it does not read as free. */
export function formatUsd(usd: number): string {
  const amount = Math.abs(usd);
  const decimals = amount > 0 && amount < 0.01 ? 4 : 2;
  const [whole = '', fraction = ''] = amount.toFixed(decimals).split('.');
  return `${usd < 0 ? '-' : ''}$${whole.replace(/\B(?=(\d{3})+$)/g, ',')}.${fraction}`;
}

const bytesPerMiB = 1024 ** 2;
const largestMiB = 2 ** 40;

const bytesPerUnit: ReadonlyMap<string, number> = new Map([
  ['ki', 1024],
  ['kib', 1024],
  ['mi', bytesPerMiB],
  ['mib', bytesPerMiB],
  ['gi', 1024 ** 3],
  ['gib', 1024 ** 3],
  ['ti', 1024 ** 4],
  ['tib', 1024 ** 4],
  ['kb', 1e3],
  ['mb', 1e6],
  ['gb', 1e9],
  ['tb', 1e12],
]);

function refuse(kind: MemoryRefusal['kind'], message: string): MemoryQuantity {
  return { ok: false, why: { kind, message } };
}

function shortened(text: string): string {
  return text.length <= 40 ? text : `${text.slice(0, 40)}…`;
}
