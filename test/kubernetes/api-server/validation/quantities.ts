/** Quantities as Kubernetes writes them: 500m, 2, 1Gi, 1e3. */
const shape = /^([+-]?)(\d+\.?\d*|\.\d+)(?:(Ki|Mi|Gi|Ti|Pi|Ei|n|u|m|k|M|G|T|P|E)|[eE]([+-]?\d+))?$/;

const factor: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/** NaN where the text is no quantity. */
export function quantity(text: string): number {
  const found = shape.exec(text);
  if (found === null) return Number.NaN;
  const [, sign, digits, suffix, exponent] = found;
  const scale = suffix === undefined ? 10 ** Number(exponent ?? 0) : (factor[suffix] ?? 1);
  return (sign === '-' ? -1 : 1) * Number(digits) * scale;
}

export const quantityShape =
  "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
