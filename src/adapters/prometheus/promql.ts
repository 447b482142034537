/** The pieces of PromQL that our questions are made of. */

export interface Matcher {
  readonly label: string;
  readonly values: readonly string[];
}

/**
 * `selector(['X'], [{ label: 'UUID', values: ['a', 'b'] }])` is `{__name__="X",UUID=~"a|b"}`. Names stand in
 * `__name__`, since those of managed collections are no words of PromQL. An empty value means that the label is not there.
 */
export function selector(names: readonly string[], matchers: readonly Matcher[] = []): string {
  return `{${[{ label: '__name__', values: names }, ...matchers].map(matcherText).join(',')}}`;
}

function matcherText({ label, values }: Matcher): string {
  const [only, another] = values;
  if (another === undefined) return `${label}=${quoted(only ?? '')}`;
  // Only words and |: Prometheus looks such alternatives up instead of trying each series.
  return `${label}=~${quoted(values.map((value) => value.replaceAll(/[\\^$.|?*+()[\]{}]/g, '\\$&')).join('|'))}`;
}

function quoted(text: string): string {
  return JSON.stringify(text);
}

/** As a range: `[604800000ms]`. */
export function over(select: string, rangeMs: number): string {
  return `${select}[${Math.round(rangeMs)}ms]`;
}
