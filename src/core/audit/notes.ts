/** What the reader of an audit must know to trust its totals, one sentence each. */
import { modelByKey } from '#core/catalogue/catalogue';
import type { Observation } from '../observe/observation.js';
import type { Assessment } from './assess.js';
import type { AuditSetting } from './options.js';
import type { Repacked } from './repack.js';
import type { Stock } from './stock.js';
import { counted, grouped, listed } from './words.js';

export interface Audited {
  readonly observation: Observation;
  readonly assessments: readonly Assessment[];
  /** Those that the totals are for. */
  readonly together: readonly Assessment[];
  readonly stock: Stock;
  readonly repacked: Repacked;
  readonly setting: AuditSetting;
}

export function notesOf({
  observation: { notes },
  assessments,
  together,
  stock,
  repacked: { unplaced, onUnknown },
  setting,
}: Audited): readonly string[] {
  const { target } = setting;
  const models = [...stock.cards.keys()].flatMap((model) => (model === null ? [] : [model]));
  const uncut = models.filter((model) => modelByKey(model)?.kind !== 'mig');
  const elsewhere = assessments.some(
    ({ choice, judged }) =>
      choice !== null && judged.current.model !== null && choice.card.key !== judged.current.model,
  );
  const estimates = [...models, ...(target === null ? [] : [target.key])].filter(
    (model) => setting.prices.of(model)?.estimate === true,
  );
  return [
    ...notes,
    ...told(
      stock.assumed && assessments.length > 0,
      `No GPU is named in the figures: each replica is counted as having ${setting.measuredOn === undefined ? 'one whole card of the model recommended' : 'what it was measured on'}.`,
    ),
    ...told(
      together.length < assessments.length,
      `Workloads come and go: the totals are for the busiest moment, when ${grouped(together.length)} of ${grouped(assessments.length)} ran.`,
    ),
    ...told(
      target === null && elsewhere && !stock.assumed,
      'The slice recommended is the cheapest on any card that Mica knows; totals and money are for the cards that are there, cut anew.',
    ),
    ...told(
      target === null && uncut.length > 0,
      `Cards that cannot be cut stay whole in the totals: ${listed(uncut)}; name a target card to see what its slices would save.`,
    ),
    ...told(
      onUnknown.length > 0,
      `On cards that Mica does not know, and so kept as they are: ${listed(onUnknown)}.`,
    ),
    ...told(
      unplaced.length > 0,
      `No room at the size that they need, so counted with what they have: ${listed(unplaced.map(({ name, count }) => `${name} (${counted(count, 'replica')})`))}.`,
    ),
    ...told(estimates.length > 0, `Estimated prices: ${listed([...new Set(estimates)])}.`),
  ];
}

function told(holds: boolean, sentence: string): readonly string[] {
  return holds ? [sentence] : [];
}
