/** Text of others as one can see it: what would steer a terminal, turn the writing around or has no glyph is shown by its number. */

/** `a\u001b[2J` is `a\x1b[2J`; tabs and ends of line stay. */
export function visible(text: string): string {
  return text.replace(unseen, (sign) => `\\x${sign.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

const unseen = /(?![\n\t\r])\p{Cc}|[\u202A-\u202E\u2066-\u2069]|\p{Cs}|[\uFFFE\uFFFF]/gu;
