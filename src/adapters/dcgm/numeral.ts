/** Numbers as Prometheus writes them. */
export function isNumeral(text: string): boolean {
  return numeral.test(text);
}

const numeral = /^[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|inf(?:inity)?|nan)$/i;
