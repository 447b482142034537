/**
 * Configurations of mig-parted that no card can hold. mig-manager checks their form only, and finds out when it has
 * cleared the GPU.
 */
import { migModels } from '#core/catalogue/catalogue';
import { findModel } from '#core/catalogue/find-model';
import type { MigModel } from '#core/catalogue/model';
import { checkLayout } from '#core/geometry/check';
import type { Finding, Path } from '../finding.js';
import type { LintOptions, Rules } from '../rule.js';
import { isMap } from '../pod-specs.js';

export const impossibleLayouts: Rules = {
  document: (document, options) => [
    ...configsIn(document, []).flatMap(({ path, configs }) => judged(path, configs, options)),
    ...mpsOnMig(document, []),
  ],
};

interface Found {
  readonly path: Path;
  readonly configs: Readonly<Record<string, unknown>>;
}

function configsIn(value: unknown, path: Path): readonly Found[] {
  if (Array.isArray(value)) return value.flatMap((one, index) => configsIn(one, [...path, index]));
  if (!isMap(value)) return [];
  const configs = value['mig-configs'];
  const own = isMap(configs) ? [{ path: [...path, 'mig-configs'], configs }] : [];
  return [...own, ...Object.entries(value).flatMap(([key, one]) => configsIn(one, [...path, key]))];
}

function judged(path: Path, configs: Found['configs'], options: LintOptions): readonly Finding[] {
  return Object.entries(configs).flatMap(([name, entries]) => {
    if (!Array.isArray(entries)) return [];
    return entries.flatMap((entry: unknown, index): readonly Finding[] => {
      if (!isMap(entry) || !isMap(entry['mig-devices'])) return [];
      const devices = entry['mig-devices'];
      const cards = cardsOf(entry['device-filter'], options);
      const asks = Object.entries(devices).flatMap(([profile, count]) =>
        Array.from({ length: Math.min(Number(count) || 0, 32) }, () => ({ profile })),
      );
      const answers = cards.map((card) => ({ card, answer: checkLayout(card, asks) }));
      const [first] = answers;
      if (first === undefined || answers.some(({ answer }) => answer.ok)) return [];
      // The cards that have these profiles can say why they do not fit; the others only that they lack them.
      const nearest =
        answers.find(({ answer }) => !answer.ok && answer.why.kind !== 'unknown-profile') ?? first;
      const why = nearest.answer.ok ? '' : nearest.answer.why.message;
      return [
        {
          ...{ rule: 'impossible-layout', severity: 'error' },
          path: [...path, name, index, 'mig-devices'],
          message: `configuration ${name} fits no ${cards.length === 1 ? nearest.card.key : 'card that it may meet'}: ${why}`,
          fix: 'see `mica layout list` for what fits together; mig-manager would find out after clearing the GPU',
          edits: [],
        },
      ];
    });
  });
}

function cardsOf(filter: unknown, { cards }: LintOptions): readonly MigModel[] {
  const among = cards ?? migModels();
  const filters = (Array.isArray(filter) ? filter : filter === undefined ? [] : [filter]).map(String);
  if (filters.length === 0) return among;
  const models = filters.flatMap((id) => {
    const found = findModel(id);
    return found.ok && found.model.kind === 'mig' ? [found.model] : [];
  });
  return models.length > 0 ? models : among;
}

/** The device plugin refuses MPS where slices are. */
function mpsOnMig(value: unknown, path: Path): readonly Finding[] {
  if (Array.isArray(value)) return value.flatMap((one, index) => mpsOnMig(one, [...path, index]));
  if (!isMap(value)) return [];
  const mps = isMap(value['sharing']) ? value['sharing']['mps'] : undefined;
  const shared =
    isMap(mps) && Array.isArray(mps['resources']) ? (mps['resources'] as readonly unknown[]) : [];
  const own = shared.flatMap((one, index): readonly Finding[] => {
    const name = isMap(one) ? String(one['name']) : '';
    if (!name.startsWith('nvidia.com/mig-')) return [];
    return [
      {
        ...{ rule: 'mps-on-mig', severity: 'error' },
        path: [...path, 'sharing', 'mps', 'resources', index, 'name'],
        message: `${name}: the device plugin does not share slices by MPS`,
        fix: 'share it by timeSlicing, or not at all',
        edits: [],
      },
    ];
  });
  return [...own, ...Object.entries(value).flatMap(([key, one]) => mpsOnMig(one, [...path, key]))];
}
