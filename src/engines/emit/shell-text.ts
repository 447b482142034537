/** Text from a user inside a shell script: quoted where it is a value, flattened where it is a comment. */

/** A word that the shell reads as exactly this text; `shellQuote("it's")` is `'it'\''s'`. */
export function shellQuote(text: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

/** A command line that a person can paste. Nothing in it is expanded by the shell. */
export function shellLine(args: readonly string[]): string {
  return args.map(shellQuote).join(' ');
}

/** One line without control characters, so that no name can end a comment and begin a command. */
export function oneLine(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return String.raw`\u{${code.toString(16)}}`;
  });
}
