import { readFileSync, readdirSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Collector } from '#core/observe/collector';
import { metricsLines, type Sample } from './metrics-text.js';
import { readScrape, takeScrape } from './take-scrape.js';

function only(text: string): Sample {
  const [line, more] = [...metricsLines(text)];
  expect(more).toBeUndefined();
  if (line?.kind !== 'sample') throw new Error(`${text} is no sample`);
  return line;
}

describe('a row', () => {
  it('has a name, labels, a value and perhaps a time', () => {
    expect(only('up 1')).toMatchObject({ name: 'up', value: '1', timeMs: null });
    expect(only('up{} 1 1700000000000')).toMatchObject({ value: '1', timeMs: 1_700_000_000_000 });
    expect(only('up { a = "b" , } 1.5e3 1700000000.25')).toMatchObject({
      value: '1.5e3',
      timeMs: 1_700_000_000_250,
    });
    expect(only('x{a="b"} 4 # {trace="1"} 0.5').value).toBe('4');
    expect(only('x{a="b"} NaN\r\n').value).toBe('NaN');
  });

  it.each(['0', '-5', '946684799', '99999999999999999', '9'.repeat(400)])(
    'has no time where %s stands for one',
    (time) => expect(only(`up 1 ${time}`)).toMatchObject({ value: '1', timeMs: null }),
  );

  it('keeps blanks, commas, braces and escapes in labels', () => {
    const { labels } = only('x{a="a \\"b\\" c",b="C:\\\\d\\n",c="} 1, {",d="",e="ü"} 7');
    expect([...labels.values()]).toEqual(['a "b" c', 'C:\\d\n', '} 1, {', '', 'ü']);
  });

  it('keeps a text that stands for a value', () => {
    const text = 'ERROR - FAILED TO CONVERT TO STRING';
    expect(only(`X{gpu="0"} ${text}`)).toMatchObject({ value: text, timeMs: null });
  });

  it('gives any labels back', () => {
    const name = fc.stringMatching(/^[a-zA-Z_]\w{0,8}$/);
    const labels = fc.dictionary(
      name,
      fc.string({ unit: 'binary' }).filter((one) => !/[\r\u2028]/.test(one)),
    );
    fc.assert(
      fc.property(labels, (wanted) => {
        const escaped = (value: string) =>
          value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
        const pairs = Object.entries(wanted).map(([key, value]) => `${key}="${escaped(value)}"`);
        expect(Object.fromEntries(only(`x{${pairs.join(',')}} 3`).labels)).toEqual({ ...wanted });
      }),
    );
  });

  it.each(['x', 'x{a="b"}', 'x{a="b} 1', 'x{a=b} 1', '<html>', '404 page not found', 'x{a="b"', '{"a":1}'])(
    'is not %j',
    (text) => expect([...metricsLines(text)]).toEqual([{ kind: 'unreadable', text }]),
  );

  it('never throws, and every line is something', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary-ascii' })), (lines) => {
        const text = lines.map((line) => line.replaceAll('\n', ' ')).join('\n');
        expect([...metricsLines(`${text}\n`)]).toHaveLength(text === '' ? 1 : lines.length);
      }),
    );
  });
});

describe('an answer that breaks off', () => {
  const whole = 'DCGM_FI_DEV_FB_USED{gpu="0"} 18432\nDCGM_FI_DEV_FB_USED{gpu="1"} 18432\n';

  it('never says another number', () => {
    for (let length = 0; length <= whole.length; length += 1) {
      for (const { value } of readScrape(whole.slice(0, length)).samples) expect(value).toBe('18432');
    }
    expect(readScrape(whole.slice(0, -1))).toMatchObject({ samples: { length: 1 }, unreadable: 1 });
    expect(readScrape(`${whole}# EOF`)).toMatchObject({ samples: { length: 2 }, unreadable: 0 });
  });
});

describe('fixtures/dcgm', () => {
  const folder = new URL('../../../fixtures/dcgm/', import.meta.url);
  const files = readdirSync(folder);

  it.each(files)('%s is read without loss: what is read, left and dropped is all there is', (file) => {
    const text = readFileSync(new URL(file, folder), 'utf8');
    const counts = takeScrape(readScrape(text), 0, new Collector());
    const { read, other, dropped, remarks, unreadable } = counts;
    expect(read + other + dropped + remarks + unreadable).toBe(text.split('\n').length - 1);
    expect(unreadable).toBe(0);
    expect(read).toBe(
      text.match(/^DCGM_FI_(DEV_FB_USED|DEV_GPU_UTIL|PROF_(GR_ENGINE|SM)_\w+)\{.*\} [\d.]{1,12}$/gm)?.length,
    );
  });
});
