/**
 * The shape that A100, H100, H200, B200 and their kin share: eight placement units, seven compute slices, seven
 * profiles. A model adds the figures that differ from board to board.
 */
import type { Confidence, Engines, MigModel, Profile } from './model.js';
import type { SourceId } from './sources.js';

/** One figure per profile in the order 1g, 1g of double memory, 2g, 3g, 4g, 7g; `1g+me` has those of 1g. */
type Column<T> = readonly [T, T, T, T, T, T];

export interface SevenSliceColumns {
  /** The memory in the profile's name. */
  readonly gb: Column<number>;
  /** Usable memory; several: as different drivers reported it, the usual figure first. */
  readonly memoryMiB: Column<number | readonly [number, ...number[]] | null> | null;
  readonly sms: Column<number | null> | null;
  readonly engines: EngineColumns;
  readonly confidence: Confidence;
  readonly derivedFields: Profile['derivedFields'];
  readonly sources: readonly SourceId[];
  /** Where one profile is known otherwise than the rest, by its name. */
  readonly except?: Readonly<Record<string, Partial<Profile>>>;
}

/** One count per profile in the order 1g, 1g+me, 1g of double memory, 2g, 3g, 4g, 7g. */
type EngineColumn = readonly [number, number, number, number, number, number, number];

export type EngineColumns = { readonly [K in keyof Engines]: EngineColumn | null };

const none: EngineColumn = [0, 0, 0, 0, 0, 0, 0];
const withMediaOrWhole: EngineColumn = [0, 1, 0, 0, 0, 0, 1];

export const engineColumns = {
  ampere: {
    copy: [1, 1, 1, 2, 3, 4, 7],
    decoders: [0, 1, 1, 1, 2, 2, 5],
    encoders: none,
    jpeg: withMediaOrWhole,
    ofa: withMediaOrWhole,
  },
  hopper: {
    copy: [1, 1, 1, 2, 3, 4, 8],
    decoders: [1, 1, 1, 2, 3, 4, 7],
    encoders: none,
    jpeg: [1, 1, 1, 2, 3, 4, 7],
    ofa: withMediaOrWhole,
  },
  blackwell: {
    copy: [2, 2, 2, 4, 6, 8, 16],
    decoders: [1, 1, 1, 2, 3, 4, 7],
    encoders: none,
    jpeg: [1, 1, 1, 2, 3, 4, 7],
    ofa: withMediaOrWhole,
  },
  unknown: { copy: null, decoders: null, encoders: null, jpeg: null, ofa: null },
} as const satisfies Record<string, EngineColumns>;

/** Fields that nobody has seen on hardware where only the names of the profiles are published. */
export const namesOnly = ['id', 'starts', 'computeSlices', 'sizeUnits', 'maxCount', 'nvmlEnum'] as const;

// prettier-ignore
const shapes = [
  // slices, attribute, NVML enum, id, size, starts, max, column
  { slices: 1, attribute: null,  nvmlEnum: 0x0, id: 19, size: 1, starts: [0, 1, 2, 3, 4, 5, 6], max: 7, column: 0 },
  { slices: 1, attribute: '+me', nvmlEnum: 0x7, id: 20, size: 1, starts: [0, 1, 2, 3, 4, 5, 6], max: 1, column: 0 },
  { slices: 1, attribute: null,  nvmlEnum: 0x9, id: 15, size: 2, starts: [0, 2, 4, 6],          max: 4, column: 1 },
  { slices: 2, attribute: null,  nvmlEnum: 0x1, id: 14, size: 2, starts: [0, 2, 4],             max: 3, column: 2 },
  { slices: 3, attribute: null,  nvmlEnum: 0x2, id: 9,  size: 4, starts: [0, 4],                max: 2, column: 3 },
  { slices: 4, attribute: null,  nvmlEnum: 0x3, id: 5,  size: 4, starts: [0],                   max: 1, column: 4 },
  { slices: 7, attribute: null,  nvmlEnum: 0x4, id: 0,  size: 8, starts: [0],                   max: 1, column: 5 },
] as const;

type Shaped = Pick<MigModel, 'kind' | 'computeSlices' | 'gridUnits' | 'maxInstances' | 'profiles'>;

/** The part of a model that the family decides, filled with the model's own columns. */
export function sevenSlice(columns: SevenSliceColumns): Shaped {
  const { engines } = columns;
  const profiles = shapes.map((shape, row): Profile => {
    const name = `${shape.slices}g.${columns.gb[shape.column]}gb${shape.attribute ?? ''}`;
    return {
      name,
      id: shape.id,
      nvmlEnum: shape.nvmlEnum,
      computeSlices: shape.slices,
      sizeUnits: shape.size,
      starts: shape.starts,
      maxCount: shape.max,
      attribute: shape.attribute,
      ...usable(columns.memoryMiB?.[shape.column] ?? null),
      sms: columns.sms?.[shape.column] ?? null,
      engines: {
        copy: engines.copy?.[row] ?? null,
        decoders: engines.decoders?.[row] ?? null,
        encoders: engines.encoders?.[row] ?? null,
        jpeg: engines.jpeg?.[row] ?? null,
        ofa: engines.ofa?.[row] ?? null,
      },
      confidence: columns.confidence,
      derivedFields: columns.derivedFields,
      sources: columns.sources,
      ...columns.except?.[name],
    };
  });
  return { kind: 'mig', computeSlices: 7, gridUnits: 8, maxInstances: 7, profiles };
}

/** The usual figure first, as the tables give it, becomes the usual figure and all figures ascending. */
export function usable(
  memoryMiB: number | readonly [number, ...number[]] | null,
): Pick<Profile, 'memoryMiB' | 'memoryMiBSeen'> {
  if (memoryMiB === null || typeof memoryMiB === 'number') return { memoryMiB };
  return { memoryMiB: memoryMiB[0], memoryMiBSeen: [...memoryMiB].sort((a, b) => a - b) };
}
