/** Prices documents -> the price table with the user's own figures in it. */
import { findModel } from '#core/catalogue/find-model';
import { withOverrides, type PriceOverride, type PriceTable } from '#core/cost/price-table';
import type { Checked } from './check-shape.js';
import type { Problem } from './problem.js';
import { duplicates, problemAt } from './references.js';
import type { DocumentOf } from './read-documents.js';

type PricesDocument = DocumentOf<'Prices'>;

export function pricesWith(documents: readonly PricesDocument[], table: PriceTable): Checked<PriceTable> {
  const problems: Problem[] = [
    ...duplicates(documents, ({ prices }) => ({
      key: 'prices',
      names: prices.map(({ machineType }) => machineType),
      what: 'machineType',
    })),
  ];
  let prices = table;
  for (const document of documents) {
    for (const [index, spec] of document.spec.prices.entries()) {
      const complain = (key: string, message: string): void =>
        void problems.push(problemAt(document, ['spec', 'prices', index, key], message));
      const model = spec.model === undefined ? undefined : findModel(spec.model);
      if (model !== undefined && !model.ok) {
        complain('model', model.why.message);
        continue;
      }
      const added = withOverrides(prices, [overrideOf(spec, model?.model.key)]);
      if (added.ok) prices = added.table;
      else complain('machineType', added.why.message);
    }
  }
  return problems.length > 0 ? { ok: false, problems } : { ok: true, value: prices };
}

function overrideOf(
  spec: PricesDocument['spec']['prices'][number],
  model: string | undefined,
): PriceOverride {
  const { machineType, usdPerHour, gpus, region, asOf } = spec;
  return {
    machineType,
    usdPerHour,
    ...(model === undefined ? {} : { model }),
    ...(gpus === undefined ? {} : { gpus }),
    ...(region === undefined ? {} : { region }),
    ...(asOf === undefined ? {} : { asOf }),
  };
}
