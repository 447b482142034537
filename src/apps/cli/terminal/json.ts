/** Answers for programs: one JSON value on standard output, a line per entry of its lists. */
import type { Screen } from './screen.js';

export function printJson(screen: Screen, answer: object): void {
  for (const piece of jsonPieces(answer)) screen.write(piece);
}

/** In pieces, since the plan of a million replicas is longer than the longest string can be. */
export function* jsonPieces(answer: object): Generator<string> {
  let text = '{';
  for (const [index, [key, value]] of Object.entries(answer).filter(isWritten).entries()) {
    text += `${index === 0 ? '' : ','}\n  ${JSON.stringify(key)}: `;
    for (const part of valueParts(value)) {
      text += part;
      if (text.length < pieceLength) continue;
      yield text;
      text = '';
    }
  }
  yield `${text}\n}\n`;
}

const pieceLength = 2 ** 16;

function* valueParts(value: unknown): Generator<string> {
  if (!Array.isArray(value) || value.length === 0) {
    yield JSON.stringify(value, null, 2).replaceAll('\n', '\n  ');
    return;
  }
  for (const [index, entry] of value.entries()) {
    yield `${index === 0 ? '[' : ','}\n    ${JSON.stringify(entry)}`;
  }
  yield '\n  ]';
}

function isWritten([, value]: readonly [string, unknown]): boolean {
  return value !== undefined;
}
