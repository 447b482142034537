import { describe, expect, it } from 'vitest';
import { defaultPrices } from '#core/cost/default-prices';
import { fleetOf } from './fleet.js';
import { layoutsOf } from './layouts.js';
import { needsOf } from './needs.js';
import { pricesWith } from './prices.js';
import { describeProblems } from './problem.js';
import { readDocuments, type ReadDocument } from './read-documents.js';
import type { Checked } from './check-shape.js';

function documents(kind: ReadDocument['kind'], ...specs: readonly string[]) {
  const text = specs.map((spec) => `apiVersion: mica/v1\nkind: ${kind}\nspec: ${spec}`).join('\n---\n');
  const answer = readDocuments(text, 'f.yaml');
  if (!answer.ok) throw new Error(describeProblems(answer.problems));
  return answer.value;
}

function fleet(...specs: readonly string[]) {
  return fleetOf(
    documents('Fleet', ...specs).filter((one) => one.kind === 'Fleet'),
    defaultPrices,
  );
}

function needs(...specs: readonly string[]) {
  return needsOf(documents('Needs', ...specs).filter((one) => one.kind === 'Needs'));
}

function valueOf<T>(answer: Checked<T>): T {
  if (!answer.ok) throw new Error(describeProblems(answer.problems));
  return answer.value;
}

function complaintsOf(answer: Checked<unknown>): string {
  return answer.ok ? 'nothing' : describeProblems(answer.problems);
}

describe('fleetOf', () => {
  it('merges documents, and names models by their key', () => {
    const merged = fleet(
      '{ nodes: [{ name: a, model: h100, gpus: 8, usdPerHour: 0 }], rent: [{ machineType: g4-standard-48 }] }',
      '{ nodes: [{ name: b, model: t4, gpus: 1 }], rent: [{ machineType: p5.48xlarge, max: 2 }] }',
    );
    expect(valueOf(merged)).toEqual({
      nodes: [
        { name: 'a', model: 'h100-80gb-sxm', gpus: 8, usdPerHour: 0 },
        { name: 'b', model: 't4-16gb', gpus: 1 },
      ],
      rent: [{ machineType: 'g4-standard-48' }, { machineType: 'p5.48xlarge', max: 2 }],
    });
  });

  it('knows how long the slices of a layout are', () => {
    const layouts = '[[{ profile: 1g.24gb, start: 3, busy: true }, { profile: "5", start: 6, size: 6 }], []]';
    const one = fleet(`{ nodes: [{ name: a, model: rtx-pro-6000, gpus: 2, layouts: ${layouts} }] }`);
    expect(valueOf(one).nodes[0]?.layouts).toEqual([
      {
        index: 0,
        slices: [
          { profile: '1g.24gb', start: 3, size: 3, busy: true },
          { profile: '2g.48gb', start: 6, size: 6, busy: false },
        ],
      },
      { index: 1, slices: [] },
    ]);
  });

  const node = (rest: string): string => `{ nodes: [{ name: a, ${rest} }] }`;

  it.each([
    [
      'h1000',
      [node('model: h1000, gpus: 1')],
      "spec.nodes[0].model: no GPU model 'h1000' is known; did you mean",
    ],
    ['a name of several models', [node('model: h200, gpus: 1')], 'fits several models: h200-141gb'],
    [
      'one node twice',
      [node('model: h100, gpus: 1'), node('model: t4, gpus: 1')],
      "f.yaml:7:25 spec.nodes[0].name: 'a' is stated twice, first at f.yaml:3:25",
    ],
    [
      'machine type',
      ['{ rent: [{ machineType: g4-standard-49 }] }'],
      "no machine type 'g4-standard-49' is known; did you mean g4-standard-48?",
    ],
    [
      'machine type twice',
      ['{ rent: [{ machineType: g4-standard-48 }, { machineType: g4-standard-48 }] }'],
      'is stated twice',
    ],
    ['more layouts than GPUs', [node('model: h100, gpus: 1, layouts: [[], []]')], 'has 2 entries for 1 GPUs'],
    [
      'slices of a card without MIG',
      [node('model: t4, gpus: 1, layouts: [[{ profile: 1g.5gb, start: 0 }]]')],
      'cannot hold slices',
    ],
    [
      'a profile of another card',
      [node('model: h100, gpus: 1, layouts: [[{ profile: 1g.5gb, start: 0 }]]')],
      'layouts[0][0].profile: h100-80gb-sxm has no 1g.5gb',
    ],
    [
      'a place that is none',
      [node('model: h100, gpus: 1, layouts: [[{ profile: 3g.40gb, start: 2 }]]')],
      'layouts[0]: 3g.40gb cannot start at 2',
    ],
    [
      'a wrong size',
      [node('model: h100, gpus: 1, layouts: [[{ profile: 3g.40gb, start: 0, size: 3 }]]')],
      'size: 3g.40gb is 4 units long, not 3',
    ],
    [
      'slices that overlap',
      [
        node(
          'model: h100, gpus: 1, layouts: [[{ profile: 3g.40gb, start: 0 }, { profile: 1g.10gb, start: 3 }]]',
        ),
      ],
      'overlaps',
    ],
  ])('refuses %s', (_, specs, complaint) => {
    expect(complaintsOf(fleet(...specs))).toContain(complaint);
  });
});

describe('needsOf', () => {
  const one = (rest: string): string => `{ needs: [{ name: a, ${rest} }] }`;

  it('reads memory with its unit, and cards by any name', () => {
    const [need] = valueOf(needs(one('memory: 9GiB, compute: { share: 0.2, of: h100 }, tenant: t')));
    expect(need).toEqual({
      name: 'a',
      count: 1,
      memoryMiB: 9216,
      compute: { share: 0.2, of: 'h100-80gb-sxm' },
      gpus: 1,
      p2p: false,
      media: false,
      graphics: false,
      isolation: 'hardware',
      tenant: 't',
      priority: 0,
      movable: true,
    });
  });

  it.each([
    'memoryMiB: 9000',
    'compute: { share: 1 }',
    'gpus: 2',
    'p2p: true',
    'gpus: 2, compute: { share: 2 }',
  ])('takes %s alone', (rest) => {
    expect(needs(one(rest)).ok).toBe(true);
  });

  it.each([
    ['memory: 9GiB, memoryMiB: 9000', 'spec.needs[0].memory: is stated beside memoryMiB'],
    ['memory: 9G', "spec.needs[0].memory: '9G' may mean 9GiB or 9GB"],
    ['count: 3', 'spec.needs[0]: says neither how much memory nor how much compute'],
    [
      'compute: { share: 1.5 }',
      'spec.needs[0].compute.share: must be at most the number of GPUs, 1; got 1.5',
    ],
    ['compute: { share: 0.2, of: h1000 }', 'spec.needs[0].compute.of: no GPU model'],
  ])('refuses %s', (rest, complaint) => {
    expect(complaintsOf(needs(one(rest)))).toContain(complaint);
  });

  it('refuses a name that another document has', () => {
    expect(complaintsOf(needs(one('gpus: 2'), one('gpus: 2')))).toContain("'a' is stated twice");
  });
});

describe('layoutsOf', () => {
  const layouts = (spec: string) =>
    layoutsOf(documents('Layout', spec).filter((each) => each.kind === 'Layout'));

  it('leaves the start open where none is stated', () => {
    const spec =
      '{ gpus: [{ node: a, index: 0, placements: [{ profile: 1g.24gb }, { profile: 2g.48gb, start: 6 }] }] }';
    expect(valueOf(layouts(spec))).toEqual([
      { node: 'a', index: 0, asks: [{ profile: '1g.24gb' }, { profile: '2g.48gb', start: 6 }] },
    ]);
  });

  it('refuses a GPU that is stated twice', () => {
    const gpu = '{ node: a, index: 0, placements: [] }';
    expect(complaintsOf(layouts(`{ gpus: [${gpu}, ${gpu}] }`))).toContain('GPU 0 of a is stated twice');
  });
});

describe('pricesWith', () => {
  const prices = (...specs: readonly string[]) =>
    pricesWith(
      documents('Prices', ...specs).filter((each) => each.kind === 'Prices'),
      defaultPrices,
    );
  const priceOf = (table: typeof defaultPrices, type: string) =>
    table.find(({ machineType }) => machineType === type);

  it('lets the user say what a known or a new machine costs', () => {
    const table = valueOf(
      prices(
        '{ prices: [{ machineType: g4-standard-48, usdPerHour: 2 }] }',
        '{ prices: [{ machineType: ours, usdPerHour: 1, model: h100, gpus: 4 }] }',
      ),
    );
    expect(priceOf(table, 'g4-standard-48')).toMatchObject({ usdPerHour: 2, source: 'stated by the user' });
    expect(priceOf(table, 'ours')).toMatchObject({ usdPerHour: 1, model: 'h100-80gb-sxm', gpus: 4 });
  });

  it.each([
    ['{ prices: [{ machineType: ours, usdPerHour: 1 }] }', 'spec.prices[0].machineType:'],
    [
      '{ prices: [{ machineType: ours, usdPerHour: 1, model: h1000, gpus: 1 }] }',
      'spec.prices[0].model: no GPU model',
    ],
    [
      '{ prices: [{ machineType: a, usdPerHour: 1, model: t4, gpus: 1 }, { machineType: a, usdPerHour: 1 }] }',
      'stated twice',
    ],
  ])('refuses %s', (spec, complaint) => {
    expect(complaintsOf(prices(spec))).toContain(complaint);
  });
});
