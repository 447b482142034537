import { describe, expect, it } from 'vitest';
import type { Plan } from '#core/plan/plan';
import { emit, type EmitTarget } from '#engines/emit/emit';
import type { EmitOptions, RefusalKind } from '#engines/emit/emission';
import { fill, gpu, h100, options, place, planOf, rtx, seat, whole } from './plans.js';

const p5 = { machineType: 'p5.48xlarge', count: 1, gpusEach: 8, usdPerHour: null };
const onP5 = (index: number, ...places: readonly string[]) => gpu('p5.48xlarge-1', index, h100, ...places);
const twoSizes = planOf({ layouts: [onP5(0, '7g.80gb:0'), onP5(1, '3g.40gb:0')], machines: [p5] });
const single = { gpuOperator: { strategy: 'single' } } as const;
const card = gpu('gpu-1', 0, rtx, '1g.24gb:0', '1g.24gb:3', '2g.48gb:6');

function answer(target: EmitTarget, plan: Plan, more: Partial<EmitOptions> = {}) {
  return emit(target, plan, { ...options, ...more });
}

describe('a target refuses what it cannot do, and says what to do', () => {
  it.each<[string, EmitTarget, Plan, Partial<EmitOptions>, RefusalKind, RegExp]>([
    ['two sizes on a node', 'gpu-operator', twoSizes, single, 'two-sizes', /strategy mixed/],
    [
      'MIG on and off on a node',
      'gpu-operator',
      planOf({ layouts: [onP5(0, '7g.80gb:0'), whole('p5.48xlarge-1', 1, h100)], machines: [p5] }),
      single,
      'mixed-modes',
      /strategy mixed/,
    ],
    [
      'an empty MIG GPU',
      'gpu-operator',
      planOf({ layouts: [onP5(0)], machines: [p5] }),
      single,
      'empty-mig',
      /a slice/,
    ],
    [
      'a name that no node can have',
      'gpu-operator',
      planOf({ layouts: [gpu('Node 1', 0, rtx, '4g.96gb:0')] }),
      {},
      'node-name',
      /kubectl get nodes/,
    ],
    [
      'sharing for some slices of a size',
      'gpu-operator',
      planOf({
        layouts: [card],
        assignment: [
          seat('x', card, '1g.24gb:0'),
          seat('x', card, '1g.24gb:0'),
          seat('y', card, '1g.24gb:3'),
        ],
      }),
      {},
      'shared-beside-alone',
      /isolation: hardware/,
    ],
    ['two sizes on a node', 'bottlerocket', twoSizes, {}, 'two-sizes', /one slice size per node/],
    [
      'an H100 NVL, which it would take for another card',
      'bottlerocket',
      planOf({ layouts: [gpu('n', 0, 'h100-94gb-nvl', '7g.94gb:0')] }),
      {},
      'no-bottlerocket-key',
      /gpu-operator/,
    ],
    [
      'a size that it does not cut',
      'bottlerocket',
      planOf({ layouts: [onP5(0, '4g.40gb:0')], machines: [p5] }),
      {},
      'size-not-offered',
      /one of those sizes/,
    ],
    [
      'an attribute size',
      'bottlerocket',
      planOf({ layouts: [gpu('n', 0, rtx, '1g.24gb+gfx:0')] }),
      {},
      'size-not-offered',
      /one of those sizes/,
    ],
  ])('%s: %s', (_, target, plan, more, kind, instead) => {
    expect(answer(target, plan, more)).toMatchObject({
      ok: false,
      why: { kind, message: expect.stringMatching(/\S/), instead: expect.stringMatching(instead) },
    });
  });

  it.each<EmitTarget>(['mig-parted', 'gpu-operator', 'bottlerocket'])(
    'slices at work on a GPU that %s would clear',
    (target) => {
      const halves = gpu('n', 0, h100, '3g.40gb:0', '3g.40gb:4');
      const busy = { ...halves, busy: [place(h100, '3g.40gb:0')] };
      const adds: Plan['steps'] = [
        { kind: 'create', node: 'n', index: 0, placement: place(h100, '3g.40gb:4'), why: '' },
      ];
      const changed = answer(target, planOf({ layouts: [busy], steps: adds }));
      expect(changed).toMatchObject({
        ok: false,
        why: { kind: 'busy-slices', message: expect.stringContaining('3g.40gb:0') },
      });
      expect(answer(target, planOf({ layouts: [busy] })).ok).toBe(true);
      expect(answer('vm', planOf({ layouts: [busy], steps: adds })).ok).toBe(true);
    },
  );
});

it('single does not cut a GPU whose slices the plan leaves as they are', () => {
  const plan = planOf({ layouts: [gpu('n', 0, h100, '7g.80gb:0')] });
  const slices = [{ ...place(h100, '3g.40gb:0'), busy: true }];
  const node = { name: 'n', model: h100, gpus: 2, layouts: [{ index: 1, slices }] };
  const fleet = { nodes: [node], rent: [] };
  expect(answer('gpu-operator', plan, { ...single, fleet })).toMatchObject({
    ok: false,
    why: { kind: 'busy-slices' },
  });
  const filled = answer('gpu-operator', plan, {
    ...single,
    fleet: { nodes: [{ ...node, layouts: [] }], rent: [] },
  });
  expect(filled).toMatchObject({
    ok: true,
    notes: expect.arrayContaining([expect.stringContaining('Node n: GPUs')]),
  });
});

describe('what is not refused', () => {
  it.each<EmitTarget>(['gke', 'gpu-operator', 'bottlerocket'])(
    'is the last replica of a sharing need, alone in its slice, for %s',
    (target) => {
      const [first, last] = [1, 2].map((machine) =>
        gpu(`g4-standard-48-${machine}`, 0, rtx, '2g.48gb:0', '2g.48gb:6'),
      );
      const places = ['2g.48gb:0', '2g.48gb:0', '2g.48gb:0', '2g.48gb:6'];
      const plan = planOf({
        layouts: [first!, last!],
        assignment: [
          ...places.map((text) => seat('notebook', first!, text)),
          seat('notebook', last!, '2g.48gb:0'),
        ],
        machines: [{ machineType: 'g4-standard-48', count: 2, gpusEach: 1, usdPerHour: null }],
      });
      const emission = answer(target, plan);
      if (!emission.ok) throw new Error(emission.why.message);
      const manifest = emission.files.find(({ path }) => path === 'workloads.yaml')?.content ?? '';
      expect(manifest.match(/^kind: Deployment$/gm)).toHaveLength(1);
      expect(manifest).toContain('replicas: 5');
      // Both nodes offer shares: a share that only the first one offered would leave a pod without a place.
      const text = emission.files.map(({ content }) => content).join();
      expect(text).toMatch(
        {
          gke: /"--num-nodes=2"/,
          'gpu-operator': /2g\.48gb-by-2[^]*2g\.48gb-by-3|by-3[^]*by-2/,
          bottlerocket: /replicas = 2/,
        }[target as 'gke'],
      );
    },
  );

  it('is the same plan under mixed that single refuses', () => {
    expect(answer('gpu-operator', twoSizes).ok).toBe(true);
  });

  it('is a need of several cards, kept on one node', () => {
    const cards = [0, 1, 2, 3].map((index) => whole('n', index, h100));
    const need = {
      name: 'train',
      count: 2,
      gpus: 2,
      p2p: true,
      media: false,
      graphics: false,
      priority: 0,
      movable: true,
    };
    const needs = [{ ...need, isolation: 'hardware' as const }];
    const emission = answer('gpu-operator', planOf({ layouts: cards, assignment: fill('train', ...cards) }), {
      needs,
    });
    const manifest = emission.ok ? emission.files.find(({ path }) => path === 'workloads.yaml')?.content : '';
    expect(manifest).toMatch(/replicas: 2\n[^]*nvidia\.com\/gpu: 2\n/);
    const torn = [whole('a', 0, h100), whole('b', 0, h100)];
    expect(
      answer('dra', planOf({ layouts: torn, assignment: fill('train', ...torn) }), { needs }),
    ).toMatchObject({
      ok: false,
      why: { kind: 'plan-mismatch' },
    });
  });
});

describe('the names of configurations', () => {
  const configs = (plan: Plan): readonly string[] => {
    const emission = answer('mig-parted', plan);
    if (!emission.ok) throw new Error(emission.why.message);
    return [...(emission.files[0]?.content ?? '').matchAll(/^ {2}(mica-\S+):$/gm)].map(
      ([, name]) => name ?? '',
    );
  };

  it('are the same for the same content and others for other content', () => {
    const first = configs(
      planOf({ layouts: [gpu('a', 0, rtx, '4g.96gb:0'), gpu('b', 0, rtx, '4g.96gb:0')] }),
    );
    expect(first).toEqual(['mica-0-1x4g.96gb']);
    expect(configs(planOf({ layouts: [gpu('z', 0, rtx, '4g.96gb:0')] }))).toEqual(first);
    expect(configs(planOf({ layouts: [gpu('a', 0, rtx, '4g.96gb+gfx:0')] }))).toEqual([
      'mica-0-1x4g.96gb.gfx',
    ]);
  });

  it('tell two cards apart whose slices have one name', () => {
    const layouts = [gpu('a', 0, 'a100-80gb', '1g.10gb:0'), gpu('b', 0, h100, '1g.10gb:0')];
    const names = configs(planOf({ layouts }));
    expect(names).toHaveLength(2);
    expect(new Set(names).size).toBe(2);
  });
});

describe('cards whose slices have one name', () => {
  const layouts = [gpu('a', 0, 'a100-80gb', '1g.10gb:0'), gpu('b', 0, h100, '1g.10gb:0')];
  const plan = planOf({ layouts, assignment: [...fill('x', layouts[0]!), ...fill('y', layouts[1]!)] });

  it.each<EmitTarget>(['gpu-operator', 'dra'])('are told apart by a node label for %s', (target) => {
    const emission = answer(target, plan);
    const manifest = emission.ok ? emission.files.find(({ path }) => path === 'workloads.yaml')?.content : '';
    expect(manifest).toContain('mica/gpu-model: a100-80gb');
    expect(manifest).toContain('mica/gpu-model: h100-80gb-sxm');
  });

  it('need no label for dra where each name is on one card', () => {
    const emission = answer('dra', planOf({ layouts: [layouts[0]!], assignment: fill('x', layouts[0]!) }));
    const manifest = emission.ok ? emission.files.find(({ path }) => path === 'workloads.yaml')?.content : '';
    expect(manifest).not.toContain('mica/gpu-model');
  });
});
