/** What is wrong in a file, and where: collected, so that one run shows everything that must be mended. */
import { MicaError, type ErrorCode } from '#core/errors';

/** Lines and columns count from 1. */
export interface Where {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

export interface Problem {
  readonly where: Where;
  /** The key, as in `spec.nodes[1].gpus`; empty: the file or document as such. */
  readonly path: string;
  /** What is wrong, and what was found. */
  readonly message: string;
}

/** In the order of the files; one screen of them, the rest counted: `fleet.yaml:7:5 spec.nodes[1].gpus: must be …`. */
export function describeProblems(problems: readonly Problem[], most = 10): string {
  const files = [...new Set(problems.map(({ where }) => where.file))];
  const inOrder = [...problems].sort(
    ({ where: a }, { where: b }) =>
      files.indexOf(a.file) - files.indexOf(b.file) || a.line - b.line || a.column - b.column,
  );
  const lines = inOrder.slice(0, most).map(({ where, path, message }) => {
    return `${describeWhere(where)}${path === '' ? '' : ` ${path}`}: ${message}`;
  });
  const left = problems.length - lines.length;
  return [...lines, ...(left > 0 ? [`and ${left} more`] : [])].join('\n');
}

export function describeWhere({ file, line, column }: Where): string {
  return `${file}:${line}:${column}`;
}

/** The problems as the failure that ends a command. */
export function failureOf(problems: readonly Problem[], code: ErrorCode = 'bad-document'): MicaError {
  return new MicaError(code, describeProblems(problems));
}

/** `['spec', 'nodes', 1]` is `spec.nodes[1]`. */
export function describePath(path: readonly PropertyKey[]): string {
  return path
    .map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`))
    .join('')
    .replace(/^\./, '');
}

/** A value as it stands in the file, short enough for one line. */
export function describeValue(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'a map of keys';
  const text = typeof value === 'string' ? `'${value}'` : String(value);
  return text.length <= 60 ? text : `${text.slice(0, 60)}…`;
}
