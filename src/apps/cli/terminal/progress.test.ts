import { expect, it } from 'vitest';
import { progressOn } from './progress.js';

function streams(isTTY: boolean): {
  readonly text: () => string;
  readonly host: Parameters<typeof progressOn>[0];
} {
  let written = '';
  const err = { write: (text: string) => (written += text), isTTY, columns: 60 };
  return { text: () => written, host: { out: err, err, env: {} } };
}

it('a bar redraws itself, not more often than an eye can see, and goes away', () => {
  const { text, host } = streams(true);
  let now = 0;
  const progress = progressOn(host, () => now);
  progress.report('reading 1 of 4 hosts', 0.25);
  now = 50;
  progress.report('too soon', 0.3);
  now = 150;
  progress.report('reading\u001b[2J', null);
  progress.done();
  expect(text()).toBe(
    `\r\u001b[K[${'█'.repeat(6)}${' '.repeat(18)}]  25% reading 1 of 4 hosts` +
      `\r\u001b[K[${'·'.repeat(24)}]      reading\\x1b[2J` +
      '\r\u001b[K',
  );
});

it('a log gets a line every ten seconds, and none of short work', () => {
  const { text, host } = streams(false);
  let now = 0;
  const progress = progressOn(host, () => now);
  for (now = 0; now <= 25_000; now += 1000) progress.report('reading', now / 25_000);
  progress.done();
  expect(text()).toBe('40% reading\n80% reading\n');
});
