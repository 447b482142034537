/** Debian's Chromium, driven from tests: it opens a file, offline, and everything that it asks the network for is kept. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';
import { requires } from '../tooling/requires.js';

const executablePath = '/usr/bin/chromium';

export const chromiumHere = requires('chromium', existsSync(executablePath));

export interface OpenPage {
  readonly page: Page;
  /** Everything that was asked for, but the file itself. */
  readonly requests: readonly string[];
  /** Errors of scripts, and what the console said. */
  readonly complaints: readonly string[];
}

export interface OpenFile {
  readonly open: (options?: BrowserContextOptions) => Promise<OpenPage>;
  readonly close: () => Promise<void>;
}

/** `text` as a file on disk, in a browser of its own. */
export async function openFile(text: string): Promise<OpenFile> {
  const folder = mkdtempSync(join(tmpdir(), 'mica-browser-'));
  const file = join(folder, 'report.html');
  writeFileSync(file, text);
  const browser: Browser = await chromium.launch({
    executablePath,
    args: ['--no-sandbox', '--disable-background-networking', '--no-first-run'],
  });
  return {
    open: async (options = {}) => {
      const context = await browser.newContext({ offline: true, ...options });
      const page = await context.newPage();
      const url = pathToFileURL(file).href;
      const requests: string[] = [];
      const complaints: string[] = [];
      page.on('request', (request) => {
        if (request.url() !== url) requests.push(request.url());
      });
      page.on('pageerror', (error) => void complaints.push(error.message));
      page.on('console', (message) => void complaints.push(message.text()));
      page.on('dialog', (dialog) => {
        complaints.push(`dialog: ${dialog.message()}`);
        void dialog.dismiss();
      });
      await page.goto(url);
      return { page, requests, complaints };
    },
    close: async () => {
      await browser.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
