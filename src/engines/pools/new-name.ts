/** The name of the pool that takes over: the old one's, with the new size in the place of the old size. */

const longest = 40;

/** The same question has the same answer, so that a change that was broken off finds what it began. */
export function nameOfRecut(
  old: string,
  cut: string | readonly (readonly string[])[] | null,
  sharers: number,
): string {
  const size = cut === null ? 'whole' : typeof cut === 'string' ? cut : [...new Set(cut.flat())].join('-');
  const suffix = safe(`${size}${sharers > 1 ? '-shared' : ''}`);
  const base = old.replace(/-(whole|\d+g-\d+gb(-[a-z-]*)?)(-shared)?(-\d)?$/, '');
  const name = `${base.slice(0, longest - suffix.length - 1).replace(/-+$/, '')}-${suffix}`;
  return name === old ? `${name.slice(0, longest - 2)}-2` : name;
}

function safe(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, longest - 2);
}
