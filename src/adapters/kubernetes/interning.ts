/** Equal small values once: thousands of pods have the same labels, selectors and tolerations. */

export type Intern = <T extends object>(value: T) => T;

/** `most` values are remembered; then it begins anew, so that it never grows with the history of a cluster. */
export function interning(most = 20_000): Intern {
  let known = new Map<string, object>();
  return <T extends object>(value: T): T => {
    const key = JSON.stringify(value);
    const before = known.get(key);
    if (before !== undefined) return before as T;
    if (known.size >= most) known = new Map();
    known.set(key, value);
    return value;
  };
}
