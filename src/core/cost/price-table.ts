/** What machines cost: a table by machine type that says where each figure comes from, and what can be asked of it. */

export interface MachinePrice {
  readonly machineType: string;
  /** Catalogue key of the GPUs inside. */
  readonly model: string;
  /** Below 1: a fraction of a card, cut by the cloud; MIG is not the renter's to set there. */
  readonly gpus: number;
  /** For the whole machine, on demand; `null`: not known. */
  readonly usdPerHour: number | null;
  /** The figure ranks machines, it is nobody's price. */
  readonly estimate: boolean;
  /** Where the figure comes from; without a figure, why there is none. */
  readonly source: string;
  readonly region: string | null;
  /** Year, month or day that the figure was read, as precisely as it is known. */
  readonly asOf: string | null;
}

export type PriceTable = readonly MachinePrice[];

export interface KnownPrice extends MachinePrice {
  readonly usdPerHour: number;
}

export interface PriceRefusal {
  readonly kind: 'unknown-machine-type' | 'unknown-price' | 'incomplete-override';
  readonly message: string;
}

export type PriceAnswer =
  ({ readonly ok: true } & KnownPrice) | { readonly ok: false; readonly why: PriceRefusal };

export type GpuPriceAnswer =
  | { readonly ok: true; readonly usdPerGpuHour: number; readonly machine: KnownPrice }
  | { readonly ok: false; readonly why: PriceRefusal };

/** What the user states about one machine type. A type that the table lacks needs `model` and `gpus` as well. */
export interface PriceOverride {
  readonly machineType: string;
  readonly usdPerHour: number;
  readonly model?: string;
  readonly gpus?: number;
  readonly region?: string;
  readonly asOf?: string;
}

export type OverriddenTable =
  { readonly ok: true; readonly table: PriceTable } | { readonly ok: false; readonly why: PriceRefusal };

/** The price of one machine of this type, with where it comes from. */
export function priceOf(table: PriceTable, machineType: string): PriceAnswer {
  const entry = table.find((machine) => machine.machineType === machineType);
  if (entry === undefined) {
    return refuse(
      'unknown-machine-type',
      `no machine type '${machineType}' in the price table; add it with model and gpus`,
    );
  }
  if (!hasPrice(entry)) {
    return refuse(
      'unknown-price',
      `no price known for ${machineType}: ${entry.source}; state one to count it`,
    );
  }
  return { ok: true, ...entry };
}

/**
 * The machine type that sells a GPU of this model for the least, other things (vCPUs, memory, region) left aside.
 * Prices within a tenth of a percent are one price, rounded differently: the smallest such machine wins, as the
 * easiest to fill.
 */
export function cheapestFor(modelKey: string, table: PriceTable): GpuPriceAnswer {
  const selling = table.filter(hasPrice).filter((machine) => machine.model === modelKey && machine.gpus >= 1);
  const lowest = Math.min(...selling.map(perGpu));
  const [machine] = selling
    .filter((one) => perGpu(one) <= lowest * 1.001)
    .sort((a, b) => a.gpus - b.gpus || perGpu(a) - perGpu(b) || (a.machineType < b.machineType ? -1 : 1));
  if (machine === undefined)
    return refuse('unknown-price', `no machine type with ${modelKey} has a known price`);
  return { ok: true, usdPerGpuHour: perGpu(machine), machine };
}

/** The user's own figures win over the table's, and may add machine types that nobody else knows. */
export function withOverrides(table: PriceTable, overrides: readonly PriceOverride[]): OverriddenTable {
  const byType = new Map(table.map((machine) => [machine.machineType, machine]));
  for (const override of overrides) {
    const known = byType.get(override.machineType);
    const model = override.model ?? known?.model;
    const gpus = override.gpus ?? known?.gpus;
    if (model === undefined || gpus === undefined) {
      const missing = [model === undefined && 'model', gpus === undefined && 'gpus'].filter(
        (key) => key !== false,
      );
      const message = `machine type '${override.machineType}' is not known: state its ${missing.join(' and ')} too`;
      return refuse('incomplete-override', message);
    }
    byType.set(override.machineType, {
      machineType: override.machineType,
      model,
      gpus,
      usdPerHour: override.usdPerHour,
      estimate: false,
      source: 'stated by the user',
      region: override.region ?? null,
      asOf: override.asOf ?? null,
    });
  }
  return { ok: true, table: [...byType.values()] };
}

function hasPrice(machine: MachinePrice): machine is KnownPrice {
  return machine.usdPerHour !== null;
}

function perGpu(machine: KnownPrice): number {
  return machine.usdPerHour / machine.gpus;
}

function refuse(kind: PriceRefusal['kind'], message: string): { ok: false; why: PriceRefusal } {
  return { ok: false, why: { kind, message } };
}
