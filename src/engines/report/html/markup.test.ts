import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { escaped, html } from './markup.js';

describe('html', () => {
  it('escapes what is put in, and not what is a template itself', () => {
    const name = `<b>"Q" & 'A'</b>`;
    expect(html`<i title="${name}">${[html`<u>${1}</u>`, null, name]}</i>`.text).toBe(
      '<i title="&lt;b&gt;&quot;Q&quot; &amp; &#39;A&#39;&lt;/b&gt;"><u>1</u>' +
        '&lt;b&gt;&quot;Q&quot; &amp; &#39;A&#39;&lt;/b&gt;</i>',
    );
  });

  it('no text becomes markup or ends an attribute', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(html`${text}`.text).not.toMatch(/[<>"']|&(?!(amp|lt|gt|quot|#39);)/);
      }),
    );
  });
});

describe('escaped', () => {
  it('shows what would turn the text around, and what has no glyph', () => {
    expect(escaped('a\u202Eb\u0000c\u001b[2Jd\ne')).toBe('a\\x202eb\\x00c\\x1b[2Jd\ne');
  });

  it('a name as long as a book is cut', () => {
    expect(escaped('x'.repeat(100_000)).length).toBeLessThan(1_000);
  });
});
