import { expect, it } from 'vitest';
import { dark, light, readings } from './palette.js';

/** https://www.w3.org/TR/WCAG21/#dfn-contrast-ratio */
function contrast(a: string, b: string): number {
  const [dim = 0, bright = 0] = [a, b].map(luminance).sort((one, other) => one - other);
  return (bright + 0.05) / (dim + 0.05);
}

function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const part = parseInt(colour.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

it.each([
  ['light', light],
  ['dark', dark],
])('every text of the %s theme can be read on its ground', (_, theme) => {
  const poor = readings
    .map(([text, ground]) => ({ text, ground, ratio: contrast(theme[text], theme[ground]) }))
    .filter(({ ratio }) => ratio < 4.5);
  expect(poor).toEqual([]);
});
