/** The plans whose whole output is kept under test/golden/emit, and the targets that each one is emitted for. */
import type { Plan } from '#core/plan/plan';
import type { EmitTarget } from '#engines/emit/emit';
import type { EmitOptions } from '#engines/emit/emission';
import { fill, gpu, h100, options, place, planOf, rtx, seat, whole } from './plans.js';

export interface Example {
  readonly name: string;
  readonly plan: Plan;
  readonly targets: readonly EmitTarget[];
  readonly options: EmitOptions;
}

/** A workstation shop: one machine of theirs, every card cut another way, one card used whole, one slice to free. */
function rtxMachine(): Example {
  const mixed = gpu('gpu-1', 0, rtx, '2g.48gb:0', '1g.24gb:6', '1g.24gb:9');
  const quarters = gpu('gpu-1', 1, rtx, '1g.24gb:0', '1g.24gb:3', '1g.24gb:6', '1g.24gb:9');
  const graphics = gpu('gpu-1', 2, rtx, '1g.24gb+gfx:0', '2g.48gb-me:6');
  const card = whole('gpu-1', 3, rtx);
  const plan = planOf({
    layouts: [mixed, quarters, graphics, card],
    assignment: [
      seat('llama-70b', mixed, '2g.48gb:0'),
      ...fill('bert', quarters),
      seat('bert', mixed, '1g.24gb:6'),
      seat('bert', mixed, '1g.24gb:9'),
      seat('render', graphics, '1g.24gb+gfx:0'),
      seat('batch', graphics, '2g.48gb-me:6'),
      seat('train', card, null),
    ],
    steps: [
      {
        kind: 'destroy',
        node: 'gpu-1',
        index: 3,
        placement: place(rtx, '4g.96gb:0'),
        why: 'the whole card is wanted',
      },
      { kind: 'disable-mig', node: 'gpu-1', index: 3, why: 'the whole card goes to one workload' },
    ],
    unplaced: [{ need: 'huge', count: 1, why: 'fits no card' }],
  });
  const fleet = { nodes: [{ name: 'gpu-1', model: rtx, gpus: 4 }], rent: [] };
  return {
    name: 'rtx-machine',
    plan,
    targets: ['vm', 'mig-parted', 'gpu-operator', 'dra'],
    options: { ...options, fleet },
  };
}

/** Rented G4: one size per machine, the last machine not full, one need on whole cards. */
function g4Pools(): Example {
  const eighths = [1, 2].flatMap((machine) =>
    [0, 1].map((index) =>
      gpu(`g4-standard-96-${machine}`, index, rtx, '1g.24gb:0', '1g.24gb:3', '1g.24gb:6', '1g.24gb:9'),
    ),
  );
  const halves = gpu('g4-standard-48-1', 0, rtx, '2g.48gb:0');
  const pair = [whole('g4-standard-96-3', 0, rtx), whole('g4-standard-96-3', 1, rtx)];
  const plan = planOf({
    layouts: [...eighths, halves, ...pair],
    assignment: [...fill('bert', ...eighths), seat('llama', halves, '2g.48gb:0'), ...fill('train', ...pair)],
    machines: [
      { machineType: 'g4-standard-96', count: 3, gpusEach: 2, usdPerHour: null },
      { machineType: 'g4-standard-48', count: 1, gpusEach: 1, usdPerHour: null },
    ],
  });
  const gke = { project: 'shop', cluster: 'inference', location: 'us-central1', nodeZone: 'us-central1-b' };
  const train = {
    name: 'train',
    count: 1,
    gpus: 2,
    p2p: true,
    media: false,
    graphics: false,
    isolation: 'hardware',
  } as const;
  const needs = [{ ...train, priority: 0, movable: true }];
  const image = 'serve:1.0';
  return {
    name: 'g4-pools',
    plan,
    targets: ['gke'],
    options: { ...options, gke, needs, image, namespace: 'serving' },
  };
}

/** EKS: H100 cut three ways and kept whole in one machine, and RTX PRO 6000 with a size of the same name elsewhere. */
function eksFleet(): Example {
  const p5 = 'p5.48xlarge-1';
  const sevenths = [0, 1].map((index) =>
    gpu(p5, index, h100, ...[0, 1, 2, 3, 4, 5, 6].map((start) => `1g.10gb:${start}`)),
  );
  const mixed = gpu(p5, 2, h100, '3g.40gb:4', '2g.20gb:2', '1g.10gb+me:0');
  const cards = [4, 5, 6, 7].map((index) => whole(p5, index, h100));
  const quarters = [1, 2].map((machine) =>
    gpu(`g7e.2xlarge-${machine}`, 0, rtx, '1g.24gb:0', '1g.24gb:3', '1g.24gb:6', '1g.24gb:9'),
  );
  const plan = planOf({
    layouts: [...sevenths, mixed, ...cards, ...quarters],
    assignment: [
      ...fill('embed', ...sevenths),
      seat('rank', mixed, '3g.40gb:4'),
      seat('rank-small', mixed, '2g.20gb:2'),
      seat('transcode', mixed, '1g.10gb+me:0'),
      ...fill('tune', ...cards),
      ...fill('embed', ...quarters),
    ],
    machines: [
      { machineType: 'p5.48xlarge', count: 1, gpusEach: 8, usdPerHour: null },
      { machineType: 'g7e.2xlarge', count: 2, gpusEach: 1, usdPerHour: null },
    ],
  });
  return { name: 'eks-fleet', plan, targets: ['gpu-operator', 'mig-parted', 'vm'], options };
}

/** Small needs that share slices, by time: on GKE, under the operator, by DRA claims, on Bottlerocket. */
function sharedSlices(): Example {
  const card = gpu('g4-standard-48-1', 0, rtx, '1g.24gb:0', '1g.24gb:3', '1g.24gb:6', '1g.24gb:9');
  const plan = planOf({
    layouts: [card],
    assignment: [
      seat('notebook', card, '1g.24gb:0'),
      seat('notebook', card, '1g.24gb:0'),
      seat('notebook', card, '1g.24gb:0'),
      seat('notebook', card, '1g.24gb:3'),
      seat('ci', card, '1g.24gb:3'),
    ],
    machines: [{ machineType: 'g4-standard-48', count: 1, gpusEach: 1, usdPerHour: null }],
  });
  return { name: 'shared-slices', plan, targets: ['gke', 'gpu-operator', 'dra', 'bottlerocket'], options };
}

/** Bottlerocket: each card model in its own node group, some of it whole. */
function bottlerocketGroups(): Example {
  const a100 = 'a100-40gb';
  const p4d = [0, 1, 2, 3, 4, 5, 6, 7].map((index) =>
    gpu('p4d.24xlarge-1', index, a100, '3g.20gb:0', '3g.20gb:4'),
  );
  const g7e = gpu('g7e.2xlarge-1', 0, rtx, '2g.48gb:0');
  const card = whole('g7e.2xlarge-2', 0, rtx);
  const plan = planOf({
    layouts: [...p4d, g7e, card],
    assignment: [...fill('rank', ...p4d), ...fill('llama', g7e), ...fill('tune', card)],
    machines: [
      { machineType: 'p4d.24xlarge', count: 1, gpusEach: 8, usdPerHour: null },
      { machineType: 'g7e.2xlarge', count: 2, gpusEach: 1, usdPerHour: null },
    ],
  });
  return {
    name: 'bottlerocket-groups',
    plan,
    targets: ['bottlerocket', 'gpu-operator'],
    options: { ...options, gpuOperator: { strategy: 'single' } },
  };
}

export const examples: readonly Example[] = [
  rtxMachine(),
  g4Pools(),
  eksFleet(),
  sharedSlices(),
  bottlerocketGroups(),
];
