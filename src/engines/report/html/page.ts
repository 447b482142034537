/** The audit as one file for whoever decides: opens anywhere, asks no network for anything, prints. */
import type { AuditAnswer, AuditedWorkload, GpuCount } from '#core/audit/answer';
import { cardName } from '../device.js';
import { counted, usdText } from '../figures.js';
import { bySaving, restOf } from '../order.js';
import { fullName, methodOf, rarePeakText, savingTitle } from '../sentences.js';
import { detailOf } from './detail.js';
import { factList } from './fact-list.js';
import { gpusDrawn } from './gpu.js';
import { hero } from './hero.js';
import { html, Markup } from './markup.js';
import { script, scriptHash } from './script.js';
import { style, styleHash } from './style.js';
import { workloadTable } from './table.js';

/** With charts; of the others the table says why they get what they get. */
const mostDetails = 250;
const openDetails = 4;

export function toHtml(answer: AuditAnswer): string {
  const workloads = bySaving(answer.workloads);
  const detailed = workloads.slice(0, mostDetails);
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta
          http-equiv="Content-Security-Policy"
          content="default-src 'none'; script-src '${scriptHash}'; style-src '${styleHash}'; base-uri 'none'; form-action 'none'"
        />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="referrer" content="no-referrer" />
        <title>GPU audit: ${savingTitle(answer.totals)}</title>
        ${new Markup(`<style>${style}</style>`)} ${new Markup(`<script>${script}</script>`)}
      </head>
      <body>
        <a class="skip" href="#main">To the report</a>
        <header>
          <p class="brand">${mark} Mica</p>
          <nav aria-label="Sections">
            <a href="#gpus">GPUs</a> <a href="#workloads">Workloads</a> <a href="#details">Reasons</a>
            <a href="#method">Method</a>
          </nav>
          <button type="button" data-tool="theme" hidden>Theme</button>
        </header>
        <main id="main">
          ${hero(answer)} ${gpuSection(answer)}
          <section aria-labelledby="workloads">
            <h2 id="workloads">Workloads</h2>
            ${workloadTable(workloads, (index) => index < detailed.length, restOf(answer))}
          </section>
          ${rarePeaks(workloads, answer.strategy)}
          <section aria-labelledby="details">
            <div class="beside">
              <h2 id="details">What each one used</h2>
              <button type="button" data-tool="open" hidden>Open all</button>
            </div>
            ${detailed.length < workloads.length ? html`<p class="quiet">The ${counted(detailed.length, 'workload')} that save most.</p>` : null}
            ${detailed.map((workload, index) => detailOf(workload, index, index < openDetails))}
          </section>
          ${isolationSection(answer)} ${methodSection(answer)}
        </main>
        <footer>
          <p>Made by mica audit. This file holds everything that it shows and connects to nothing.</p>
        </footer>
      </body>
    </html> `.text;
}

/** Sheets of mica, one on the other. */
const mark = html`<svg class="mark" viewBox="0 0 24 24" width="22" height="22" aria-hidden="true">
  <path d="M12 3 22 8 12 13 2 8Z" />
  <path d="M2 12l10 5 10-5M2 16l10 5 10-5" />
</svg>`;

function gpuSection(answer: AuditAnswer): Markup {
  const { gpus, byModel } = answer.totals;
  return html`<section aria-labelledby="gpus">
    <h2 id="gpus">The GPUs, now and after</h2>
    <svg class="unseen" width="0" height="0" aria-hidden="true">
      <defs>
        <pattern id="hatch" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
          <path class="hatch" d="M0 0V7" />
        </pattern>
      </defs>
    </svg>
    <ul class="legend key">
      <li class="v-slice">fits a slice</li>
      <li class="v-share">mostly idle</li>
      <li class="v-no-gpu">never used it</li>
      <li class="v-whole-gpu">needs whole GPUs</li>
      <li class="v-unknown">too little known</li>
      <li class="free">free</li>
    </ul>
    <p class="quiet">
      Widths are to scale. The full colour is the peak of memory in use; the pale rest is held and never used.
    </p>
    <div class="sides">
      <div>
        <h3>Now <span class="quiet">${counted(gpus.now, 'GPU')}</span></h3>
        ${gpusDrawn(answer, answer.before)}
      </div>
      <div>
        <h3>After <span class="quiet">${counted(gpus.after, 'GPU')}</span></h3>
        ${gpusDrawn(answer, answer.after)}
      </div>
    </div>
    ${modelTable(byModel)}
  </section>`;
}

function modelTable({ now, after }: AuditAnswer['totals']['byModel']): Markup {
  const models = [...new Set([...now, ...after].map(({ model }) => model))];
  const find = (side: readonly GpuCount[], model: string | null): GpuCount =>
    side.find((entry) => entry.model === model) ?? { model, gpus: 0, usdPerMonth: 0 };
  return html`<div class="scroll" role="region" aria-label="Table of GPU models" tabindex="0">
    <table class="models">
      <caption>
        GPUs by model
      </caption>
      <thead>
        <tr>
          <th scope="col">Model</th>
          <th scope="col" class="number">GPUs now</th>
          <th scope="col" class="number">After</th>
          <th scope="col" class="number">$ a month now</th>
          <th scope="col" class="number">After</th>
        </tr>
      </thead>
      <tbody>
        ${models.map((model) => {
          const [before, then] = [find(now, model), find(after, model)];
          return html`<tr>
            <th scope="row">${cardName(model)}</th>
            <td class="number">${before.gpus}</td>
            <td class="number strong">${then.gpus}</td>
            <td class="number">${usdText(before.usdPerMonth)}</td>
            <td class="number strong">${usdText(then.usdPerMonth)}</td>
          </tr>`;
        })}
      </tbody>
    </table>
  </div>`;
}

const mostRarePeaks = 12;

/** Decisions that somebody may want to take otherwise. */
function rarePeaks(workloads: readonly AuditedWorkload[], strategy: string): Markup | null {
  const rare = workloads.filter(({ rarePeak }) => rarePeak !== null);
  if (rare.length === 0) return null;
  const left = rare.length - mostRarePeaks;
  return html`<section aria-labelledby="rare">
    <h2 id="rare">Rare peaks</h2>
    <ul class="rare">
      ${rare.slice(0, mostRarePeaks).map(
        (workload) =>
          html`<li>
            <b><bdi>${fullName(workload)}</bdi></b> ${rarePeakText(workload, strategy)}
          </li>`,
      )}
    </ul>
    ${left <= 0 ? null : html`<p class="quiet">and ${counted(left, 'workload')} more</p>`}
  </section>`;
}

function isolationSection({ isolation: { gives, takes } }: AuditAnswer): Markup | null {
  if (gives.length + takes.length === 0) return null;
  const list = (texts: readonly string[]): Markup =>
    html`<ul>
      ${texts.map((text) => html`<li>${text}</li>`)}
    </ul>`;
  return html`<section aria-labelledby="isolation">
    <h2 id="isolation">What a slice of its own changes</h2>
    <div class="sides">
      <div class="gives">
        <h3>It gives</h3>
        ${list(gives)}
      </div>
      <div class="takes">
        <h3>It takes away</h3>
        ${list(takes)}
      </div>
    </div>
  </section>`;
}

const mostNotes = 40;

function methodSection(answer: AuditAnswer): Markup {
  const { notes } = answer;
  return html`<section aria-labelledby="method">
    <h2 id="method">How these figures were made</h2>
    ${factList(methodOf(answer))}
    ${
      notes.length === 0
        ? null
        : html`<h3>To bear in mind</h3>
            <ul>
              ${notes.slice(0, mostNotes).map((note) => html`<li>${note}</li>`)}
            </ul>`
    }
    ${notes.length <= mostNotes ? null : html`<p class="quiet">and ${counted(notes.length - mostNotes, 'note')} more in --format json</p>`}
  </section>`;
}
