/** Answers for programs: one JSON value on standard output. */
import type { Screen } from './screen.js';

export function printJson(screen: Screen, answer: unknown): void {
  screen.print(JSON.stringify(answer, null, 2));
}
