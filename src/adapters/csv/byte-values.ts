/** Numbers and times read from bytes, for files of millions of rows. */

const [zero, nine, dot, minus, plus, slash, colon] = [48, 57, 46, 45, 43, 47, 58];

/** The number as JavaScript would read it; NaN where it is not plain digits, so that somebody else must look. */
export function plainNumber(bytes: Uint8Array, start: number, end: number): number {
  let value = 0;
  let divisor = 0;
  // So many digits are exact, and so is what they are divided by.
  if (end - start > 16 || start === end) return NaN;
  for (let at = start; at < end; at += 1) {
    const byte = bytes[at]!;
    if (byte >= zero && byte <= nine) {
      value = value * 10 + (byte - zero);
      divisor *= 10;
    } else if (byte === dot && divisor === 0 && end - start > 1) {
      divisor = 1;
    } else {
      return NaN;
    }
  }
  if (value > Number.MAX_SAFE_INTEGER) return NaN;
  return divisor === 0 ? value : value / divisor;
}

export interface ReadTime {
  /** Since 1970; NaN: not a time, or not one between 2000 and 2100. */
  readonly timeMs: number;
  /** Written without a zone, and read as UTC. */
  readonly isZoneless: boolean;
}

/** ISO 8601, also with blanks and slashes as nvidia-smi writes it, or seconds or milliseconds since 1970. */
export function readTime(bytes: Uint8Array, start: number, end: number): ReadTime {
  const number = plainNumber(bytes, start, withoutFineDigits(bytes, start, end));
  if (!Number.isNaN(number)) {
    return {
      timeMs: plausible(number < 1e11 ? Math.round(number * 1000) : Math.round(number)),
      isZoneless: false,
    };
  }
  return readIso(new Reader(bytes, start, end));
}

/** Python writes 1763856000.1234567: what is behind the milliseconds does not matter. */
function withoutFineDigits(bytes: Uint8Array, start: number, end: number): number {
  const kept = start + 14;
  if (end <= kept || bytes[start + 10] !== dot) return end;
  for (let at = kept; at < end; at += 1) if (!(bytes[at]! >= zero && bytes[at]! <= nine)) return end;
  return kept;
}

const notATime: ReadTime = { timeMs: NaN, isZoneless: false };
const dayMs = 86_400_000;

function readIso(reader: Reader): ReadTime {
  const year = reader.digits(4);
  const separator = reader.next();
  if (separator !== minus && separator !== slash) return notATime;
  const month = reader.digits(2);
  if (reader.next() !== separator) return notATime;
  const dayMsSince = daysMs(year, month, reader.digits(2));
  if (reader.isAtEnd()) return { timeMs: plausible(dayMsSince), isZoneless: true };
  if (!isBetweenDayAndTime(reader.next())) return notATime;
  const hour = reader.digits(2);
  if (reader.next() !== colon) return notATime;
  const minute = reader.digits(2);
  let secondMs = 0;
  if (reader.takes(colon)) {
    secondMs = 1000 * reader.digits(2);
    if (reader.takes(dot) || reader.takes(comma)) secondMs += reader.fractionMs();
  }
  if (!(hour <= 23 && minute <= 59 && secondMs < 61_000)) return notATime;
  const isZoneless = reader.isAtEnd();
  const offsetMs = isZoneless ? 0 : reader.zoneMs();
  if (!reader.isAtEnd()) return notATime;
  return {
    timeMs: plausible(dayMsSince + hour * 3_600_000 + minute * 60_000 + secondMs - offsetMs),
    isZoneless,
  };
}

const [letterU, letterC] = [85, 67];
const [comma, letterT, lowerT, letterZ, lowerZ, blank] = [44, 84, 116, 90, 122, 32];

function isBetweenDayAndTime(byte: number): boolean {
  return byte === letterT || byte === lowerT || byte === blank;
}

/** Reads on; what is not there makes the result NaN. */
class Reader {
  readonly #bytes: Uint8Array;
  readonly #end: number;
  #at: number;

  constructor(bytes: Uint8Array, start: number, end: number) {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  isAtEnd(): boolean {
    return this.#at === this.#end;
  }

  next(): number {
    if (this.#at >= this.#end) return NaN;
    this.#at += 1;
    return this.#bytes[this.#at - 1]!;
  }

  takes(byte: number): boolean {
    if (this.#at >= this.#end || this.#bytes[this.#at] !== byte) return false;
    this.#at += 1;
    return true;
  }

  digits(count: number): number {
    let value = 0;
    for (let read = 0; read < count; read += 1) {
      const byte = this.next();
      if (!(byte >= zero && byte <= nine)) return NaN;
      value = value * 10 + (byte - zero);
    }
    return value;
  }

  fractionMs(): number {
    let [value, scale] = [0, 1000];
    while (!this.isAtEnd() && this.#bytes[this.#at]! >= zero && this.#bytes[this.#at]! <= nine) {
      scale /= 10;
      value += (this.next() - zero) * scale;
    }
    return scale === 1000 ? NaN : Math.floor(value + 1e-6);
  }

  zoneMs(): number {
    this.takes(blank);
    if (this.takes(letterU)) return this.next() === letterT && this.next() === letterC ? 0 : NaN;
    const sign = this.next();
    if (sign === letterZ || sign === lowerZ) return 0;
    if (sign !== plus && sign !== minus) return NaN;
    const hours = this.digits(2);
    this.takes(colon);
    const minutes = this.isAtEnd() ? 0 : this.digits(2);
    return (sign === minus ? -1 : 1) * (hours * 60 + minutes) * 60_000;
  }
}

/** Midnight of a day of the Gregorian calendar; NaN: there is no such day. */
function daysMs(year: number, month: number, day: number): number {
  if (!(month >= 1 && month <= 12 && day >= 1 && day <= daysIn(year, month))) return NaN;
  // Years begin in March here, so that the day that some years have more comes last.
  const shifted = month <= 2 ? year - 1 : year;
  const dayOfYear = Math.floor((153 * ((month + 9) % 12) + 2) / 5) + day - 1;
  const leaps = Math.floor(shifted / 4) - Math.floor(shifted / 100) + Math.floor(shifted / 400);
  return (365 * shifted + leaps + dayOfYear - daysBefore1970) * dayMs;
}

const daysBefore1970 = 719_468;

function daysIn(year: number, month: number): number {
  if (month !== 2) return [4, 6, 9, 11].includes(month) ? 30 : 31;
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
}

/** A row of another century is a mistake, and would stretch the window over it. */
function plausible(timeMs: number): number {
  return timeMs >= year2000Ms && timeMs < year2100Ms ? timeMs : NaN;
}

const year2000Ms = 946_684_800_000;
const year2100Ms = 4_102_444_800_000;
