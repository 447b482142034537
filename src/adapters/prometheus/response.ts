/**
 * Reads an answer of the Prometheus API while it arrives. Samples are most of it and go straight into numbers; what is
 * left, a skeleton with `"values": N` where the samples of series N were, is small and read as ordinary JSON.
 */

/** Samples of one series, in the order of the answer. */
export interface Samples {
  readonly timesMs: Float64Array;
  readonly values: Float64Array;
  readonly length: number;
}

/** Room for the samples of one answer, which is used again for the next: hundreds of answers would be much to throw away. */
export class Arena {
  timesMs = new Float64Array(4096);
  values = new Float64Array(4096);
  used = 0;

  push(timeMs: number, value: number): void {
    if (this.used === this.values.length) this.#grow();
    this.timesMs[this.used] = timeMs;
    this.values[this.used] = value;
    this.used += 1;
  }

  #grow(): void {
    const [timesMs, values] = [new Float64Array(this.used * 2), new Float64Array(this.used * 2)];
    timesMs.set(this.timesMs);
    values.set(this.values);
    this.timesMs = timesMs;
    this.values = values;
  }
}

export class TooLarge extends Error {}
export class NotJson extends Error {}

const [quote, backslash, colon, comma, open, close] = [0x22, 0x5c, 0x3a, 0x2c, 0x5b, 0x5d];
const wanted = Buffer.from('"values"');

/** Where the reader stands between two bytes. */
type Mode = 'skeleton' | 'string' | 'samples';

export interface ReadLimits {
  readonly skeletonBytes: number;
  readonly samples: number;
}

/** `push` each chunk, then `finish`. */
export class ResponseReader {
  /** Where the samples of each series begin. */
  readonly #begins: number[] = [];
  #skeleton: Buffer[] = [];
  #skeletonBytes = 0;
  #mode: Mode = 'skeleton';
  #rest: Buffer = Buffer.alloc(0);
  readonly #limits: ReadLimits;
  readonly #arena: Arena;

  constructor(limits: ReadLimits, arena = new Arena()) {
    this.#limits = limits;
    this.#arena = arena;
    arena.used = 0;
  }

  /** By number; good until the arena is used again. */
  get series(): readonly Samples[] {
    const { timesMs, values, used } = this.#arena;
    return this.#begins.map((begin, index) => {
      const end = this.#begins[index + 1] ?? used;
      return {
        timesMs: timesMs.subarray(begin, end),
        values: values.subarray(begin, end),
        length: end - begin,
      };
    });
  }

  push(chunk: Uint8Array): void {
    const bytes =
      this.#rest.length === 0
        ? Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
        : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    while (at < bytes.length) {
      const next = this.#mode === 'samples' ? this.#readSamples(bytes, at) : this.#readSkeleton(bytes, at);
      if (next === at) break;
      at = next;
    }
    // A copy: the chunk belongs to the socket, which may write into it again.
    this.#rest = Buffer.from(bytes.subarray(at));
    if (this.#rest.length > 1_000_000) throw new NotJson('a value that does not end');
  }

  /** The skeleton as JSON says it, and the samples by number. */
  finish(): unknown {
    if (this.#mode === 'samples') throw new NotJson('it ends in the middle of a series');
    this.#keep(this.#rest);
    try {
      return JSON.parse(Buffer.concat(this.#skeleton).toString('utf8')) as unknown;
    } catch (cause) {
      throw new NotJson(this.beginning(), { cause });
    }
  }

  /** The first characters, to show what came instead of JSON. */
  beginning(): string {
    const text = Buffer.concat([...this.#skeleton, this.#rest]).toString('utf8', 0, 80);
    return text.replaceAll(/\s+/g, ' ').trim();
  }

  /** Up to the `[` of an array of samples, or as far as the bytes are certain not to hold one. */
  #readSkeleton(bytes: Buffer, from: number): number {
    let at = from;
    while (at < bytes.length) {
      if (this.#mode === 'string') {
        const end = this.#readString(bytes, at);
        if (end === at) break;
        at = end;
        continue;
      }
      if (bytes[at] !== quote) {
        at += 1;
        continue;
      }
      const bracket = valuesBracket(bytes, at);
      if (bracket === 'unsure') break;
      if (bracket !== null) {
        this.#keep(bytes.subarray(from, bracket));
        this.#keep(Buffer.from(String(this.#begins.length)));
        this.#begins.push(this.#arena.used);
        this.#mode = 'samples';
        return bracket + 1;
      }
      this.#mode = 'string';
      at += 1;
    }
    this.#keep(bytes.subarray(from, at));
    return at;
  }

  /** Past the closing quote; a backslash at the very end waits for the byte after it. */
  #readString(bytes: Buffer, from: number): number {
    let at = from;
    while (at < bytes.length) {
      const byte = bytes[at];
      if (byte === quote) {
        this.#mode = 'skeleton';
        return at + 1;
      }
      if (byte === backslash) {
        if (at + 1 >= bytes.length) return at;
        at += 1;
      }
      at += 1;
    }
    return at;
  }

  #keep(part: Buffer): void {
    if (part.length === 0) return;
    this.#skeletonBytes += part.length;
    if (this.#skeletonBytes > this.#limits.skeletonBytes)
      throw new TooLarge('more series than one answer may hold');
    this.#skeleton.push(Buffer.from(part));
  }

  /** Whole entries `[1435781430.781,"1.5"]`; one that is cut off by the end of the chunk is read again with the next. */
  #readSamples(bytes: Buffer, from: number): number {
    let at = from;
    for (;;) {
      const begin = at;
      at = skipBlanks(bytes, at);
      if (bytes[at] === comma) at = skipBlanks(bytes, at + 1);
      if (at >= bytes.length) return begin;
      if (bytes[at] === close) {
        this.#mode = 'skeleton';
        return at + 1;
      }
      if (bytes[at] !== open) throw new NotJson('a sample that is not a pair');
      at = readEntry(bytes, at + 1, this.#arena);
      if (at < 0) return begin;
      if (this.#arena.used > this.#limits.samples)
        throw new TooLarge('more samples than one answer may hold');
    }
  }
}

/** Of the string that begins at `at`: the place of the `[` after `"values":`, `null` if it is another string. */
function valuesBracket(bytes: Buffer, at: number): number | null | 'unsure' {
  for (let index = 0; index < wanted.length; index += 1) {
    if (at + index >= bytes.length) return 'unsure';
    if (bytes[at + index] !== wanted[index]) return null;
  }
  let after = skipBlanks(bytes, at + wanted.length);
  if (after >= bytes.length) return 'unsure';
  if (bytes[after] !== colon) return null;
  after = skipBlanks(bytes, after + 1);
  if (after >= bytes.length) return 'unsure';
  return bytes[after] === open ? after : null;
}

function skipBlanks(bytes: Buffer, from: number): number {
  let at = from;
  while (at < bytes.length && bytes[at]! <= 0x20) at += 1;
  return at;
}

/** The place after the closing bracket; -1 if the entry is not all there yet. */
function readEntry(bytes: Buffer, from: number, arena: Arena): number {
  const { length } = bytes;
  let end = from;
  while (end < length && bytes[end] !== comma) end += 1;
  let begin = skipBlanks(bytes, end + 1);
  if (begin >= length) return -1;
  if (bytes[begin] !== quote) throw new NotJson('a value that is not in quotes');
  begin += 1;
  let stop = begin;
  while (stop < length && bytes[stop] !== quote) stop += 1;
  const after = skipBlanks(bytes, stop + 1);
  if (after >= length) return -1;
  if (bytes[after] !== close) throw new NotJson('a sample that is not a pair');
  arena.push(Math.round(numberAt(bytes, from, end) * 1000), numberAt(bytes, begin, stop));
  return after + 1;
}

/** Exact powers of ten: dividing a whole number below 2^53 by one of them rounds once, as parsing does. */
const powers = Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`));

/** `12.5` is 12.5; what is not plain digits goes the long way: `NaN`, `+Inf`, `1.8e+19`. */
function numberAt(bytes: Buffer, from: number, end: number): number {
  let digits = 0;
  let point = -1;
  let at = from;
  const negative = bytes[from] === 0x2d;
  if (negative) at += 1;
  const first = at;
  for (; at < end; at += 1) {
    const byte = bytes[at]!;
    if (byte >= 0x30 && byte <= 0x39) digits = digits * 10 + (byte - 0x30);
    else if (byte === 0x2e && point < 0) point = at;
    else return spelled(bytes.toString('latin1', from, end));
  }
  const power = powers[point < 0 ? 0 : end - point - 1];
  if (at === first || digits > Number.MAX_SAFE_INTEGER || power === undefined)
    return spelled(bytes.toString('latin1', from, end));
  const size = digits / power;
  return negative ? -size : size;
}

function spelled(text: string): number {
  if (text === '+Inf' || text === 'Inf') return Infinity;
  if (text === '-Inf') return -Infinity;
  return text.trim() === '' ? NaN : Number(text);
}
