import { describe, expect, it } from 'vitest';
import { printable, screenOn, type Host } from './screen.js';
import { tableOf } from './table.js';

function hostWith(out: Partial<Host['out']>, env: Host['env'] = {}): Host & { readonly printed: string[] } {
  const printed: string[] = [];
  const write = (text: string): void => void printed.push(text);
  return { out: { write, ...out }, err: { write }, env, printed };
}

describe('screenOn', () => {
  it.each([
    ['a terminal', { isTTY: true }, {}, true],
    ['a pipe', {}, {}, false],
    ['a terminal with NO_COLOR', { isTTY: true }, { NO_COLOR: '1' }, false],
    ['a terminal with an empty NO_COLOR', { isTTY: true }, { NO_COLOR: '' }, true],
    ['a dumb terminal', { isTTY: true }, { TERM: 'dumb' }, false],
  ])('%s: colour %s', (_, out, env, colour) => {
    const { style } = screenOn(hostWith(out, env));
    expect(style.red('no') !== 'no').toBe(colour);
  });

  it('writes lines', () => {
    const host = hostWith({});
    screenOn(host).print('a');
    expect(host.printed).toEqual(['a\n']);
  });
});

it('printable shows what would move the cursor or turn the text around, and keeps the rest', () => {
  expect(printable('a\u001b[2Jb\u202Ec\td\ne é ··')).toBe('a\\x1b[2Jb\\x202ec\\x09d\ne é ··');
});

describe('tableOf', () => {
  const columns = [{ head: 'name' }, { head: 'n', align: 'right' }] as const;

  it('aligns columns in a pipe, without lines', () => {
    const screen = screenOn(hostWith({}));
    expect(
      tableOf(screen, columns, [
        ['one', '1'],
        ['three', '10'],
      ]),
    ).toBe('name    n\none     1\nthree  10');
  });

  it('draws a line under the heads on a terminal', () => {
    const screen = screenOn(hostWith({ isTTY: true }, { NO_COLOR: '1' }));
    expect(tableOf(screen, columns, [['one', '1']]).split('\n')[1]).toMatch(/^─+$/);
  });
});
