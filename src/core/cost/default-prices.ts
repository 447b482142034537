/** The price table that Mica ships with: every machine type of the catalogue, with its price where a source gives one. */
import { machineTypes, type MachineType } from '#core/catalogue/machine-types';
import type { MachinePrice, PriceTable } from './price-table.js';
import { priceLists, pricesMissing } from './prices.js';

export const defaultPrices: PriceTable = machineTypes.map(priced);

function priced({ name, model, gpus }: MachineType): MachinePrice {
  const list = priceLists.find(({ usdPerHour }) => Object.hasOwn(usdPerHour, name));
  return {
    machineType: name,
    model,
    gpus,
    usdPerHour: list?.usdPerHour[name] ?? null,
    estimate: list?.estimate ?? false,
    source: list?.source ?? pricesMissing[name] ?? 'no source with a price was found',
    region: list?.region ?? null,
    asOf: list?.asOf ?? null,
  };
}
