/** Names with what is to be said of them, side by side where there is room. */
import { html, type Markup } from './markup.js';

export type Fact = readonly [name: string, value: string];

export function factList(facts: readonly Fact[]): Markup {
  return html`<dl class="facts">
    ${facts.map(
      ([name, value]) =>
        html`<div>
          <dt>${name}</dt>
          <dd>${value}</dd>
        </div>`,
    )}
  </dl>`;
}
