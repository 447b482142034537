/**
 * One line of a job list as a program and its arguments, by the quoting rules of a POSIX shell and without one. What only
 * a shell could do (pipes, variables, globs) is refused, so that nothing is run as something else than was meant.
 */

export type Words =
  { readonly ok: true; readonly words: readonly string[] } | { readonly ok: false; readonly why: string };

/** `pytest -k 'a and b' # fast` is three words; an empty line or a comment is none. */
export function wordsOf(line: string): Words {
  const words: string[] = [];
  let word: string | null = null;
  for (let at = 0; at < line.length; at += 1) {
    const character = line[at]!;
    const next = line[at + 1];
    if (isBlank(character)) {
      if (word !== null) words.push(word);
      word = null;
      continue;
    }
    if (character === '#' && word === null) break;
    const needsShell = shellOnly(character, next, word === null);
    if (needsShell !== null) return refuse(needsShell);
    if (character === '\\') {
      if (next === undefined) return { ok: false, why: 'it ends in a backslash' };
      word = `${word ?? ''}${next}`;
      at += 1;
    } else if (character === "'") {
      const end = line.indexOf("'", at + 1);
      if (end < 0) return { ok: false, why: "a ' has no partner" };
      word = `${word ?? ''}${line.slice(at + 1, end)}`;
      at = end;
    } else if (character === '"') {
      const quoted = insideQuotes(line, at + 1);
      if (!quoted.ok) return quoted;
      word = `${word ?? ''}${quoted.text}`;
      at = quoted.end;
    } else {
      word = `${word ?? ''}${character}`;
    }
  }
  if (word !== null) words.push(word);
  return { ok: true, words };
}

/** Of double quotes; `end` is where the closing one is. A backslash protects only what means something in there. */
function insideQuotes(
  line: string,
  from: number,
): { readonly ok: true; readonly text: string; readonly end: number } | (Words & { readonly ok: false }) {
  let text = '';
  for (let at = from; at < line.length; at += 1) {
    const character = line[at]!;
    const next = line[at + 1];
    if (character === '"') return { ok: true, text, end: at };
    if (character === '\\' && next !== undefined && '$`"\\'.includes(next)) {
      text += next;
      at += 1;
      continue;
    }
    if (character === '`' || (character === '$' && isExpansion(next))) return refuse(character);
    text += character;
  }
  return { ok: false, why: 'a " has no partner' };
}

/** The text that means something to a shell only, outside quotes. */
function shellOnly(character: string, next: string | undefined, atStart: boolean): string | null {
  if ('|&;<>()`*?'.includes(character)) return character;
  if (character === '$' && (isExpansion(next) || next === "'" || next === '"')) return character;
  return character === '~' && atStart ? character : null;
}

function isExpansion(next: string | undefined): boolean {
  return next !== undefined && /[A-Za-z0-9_{(@*#?$!-]/.test(next);
}

function isBlank(character: string): boolean {
  return character === ' ' || character === '\t' || character === '\r';
}

function refuse(what: string): Words & { readonly ok: false } {
  return {
    ok: false,
    why: `${what} means something to a shell only: quote it, write sh -c '...', or run all lines with --shell`,
  };
}
