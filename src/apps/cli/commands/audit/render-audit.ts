/** The report of an audit in each format, in pieces: the answer of thousands of workloads need not be one string. */
import type { AuditAnswer } from '#core/audit/answer';
import type { AuditFormat } from '../../audit-formats.js';
import { jsonPieces } from '../../terminal/json.js';
import { printable, type Screen } from '../../terminal/screen.js';

/** `all`: in the table, the reason of every workload and every drawing. Each format is loaded when it is asked for. */
export async function renderAudit(
  answer: AuditAnswer,
  format: AuditFormat,
  screen: Screen,
  all = false,
): Promise<Iterable<string>> {
  const pieces = await piecesOf(answer, format, screen, all);
  // On a terminal, a name could move the cursor; a table has looked after that, and its colours stay.
  return screen.isTerminal && format !== 'table' ? mapped(pieces, printable) : pieces;
}

async function piecesOf(
  answer: AuditAnswer,
  format: AuditFormat,
  screen: Screen,
  all: boolean,
): Promise<Iterable<string>> {
  switch (format) {
    case 'table':
      return [`${(await import('./audit-table.js')).describeAudit(screen, answer, all)}\n`];
    case 'json':
      return jsonPieces(answer);
    case 'yaml':
      return (await import('#engines/report/yaml')).toYaml(answer);
    case 'csv':
      return [(await import('#engines/report/csv')).toCsv(answer)];
    case 'markdown':
      return [(await import('#engines/report/markdown')).toMarkdown(answer)];
    case 'html':
      return [(await import('#engines/report/html/page')).toHtml(answer)];
  }
}

function* mapped(pieces: Iterable<string>, change: (piece: string) => string): Generator<string> {
  for (const piece of pieces) yield change(piece);
}
