/** The colours of the page in both themes; a test holds every text on its ground at a contrast of 4.5 or more. */

export const light = {
  ground: '#f6f6f3',
  panel: '#ffffff',
  raised: '#efefeb',
  line: '#dedfd9',
  ink: '#16191d',
  muted: '#555b66',
  accent: '#0a6b5c',
  'accent-pale': '#d5ebe5',
  'accent-mid': '#7fc3b4',
  slate: '#34568b',
  'slate-pale': '#dde6f4',
  'slate-mid': '#93aede',
  plum: '#74408f',
  'plum-pale': '#efe2f6',
  'plum-mid': '#c39adb',
  amber: '#8a4b06',
  'amber-pale': '#fbe8cc',
  'amber-mid': '#e5a952',
  grey: '#545962',
  'grey-pale': '#e6e7e8',
  'grey-mid': '#b2b6bd',
  red: '#a8261e',
} as const;

export type Colour = keyof typeof light;

export const dark: Readonly<Record<Colour, string>> = {
  ground: '#0f1113',
  panel: '#171a1d',
  raised: '#1f2327',
  line: '#2d3238',
  ink: '#eceef0',
  muted: '#a4abb5',
  accent: '#5fd3bd',
  'accent-pale': '#153a34',
  'accent-mid': '#1f6f62',
  slate: '#9dbcf2',
  'slate-pale': '#1e2c44',
  'slate-mid': '#3a5788',
  plum: '#d3a9ea',
  'plum-pale': '#35213f',
  'plum-mid': '#693d80',
  amber: '#f2b866',
  'amber-pale': '#3d2a0f',
  'amber-mid': '#80540f',
  grey: '#b0b6bf',
  'grey-pale': '#282c31',
  'grey-mid': '#4b525b',
  red: '#ff9c93',
};

/** Text that stands on a ground: what must be readable. */
export const readings: readonly (readonly [text: Colour, ground: Colour])[] = [
  ...(['ground', 'panel', 'raised'] as const).flatMap((ground) =>
    (['ink', 'muted', 'accent', 'slate', 'plum', 'amber', 'grey', 'red'] as const).map(
      (text) => [text, ground] as const,
    ),
  ),
  ...(['accent', 'slate', 'plum', 'amber', 'grey'] as const).flatMap((hue) =>
    (['ink', hue] as const).map((text) => [text, `${hue}-pale`] as const),
  ),
  // Names of slices lie over the part of them that is in use.
  ...(['accent', 'slate', 'plum', 'amber', 'grey'] as const).map((hue) => ['ink', `${hue}-mid`] as const),
];

export function variables(theme: Readonly<Record<Colour, string>>): string {
  return Object.entries(theme)
    .map(([name, value]) => `--${name}:${value}`)
    .join(';');
}
