/** What one card of a model costs: its part of the machine that sells it for the least. Asked often, looked up once. */
import { cheapestFor, type PriceTable } from '#core/cost/price-table';
import { usdPerMonth } from '#core/cost/slice-cost';

export interface CardPrice {
  readonly usdPerHour: number;
  readonly machineType: string;
  readonly estimate: boolean;
}

export class CardPrices {
  readonly #table: PriceTable;
  readonly #known = new Map<string, CardPrice | null>();

  constructor(table: PriceTable) {
    this.#table = table;
  }

  /** `null`: no price is known, or the card is not. */
  of(model: string | null): CardPrice | null {
    if (model === null) return null;
    const known = this.#known.get(model);
    if (known !== undefined) return known;
    const answer = cheapestFor(model, this.#table);
    const price = answer.ok
      ? {
          usdPerHour: answer.usdPerGpuHour,
          machineType: answer.machine.machineType,
          estimate: answer.machine.estimate,
        }
      : null;
    this.#known.set(model, price);
    return price;
  }

  /** `null`: no price is known. */
  month(model: string | null): number | null {
    const price = this.of(model);
    return price === null ? null : usdPerMonth(price.usdPerHour);
  }
}
