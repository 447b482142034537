/** What an audit may be told, and that with every default filled in. */
import type { GpuModel } from '#core/catalogue/model';
import type { PriceTable } from '#core/cost/price-table';
import { defaultHeadroom } from '#core/sizing/memory';
import type { Speeds } from '#core/sizing/compute';
import type { SizingOptions } from '#core/sizing/wants';
import type { DeviceChoice } from './answer.js';
import { CardPrices } from './card-prices.js';
import type { StrategyName } from './strategies.js';

export interface AuditOptions {
  readonly strategy: StrategyName;
  /** Added once to the memory that the strategy picks; `defaultHeadroom` when left out. */
  readonly headroom?: number;
  /** The card to move to. Left out: each workload's slice is on the cheapest card, and the cards that are there stay. */
  readonly gpu?: GpuModel;
  /** What the figures were taken on, by catalogue key, for sources that do not say; `profile: null`: whole cards. */
  readonly measuredOn?: DeviceChoice & { readonly model: string };
  readonly prices: PriceTable;
  /** Relative speeds of whole cards, to convert activity between chip designs. */
  readonly speeds?: Speeds;
  /** Activity below this share counts as idle. */
  readonly idleBelow?: number;
}

export interface AuditSetting {
  readonly strategy: StrategyName;
  readonly sizing: SizingOptions & { readonly headroom: number };
  readonly target: GpuModel | null;
  readonly measuredOn: AuditOptions['measuredOn'];
  readonly prices: CardPrices;
  readonly idleBelow: number;
}

export function settingOf(options: AuditOptions): AuditSetting {
  const { strategy, headroom = defaultHeadroom, gpu = null, speeds, idleBelow = 0.01 } = options;
  return {
    strategy,
    sizing: speeds === undefined ? { headroom } : { headroom, speeds },
    target: gpu,
    measuredOn: options.measuredOn,
    prices: new CardPrices(options.prices),
    idleBelow,
  };
}
