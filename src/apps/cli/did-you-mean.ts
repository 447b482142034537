/** The hint behind a message about a word that is not known. */
import { closest } from '#core/catalogue/edit-distance';

/** `; did you mean gpus?`, or nothing where no known word is near. */
export function didYouMean(word: string, known: readonly string[]): string {
  const [nearest] = closest(word.slice(0, 50), known);
  return nearest === undefined ? '' : `; did you mean ${nearest}?`;
}
