import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { migModels, modelByKey } from '#core/catalogue/catalogue';
import type { MigModel } from '#core/catalogue/model';
import { layoutOf, spaceOf } from '#core/geometry/space';
import { statesOf } from '#core/geometry/states';
import { drawGpus, drawGpuWithUnits, type DrawnGpu, type DrawnSlice } from './gpu.js';

const rtx = mig('rtx-pro-6000-blackwell-server');
const h100 = mig('h100-80gb-sxm');

function mig(key: string): MigModel {
  const model = modelByKey(key);
  if (model?.kind !== 'mig') throw new Error(key);
  return model;
}

function slice(profile: string, start: number, size: number, user?: string | null): DrawnSlice {
  return { placement: { profile, start, size }, ...(user === undefined ? {} : { user }) };
}

function cut(label: string, model: MigModel, slices: readonly DrawnSlice[]): DrawnGpu {
  return { label, title: model === rtx ? 'RTX PRO 6000' : 'H100', card: { kind: 'sliced', model, slices } };
}

const fleet: readonly DrawnGpu[] = [
  cut('gpu-0', rtx, [
    slice('1g.24gb', 0, 3, 'acme'),
    slice('1g.24gb', 3, 3, null),
    slice('2g.48gb', 6, 6, 'llama-70b'),
  ]),
  cut('gpu-1', rtx, [slice('1g.24gb', 3, 3, 'a-name-that-is-too-long')]),
  { label: 'gpu-10', title: 'H100', card: { kind: 'whole', user: 'training' } },
  cut('gpu-11', h100, [slice('3g.40gb', 0, 4), slice('1g.20gb', 4, 2), slice('1g.10gb', 6, 1)]),
];

describe('drawGpus', () => {
  it('draws slices as wide as their part of the card, and what cannot be used as dots', () => {
    expect(drawGpus(fleet, 100)).toMatchInlineSnapshot(`
      "gpu-0   RTX PRO 6000  [1g.24gb acme ][1g.24gb free ][     2g.48gb llama-70b      ]          3/4 used
      gpu-1   RTX PRO 6000  (   not cut   )[1g a-name-th…](          not cut           )          1/4 used
      gpu-10  H100          [                       whole card training                       ]      whole
      gpu-11  H100          [           3g.40gb            ][   1g.20gb    ][  1g  ]········      5/7 used"
    `);
  });

  it('shortens what is in a slice before it draws it empty', () => {
    expect(drawGpus(fleet, 60)).toMatchInlineSnapshot(`
      "gpu-0   RTX PRO 6000  [ 1g ][ 1g ][2g llama-…]      3/4 used
      gpu-1   RTX PRO 6000  ( -  )[ 1g ]( not cut  )      1/4 used
      gpu-10  H100          [   whole card training   ]      whole
      gpu-11  H100          [ 3g.40gb  ][ 1g ][ ]···      5/7 used"
    `);
  });

  it('any layout of any model fits the width, each slice a box of its share, in grid order', () => {
    const models = migModels();
    const anyCard = fc
      .integer({ min: 0, max: models.length - 1 })
      .map((index) => models[index] ?? rtx)
      .chain((model) => {
        const space = spaceOf(model);
        const states = statesOf(space);
        return fc.integer({ min: 0, max: states.length - 1 }).map((index) => ({
          model,
          layout: layoutOf(space, states[index]?.slots ?? []),
        }));
      });
    fc.assert(
      fc.property(anyCard, fc.integer({ min: 60, max: 160 }), ({ model, layout }, columns) => {
        const gpu = cut(
          '',
          model,
          layout.map((placement) => ({ placement })),
        );
        const line = drawGpus([{ ...gpu, title: '' }], columns);
        expect(line.length).toBeLessThanOrEqual(columns);
        const widths = [...line.matchAll(/\[[^\]]*\]/g)].map(([box]) => box.length);
        const [unit = 0] = widths.map((width, index) => width / (layout[index]?.size ?? 1));
        expect(widths).toEqual(layout.map(({ size }) => size * unit));
      }),
    );
  });
});

it('drawGpuWithUnits puts each number under the first column of its unit', () => {
  const gpu = cut('', h100, [slice('4g.40gb', 0, 4), slice('1g.10gb', 4, 1)]);
  expect(drawGpuWithUnits(gpu, h100, 80)).toMatchInlineSnapshot(`
    "H100  [         4g.40gb          ][ 1g  ](      not cut      )   5/7 used
          0      1      2      3      4      5      6      7"
  `);
});
