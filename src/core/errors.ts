/** The one error class and the catalogue of its codes: what went wrong, and what the user can do next. */

/** Exit codes of the CLI: 2 is the user's to mend (usage, input), 3 is ours or the machine's. */
type FailureExit = 2 | 3;

interface ErrorKind {
  readonly exit: FailureExit;
  /** What went wrong, in one sentence; the message of the error has the particulars. */
  readonly what: string;
  /** The next step, in one sentence. */
  readonly next: string;
}

/** Every code that Mica can fail with. `docs/reference/errors.md` is held equal to this table by a test. */
export const errorCatalogue = {
  'bad-usage': {
    exit: 2,
    what: 'The command line is not one that the command takes.',
    next: 'Run the command with --help to see its arguments.',
  },
  'unknown-model': {
    exit: 2,
    what: 'A GPU model is named that is not known, or by a name that several models share.',
    next: 'Run `mica catalogue` to see the GPU models that Mica knows.',
  },
  'no-mig': {
    exit: 2,
    what: 'Slices are asked of a card that has none, or whose placements were never published.',
    next: 'Run `mica catalogue` to see which models can be cut, and name one of them.',
  },
  'unreadable-file': {
    exit: 2,
    what: 'A file is not there, may not be read, or is not UTF-8 text.',
    next: 'Check the path and that you may read the file.',
  },
  'file-too-large': {
    exit: 2,
    what: 'A file is larger than Mica reads: 1 MiB of YAML or JSON, 16 MiB of CSV.',
    next: 'Split the file, or state equal replicas once with `count`.',
  },
  'bad-document': {
    exit: 2,
    what: 'A document breaks its format, or names something that is not there.',
    next: 'Mend the document at the place named; docs/reference/documents.md lists every key.',
  },
  'bad-csv': {
    exit: 2,
    what: 'A CSV lacks a column that is needed, or holds a value that cannot be.',
    next: 'Check that the file is the kind of CSV that the command reads, with its header line.',
  },
  'unwritable-folder': {
    exit: 3,
    what: 'A file of the answer could not be written.',
    next: 'Name a folder with --out that you may write to.',
  },
  'needs-solver': {
    exit: 3,
    what: 'The question has no closed form, and no integer-program solver was at hand.',
    next: 'Install Mica again: the integer-program solver that it ships with is missing.',
  },
  'solver-failed': {
    exit: 3,
    what: 'The integer program was not solved to the end.',
    next: 'Run again with a smaller input, and report the input that fails.',
  },
  internal: {
    exit: 3,
    what: 'Something happened that cannot happen.',
    next: 'This is a bug in Mica: please report it with the command and the input.',
  },
} as const satisfies Record<string, ErrorKind>;

export type ErrorCode = keyof typeof errorCatalogue;

/** A failure that stops the command. An expected "no" is a value with a `why`, never an error. */
export class MicaError extends Error {
  override readonly name = 'MicaError';
  readonly code: ErrorCode;
  /** The next step: the catalogue's, or a better one where the place of failure knows it. */
  readonly next: string;

  constructor(
    code: ErrorCode,
    message: string,
    options?: { readonly cause?: unknown; readonly next?: string },
  ) {
    super(message, options);
    this.code = code;
    this.next = options?.next ?? errorCatalogue[code].next;
  }

  get exit(): FailureExit {
    return errorCatalogue[this.code].exit;
  }
}

/** Ends a switch over a tagged union: a new kind that is not handled is a type error here. */
export function unreachable(value: never): never {
  throw new MicaError('internal', `unexpected value ${JSON.stringify(value)}`);
}
