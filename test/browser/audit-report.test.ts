/** The HTML report as its reader sees it: from the disk, without a network, in both themes, on a phone and on paper. */
import axe from 'axe-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Page } from 'playwright-core';
import { toHtml } from '#engines/report/html/page';
import { bySaving } from '#engines/report/order';
import { hostileName, sampleAudit } from '../support/sample-audit.js';
import { chromiumHere, openFile, type OpenFile } from './open-page.js';

const ordered = bySaving(sampleAudit.workloads);
const sizes = { desktop: { width: 1280, height: 900 }, phone: { width: 390, height: 844 } } as const;

interface Rule {
  readonly id: string;
  readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[];
}

/** What axe finds, as `rule: element`. */
async function faultsOf(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe.source);
  const { violations, passes } =
    await page.evaluate<Record<'violations' | 'passes', readonly Rule[]>>('axe.run(document)');
  expect(passes.map(({ id }) => id)).toContain('color-contrast');
  return violations.flatMap(({ id, nodes }) =>
    nodes.map((node) => `${id}: ${node.html.slice(0, 120)} ${node.failureSummary ?? ''}`),
  );
}

/** What the cells of a column say to programs; `null`: not known. */
async function columnOf(page: Page, column: number): Promise<readonly (number | null)[]> {
  const cells = await page.locator(`table.workloads tbody tr > :nth-child(${column})`).all();
  const texts = await Promise.all(cells.map((cell) => cell.getAttribute('data-v')));
  return texts.map((text) => (text === '' || text === null ? null : Number(text)));
}

describe.skipIf(chromiumHere.missing)(chromiumHere.title('the HTML report in a browser'), () => {
  let file: OpenFile;
  beforeAll(async () => {
    file = await openFile(toHtml(sampleAudit));
  });
  afterAll(() => file.close());

  describe.each(['light', 'dark'] as const)('%s', (colorScheme) => {
    it.each(['desktop', 'phone'] as const)(
      'on a %s it asks for nothing, complains of nothing, and can be read by all',
      async (device) => {
        const { page, requests, complaints } = await file.open({ colorScheme, viewport: sizes[device] });
        await page.getByRole('button', { name: 'Open all' }).click();
        expect(await faultsOf(page)).toEqual([]);
        const width = await page.evaluate<number>('document.documentElement.scrollWidth');
        expect(width).toBe(sizes[device].width);
        expect([requests, complaints]).toEqual([[], []]);
      },
    );

    it('is the theme of the system, and the button changes it', async () => {
      const { page } = await file.open({ colorScheme });
      const ground = (): Promise<string> =>
        page.evaluate('getComputedStyle(document.documentElement).backgroundColor');
      const first = await ground();
      expect(first).toBe(colorScheme === 'light' ? 'rgb(246, 246, 243)' : 'rgb(15, 17, 19)');
      await page.getByRole('button', { name: /theme/ }).click();
      expect(await ground()).not.toBe(first);
      await page.reload();
      expect(await ground()).not.toBe(first);
    });
  });

  it('its numbers are those of the JSON', async () => {
    const { page } = await file.open();
    const { totals } = sampleAudit;
    const shown = Object.fromEntries(
      await Promise.all(
        (await page.locator('[data-total][data-value]').all()).map(async (element) => [
          await element.getAttribute('data-total'),
          Number(await element.getAttribute('data-value')),
        ]),
      ),
    );
    expect(shown).toEqual({
      'usd-saved': totals.usdPerMonth?.saved,
      'usd-now': totals.usdPerMonth?.now,
      'usd-after': totals.usdPerMonth?.after,
      'gpus-freed': totals.gpus.freed,
      'gpus-now': totals.gpus.now,
      'gpus-after': totals.gpus.after,
      workloads: totals.workloads,
      score: totals.score,
    });
    const title = await page.getByRole('heading', { level: 1 }).innerText();
    expect(title.replaceAll('\u00a0', ' ')).toBe('Save $42,705 a month: 14 GPUs do the work of 27');
    expect(await page.locator('[data-total=headline]').innerText()).toBe(totals.headline);
    expect(await page.locator('[data-total=usd-saved]').innerText()).toBe('$42,705');
    const cards = await page.locator('.sides').first().locator('> div').all();
    const counts = await Promise.all(
      cards.map(async (side) => (await side.locator('.count').allInnerTexts()).map((text) => parseInt(text))),
    );
    const sums = counts.map((side) => side.reduce((sum, count) => sum + count, 0));
    expect(sums).toEqual([totals.gpus.now, totals.gpus.after]);
  });

  it('every row of the table has the figures of its workload', async () => {
    const { page } = await file.open();
    expect(await page.locator('table.workloads tbody th > :first-child').allInnerTexts()).toEqual(
      ordered.map(({ workload }) => expect.stringContaining(workload.slice(0, 20))),
    );
    expect(await columnOf(page, 2)).toEqual(ordered.map(({ replicas }) => replicas));
    expect(await columnOf(page, 3)).toEqual(ordered.map(({ memoryMiB }) => memoryMiB?.p95 ?? null));
    expect(await columnOf(page, 4)).toEqual(ordered.map(({ memoryMiB }) => memoryMiB?.max ?? null));
    expect(await columnOf(page, 5)).toEqual(ordered.map(({ compute }) => compute?.p95 ?? null));
    expect(await columnOf(page, 8)).toEqual(ordered.map(({ usdPerMonth }) => usdPerMonth.now));
    expect(await columnOf(page, 9)).toEqual(ordered.map(({ usdPerMonth }) => usdPerMonth.after));
    const verdicts = await page.locator('table.workloads .chip').allInnerTexts();
    expect(verdicts.map((text) => text.replace(' ', '-').toLowerCase())).toEqual(
      ordered.map(({ verdict }) => verdict),
    );
  });

  it('names that mean harm are text', async () => {
    const { page, requests } = await file.open();
    expect(await page.evaluate('globalThis.pwned')).toBeUndefined();
    expect(await page.locator('img, iframe, object, script:not(head script)').count()).toBe(0);
    expect(await page.locator('summary h3', { hasText: hostileName }).count()).toBe(1);
    expect(requests).toEqual([]);
  });

  it('lines of the chart stand where the memory is', async () => {
    const { page } = await file.open();
    const chart = page.locator('#w0 svg.chart');
    const at = async (selector: string, attribute: string): Promise<number> =>
      Number(await chart.locator(selector).getAttribute(attribute));
    const heightPx = 190;
    const share = (px: number): number => (heightPx - px) / heightPx;
    const [now, then, peak] = [
      await at('line.now', 'y1'),
      await at('line.then', 'y1'),
      await at('circle.peak', 'cy'),
    ];
    expect(share(then) / share(now)).toBeCloseTo(23_680 / 97_887, 2);
    expect(share(peak) / share(now)).toBeCloseTo(12_390 / 97_887, 2);
    await expect
      .soft(chart.locator('desc').textContent())
      .resolves.toContain('recommended: 1g.24gb, 23.1 GiB');
  });

  it('sorts and filters by keyboard', async () => {
    const { page } = await file.open();
    const memory = (): Promise<readonly (number | null)[]> => columnOf(page, 4);
    const head = page.getByRole('button', { name: 'Memory max' });
    await head.focus();
    await page.keyboard.press('Enter');
    const first = await memory();
    expect(first).toEqual([...first].sort((a, b) => Number(b) - Number(a)));
    await page.keyboard.press('Enter');
    expect(await memory()).toEqual([...first].reverse());
    expect(await page.getByRole('columnheader', { name: 'Memory max' }).getAttribute('aria-sort')).toBe(
      'ascending',
    );
    await page.getByRole('searchbox').fill('llama');
    expect(await page.locator('table.workloads tbody tr:visible').count()).toBe(2);
    await page.getByRole('link', { name: 'llama-70b' }).click();
    expect(await page.locator('#w10').getAttribute('open')).toBe('');
  });

  it('says everything without scripts', async () => {
    const { page } = await file.open({ javaScriptEnabled: false });
    expect(await page.locator('table.workloads tbody tr').count()).toBe(ordered.length);
    expect(await page.locator('[data-tool]:visible').count()).toBe(0);
    await page.locator('#w7 summary').click();
    expect(await page.locator('#w7 svg.chart').isVisible()).toBe(true);
  });

  it('on paper it is light, and cuts nothing off', async () => {
    const { page } = await file.open({ colorScheme: 'dark', viewport: { width: 718, height: 1000 } });
    await page.emulateMedia({ media: 'print' });
    const ink = await page.evaluate('getComputedStyle(document.body).color');
    expect(ink).toBe('rgb(22, 25, 29)');
    expect(await page.locator('[data-tool]:visible').count()).toBe(0);
    const cut = await page.evaluate<number>(
      `[...document.querySelectorAll('.scroll')].filter((box) => box.scrollWidth > box.clientWidth + 1).length`,
    );
    expect(cut).toBe(0);
    expect((await page.pdf({ format: 'A4', printBackground: true })).length).toBeGreaterThan(10_000);
  });
});
