/** Stretches of time in which something was there, and how much was there at one time. */

/** Both ends included; one sample is a stretch without length. */
export interface Span {
  readonly startMs: number;
  readonly endMs: number;
}

/** Spans no further apart than this become one. Any order in, ascending out. */
export function joinedSpans(spans: readonly Span[], apartMs: number): Span[] {
  const joined: Span[] = [];
  for (const span of [...spans].sort((a, b) => a.startMs - b.startMs)) {
    const last = joined.at(-1);
    if (last !== undefined && span.startMs - last.endMs <= apartMs) {
      joined[joined.length - 1] = { startMs: last.startMs, endMs: Math.max(last.endMs, span.endMs) };
    } else {
      joined.push(span);
    }
  }
  return joined;
}

/** Of things that are there for some spans each: the most that are there at one time. */
export function mostAtOnce(things: readonly (readonly Span[])[]): number {
  const changes = things.flatMap((spans) =>
    joinedSpans(spans, 0).flatMap(({ startMs, endMs }) => [
      { atMs: startMs, by: 1 },
      { atMs: endMs, by: -1 },
    ]),
  );
  // Ends belong to their spans, so what begins at that time comes first.
  changes.sort((a, b) => a.atMs - b.atMs || b.by - a.by);
  let [now, largest] = [0, 0];
  for (const { by } of changes) {
    now += by;
    if (now > largest) largest = now;
  }
  return largest;
}
