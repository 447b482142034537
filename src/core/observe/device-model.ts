/** The catalogue's key for a card as its driver names it. */
import { findModel } from '../catalogue/find-model.js';

/** `null`: no name, or none that means one model only. */
export function modelOfProduct(productName: string | null): string | null {
  if (productName === null) return null;
  const found = seen.get(productName);
  if (found !== undefined) return found;
  const answer = findModel(productName);
  const key = answer.ok ? answer.model.key : null;
  // Looking a name up takes long where it is none, and every row of a scrape has one.
  if (seen.size >= mostSeen) seen.clear();
  seen.set(productName, key);
  return key;
}

const mostSeen = 1000;
const seen = new Map<string, string | null>();
