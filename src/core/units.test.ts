import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatMiB, formatUsd, parseMemoryMiB } from './units.js';

describe('parseMemoryMiB', () => {
  it.each([
    ['20GiB', 20480],
    ['20Gi', 20480],
    ['9000MiB', 9000],
    ['9000Mi', 9000],
    ['1TiB', 1048576],
    ['23.6 GiB', 24167], // 24166.4: rounded up, so that a figure never shrinks
    ['24GB', 22889], // 24e9 bytes are 22888.2 MiB
    ['512MB', 489],
    ['  20gib ', 20480],
    ['1048576KiB', 1024],
    ['.5GiB', 512],
    ['0.1GB', 96],
  ])('%s is %i MiB', (text, memoryMiB) => {
    expect(parseMemoryMiB(text)).toEqual({ ok: true, memoryMiB });
  });

  it.each([
    ['20', 'no-unit'],
    ['20G', 'ambiguous-unit'],
    ['20g', 'ambiguous-unit'],
    ['512M', 'ambiguous-unit'],
    ['20 parsecs', 'unknown-unit'],
    ['20constructor', 'unknown-unit'],
    ['', 'not-a-quantity'],
    ['GiB', 'not-a-quantity'],
    ['-5GiB', 'not-positive'],
    ['0GiB', 'not-positive'],
    ['1.2.3GiB', 'not-a-quantity'],
    ['1e3MiB', 'not-a-quantity'],
    ['NaN', 'not-a-quantity'],
    ['99999999999999999999GiB', 'too-large'],
  ])('%j is refused: %s', (text, kind) => {
    const answer = parseMemoryMiB(text);
    expect(answer).toMatchObject({ ok: false, why: { kind } });
  });

  it('quotes what it was given and offers a spelling that works', () => {
    const answer = parseMemoryMiB('20G');
    if (answer.ok) throw new Error('accepted');
    expect(answer.why.message).toContain('20GiB');
    expect(answer.why.message).toContain('20GB');
  });

  it('never rounds down', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4000 }), fc.integer({ min: 0, max: 99 }), (whole, cents) => {
        const text = `${whole}.${String(cents).padStart(2, '0')}`;
        const answer = parseMemoryMiB(`${text}GB`);
        return (
          answer.ok &&
          answer.memoryMiB * 1024 ** 2 >= Number(text) * 1e9 - 1 &&
          answer.memoryMiB * 1024 ** 2 < Number(text) * 1e9 + 1024 ** 2
        );
      }),
    );
  });

  it('reads back what formatMiB prints below one GiB', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1023 }), (memoryMiB) => {
        expect(parseMemoryMiB(formatMiB(memoryMiB))).toEqual({ ok: true, memoryMiB });
      }),
    );
  });
});

describe('formatMiB', () => {
  it.each([
    [24192, '23.6 GiB'],
    [24576, '24 GiB'],
    [512, '512 MiB'],
    [1023, '1023 MiB'],
    [1024, '1 GiB'],
    [1024 * 1024, '1024 GiB'],
    [0, '0 MiB'],
    [-2048, '-2 GiB'],
  ])('%i MiB prints as %s', (memoryMiB, text) => {
    expect(formatMiB(memoryMiB)).toBe(text);
  });
});

describe('formatUsd', () => {
  it.each([
    [4.5001, '$4.50'],
    [0, '$0.00'],
    [0.004, '$0.0040'],
    [1234.5, '$1,234.50'],
    [1234567.891, '$1,234,567.89'],
    [999.999, '$1,000.00'],
    [-3.2, '-$3.20'],
    [-0.001, '-$0.0010'],
  ])('%d prints as %s', (usd, text) => {
    expect(formatUsd(usd)).toBe(text);
  });
});
