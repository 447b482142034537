/** Changes of one machine to be made while its library fails, and with which codes each of its functions can fail. */
import type { ChangeOptions } from '#engines/change/options';
import type { DoubleCard } from './machine.js';

/** `null`: MIG off; else the places, as `1g.10gb:4`. */
export type Cut = readonly string[] | null;

export interface Scenario {
  readonly name: string;
  readonly cards: readonly DoubleCard[];
  /** By card. */
  readonly before: readonly Cut[];
  readonly wish: readonly Cut[];
  /** Processes in slices: those in slices that go are drained. */
  readonly busy: readonly { readonly gpu: number; readonly start: number; readonly pid: number }[];
  readonly options: ChangeOptions;
  /** All codes of a call, or few where others have tried them all and a trial takes long. */
  readonly codes: 'all' | 'few';
}

const h100 = 'h100-80gb-sxm';
const drain = { graceMs: 5_000, then: 'kill' } as const;

export const scenarios: readonly Scenario[] = [
  {
    name: 'MIG on, and the first slices',
    cards: [{ key: h100 }],
    before: [null],
    wish: [['1g.10gb:0', '3g.40gb:4']],
    busy: [],
    options: {},
    codes: 'all',
  },
  {
    name: 'one slice for two, beside one that is in use',
    cards: [{ key: h100 }],
    before: [['1g.10gb:0', '2g.20gb:2', '3g.40gb:4']],
    wish: [['4g.40gb:0', '3g.40gb:4']],
    busy: [{ gpu: 0, start: 4, pid: 4711 }],
    options: {},
    codes: 'all',
  },
  {
    name: 'a slice in use that is drained, beside one that stays',
    cards: [{ key: 'rtx-pro-6000-blackwell-server' }],
    before: [['1g.24gb:0', '1g.24gb:3', '2g.48gb:6']],
    wish: [['2g.48gb:0', '2g.48gb:6']],
    busy: [
      { gpu: 0, start: 0, pid: 4711 },
      { gpu: 0, start: 6, pid: 4712 },
    ],
    options: { drain },
    codes: 'all',
  },
  {
    name: 'three GPUs: one cut anew, one made whole, one that needs a reset',
    cards: [{ key: h100 }, { key: h100 }, { key: 'a100-40gb' }],
    before: [['2g.20gb:0', '1g.10gb:4'], ['7g.80gb:0'], null],
    wish: [['3g.40gb:0', '1g.10gb:4'], null, ['4g.20gb:0']],
    busy: [{ gpu: 0, start: 4, pid: 4711 }],
    options: {},
    codes: 'few',
  },
];

/** The calls that change something. `reset` is nvidia-smi's, and its codes are exit statuses. */
export const changing: Readonly<Record<string, readonly number[]>> = {
  nvmlDeviceSetMigMode: [3, 4, 10, 15, 16, 19, 999],
  reset: [4, 15, 19, 3],
  nvmlDeviceCreateGpuInstanceWithPlacement: [2, 3, 4, 10, 15, 19, 23, 999],
  nvmlGpuInstanceCreateComputeInstance: [2, 3, 4, 10, 15, 19, 23, 999],
  nvmlComputeInstanceDestroy: [2, 4, 10, 15, 19, 999],
  nvmlGpuInstanceDestroy: [2, 4, 10, 15, 19, 999],
};

/** Any other function can lose the GPU, time out, or fail for no reason that it gives. */
export const codesOfReading: readonly number[] = [15, 999, 10, 4];
