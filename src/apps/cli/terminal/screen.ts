/** Where a command writes: answers on standard output, everything else on standard error. */
import pc from 'picocolors';

/** What Mica is told about the world that it runs in; tests pass their own. */
export interface Host {
  readonly out: OutputStream;
  readonly err: OutputStream;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Asks whoever sits at the terminal; left out: nobody does. */
  readonly confirm?: (question: string) => Promise<boolean>;
}

interface OutputStream {
  readonly write: (text: string) => unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

export interface Screen {
  /** Tables and colour are for people; a pipe gets plain lines. */
  readonly isTerminal: boolean;
  readonly columns: number;
  readonly style: Style;
  /** A line or more of the answer. */
  readonly print: (text: string) => void;
  /** A piece of the answer, as it is. */
  readonly write: (text: string) => void;
  /** Progress and remarks, which are not part of the answer. */
  readonly note: (text: string) => void;
}

export type Style = Pick<
  ReturnType<typeof pc.createColors>,
  'bold' | 'dim' | 'green' | 'red' | 'yellow' | 'cyan'
>;

/** Wide enough for a GPU of twelve units; a pipe has no width of its own. */
const columnsOfPipe = 100;

export function screenOn({ out, err, env }: Host): Screen {
  const isTerminal = out.isTTY === true;
  const noColor = (env['NO_COLOR'] ?? '') !== '' || env['TERM'] === 'dumb';
  return {
    isTerminal,
    columns: Math.max(out.columns ?? columnsOfPipe, 40),
    style: pc.createColors(isTerminal && !noColor),
    write: (text) => void out.write(text),
    print: (text) => void out.write(`${text}\n`),
    note: (text) => void err.write(`${printable(text)}\n`),
  };
}

/** Text that came from a file or an argument, without what a terminal would take as a command. */
export function printable(text: string): string {
  return text.replace(unprintable, (character) => {
    return `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
  });
}

/** What others wrote, in a list of lines: nobody begins a line of their own there. */
export function onOneLine(text: string): string {
  return printable(text).replaceAll('\n', '\\n');
}

/** Control characters but the line feed, and the marks that turn the direction of writing. */
const unprintable = /(?!\n)\p{Cc}|[\u202A-\u202E\u2066-\u2069]/gu;
