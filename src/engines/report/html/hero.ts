/** The top of the page: what can be saved, in one sentence and three figures. */
import type { AuditAnswer, Verdict } from '#core/audit/answer';
import { countText, percentText, usdText } from '../figures.js';
import { savingTitle, sourceName, timeText, unpricedText, verdictName } from '../sentences.js';
import { html, type Markup } from './markup.js';

export function hero(answer: AuditAnswer): Markup {
  const { totals, source, window } = answer;
  return html`<section class="hero" aria-labelledby="headline">
      <div>
        <p class="kicker">
          GPU audit · ${sourceName[source]} · ${timeText(window.start)} to ${timeText(window.end)}
        </p>
        <h1 id="headline">${savingTitle(totals).replace(/(\d) (?=GPU)/g, '$1\u00a0')}</h1>
        <p class="lead" data-total="headline">${totals.headline}</p>
        <p class="quiet">Nothing has been changed.</p>
      </div>
      ${score(answer)}
    </section>
    <section class="figures" aria-label="Savings">
      ${money(answer)} ${gpus(answer)} ${verdicts(answer)}
    </section>`;
}

const radius = 52;
const around = 2 * Math.PI * radius;

function score({ totals: { score: value, letter } }: AuditAnswer): Markup {
  const filled = Math.round((around * value) / 10) / 10;
  return html`<div class="score">
    <svg
      viewBox="0 0 128 128"
      width="136"
      height="136"
      role="img"
      aria-label="Score ${value} of 100, grade ${letter}"
    >
      <circle class="ring" cx="64" cy="64" r="${radius}" />
      <circle
        class="ring filled grade-${letter}"
        cx="64"
        cy="64"
        r="${radius}"
        stroke-dasharray="${filled} ${Math.ceil(around)}"
        transform="rotate(-90 64 64)"
      />
      <text class="letter" x="64" y="77" text-anchor="middle">${letter}</text>
    </svg>
    <p>
      <b data-total="score" data-value="${value}">${value}</b> of 100
      <span class="quiet">of the GPUs paid for is what the workloads need</span>
    </p>
  </div>`;
}

function money(answer: AuditAnswer): Markup {
  const { usdPerMonth, unpriced } = answer.totals;
  if (usdPerMonth === null) {
    return html`<div class="figure">
      <h2>Cost a month</h2>
      <p class="big">not known</p>
      <p class="quiet">No price is known for these GPUs: give --prices.</p>
    </div>`;
  }
  const { now, after, saved } = usdPerMonth;
  return html`<div class="figure">
    <h2>Cost a month</h2>
    <p class="big">
      <span data-total="usd-saved" data-value="${saved}">${usdText(saved)}</span> <small>saved</small>
    </p>
    ${bars([
      { name: 'now', key: 'usd-now', value: now, text: usdText(now) },
      { name: 'after', key: 'usd-after', value: after, text: usdText(after) },
    ])}
    ${unpriced.length === 0 ? null : html`<p class="quiet">Without ${unpricedText(answer)}.</p>`}
  </div>`;
}

function gpus({ totals: { gpus: count } }: AuditAnswer): Markup {
  return html`<div class="figure">
    <h2>GPUs</h2>
    <p class="big">
      <span data-total="gpus-freed" data-value="${count.freed}">${countText(count.freed)}</span>
      <small>freed</small>
    </p>
    ${bars([
      { name: 'now', key: 'gpus-now', value: count.now, text: countText(count.now) },
      { name: 'after', key: 'gpus-after', value: count.after, text: countText(count.after) },
    ])}
  </div>`;
}

interface Bar {
  readonly name: 'now' | 'after';
  readonly key: string;
  readonly value: number;
  readonly text: string;
}

function bars(rows: readonly Bar[]): Markup {
  const most = Math.max(1e-9, ...rows.map(({ value }) => value));
  return html`<dl class="bars">
    ${rows.map(
      ({ name, key, value, text }) =>
        html`<div>
          <dt>${name}</dt>
          <dd>
            <b data-total="${key}" data-value="${value}">${text}</b>
            <svg class="bar ${name}" width="100%" height="8" aria-hidden="true">
              <rect class="track" width="100%" height="8" rx="4" />
              <rect class="fill" width="${percentOf(value / most)}" height="8" rx="4" />
            </svg>
          </dd>
        </div>`,
    )}
  </dl>`;
}

const meaning: Readonly<Record<Verdict, string>> = {
  slice: 'fit a slice',
  share: 'mostly idle: share',
  'no-gpu': 'never used it',
  'whole-gpu': 'need whole GPUs',
  unknown: 'too little known',
};

function verdicts({ totals: { verdicts: counts, workloads } }: AuditAnswer): Markup {
  const kinds = (Object.keys(meaning) as Verdict[]).filter((kind) => counts[kind] > 0);
  let x = 0;
  const parts = kinds.map((kind) => {
    const width = counts[kind] / Math.max(1, workloads);
    const part = html`<rect class="v-${kind}" x="${percentOf(x)}" width="${percentOf(width)}" height="12"
      ><title>${verdictName[kind]}: ${percentText(width)}</title></rect
    >`;
    x += width;
    return part;
  });
  return html`<div class="figure">
    <h2>Workloads</h2>
    <p class="big">
      <span data-total="workloads" data-value="${workloads}">${countText(workloads)}</span>
      <small>audited</small>
    </p>
    <svg class="stack" width="100%" height="12" aria-hidden="true">${parts}</svg>
    <ul class="legend">
      ${kinds.map(
        (kind) =>
          html`<li class="v-${kind}">
            <b data-verdict="${kind}" data-value="${counts[kind]}">${countText(counts[kind])}</b>
            ${meaning[kind]}
          </li>`,
      )}
    </ul>
  </div>`;
}

function percentOf(share: number): string {
  return `${Math.round(share * 10_000) / 100}%`;
}
