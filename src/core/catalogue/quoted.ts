/** What a user typed, as it stands in an answer: between quotes, without the blanks around it, cut where it runs long. */
export function quoted(text: string): string {
  const trimmed = text.trim();
  return `'${trimmed.length <= 60 ? trimmed : `${trimmed.slice(0, 60)}…`}'`;
}
