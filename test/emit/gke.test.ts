import { describe, expect, it, onTestFinished } from 'vitest';
import { machineTypes } from '#core/catalogue/machine-types';
import { modelByKey } from '#core/catalogue/catalogue';
import type { Plan } from '#core/plan/plan';
import { emit } from '#engines/emit/emit';
import type { EmitOptions } from '#engines/emit/emission';
import { partitionedAccelerators, partitionSizesOf } from '#core/catalogue/gke-partition-sizes';
import { temporaryFolder } from '../tooling/clone.js';
import { requires } from '../tooling/requires.js';
import { run } from '../tooling/run.js';
import { GkeServer } from '../clouds/gke-server.js';
import { examples } from './example-plans.js';
import { fill, gpu, h100, options, planOf, rtx, seat, whole } from './plans.js';

const g4 = { machineType: 'g4-standard-48', count: 3, gpusEach: 1, usdPerHour: null };
const a3 = { machineType: 'a3-highgpu-8g', count: 1, gpusEach: 8, usdPerHour: null };

function emitted(plan: Plan, more: Partial<EmitOptions> = {}) {
  const emission = emit('gke', plan, { ...options, ...more });
  if (!emission.ok) throw new Error(emission.why.message);
  const content = (path: string): string => emission.files.find((file) => file.path === path)?.content ?? '';
  return { ...emission, content, commands: JSON.parse(content('node-pools.json')) as string[][] };
}

function refusal(plan: Plan, more: Partial<EmitOptions> = {}): object {
  const emission = emit('gke', plan, { ...options, ...more });
  if (emission.ok) throw new Error('it was not refused');
  return emission.why;
}

describe('the table of partition sizes', () => {
  it.each(partitionedAccelerators)('says of %s what the catalogue says of the card', (accelerator) => {
    const machine = machineTypes.find((one) => one.accelerator === accelerator);
    const model = modelByKey(machine?.model ?? '');
    if (model?.kind !== 'mig') throw new Error(`no model for ${accelerator}`);
    for (const [name, count] of Object.entries(partitionSizesOf(accelerator))) {
      expect(
        model.profiles.find((profile) => profile.name === name),
        name,
      ).toMatchObject({ maxCount: count });
    }
  });
});

describe('node pools', () => {
  it('are one per machine type and size', () => {
    const layouts = [
      gpu('g4-standard-48-1', 0, rtx, '1g.24gb:0', '1g.24gb:9'),
      gpu('g4-standard-48-2', 0, rtx, '2g.48gb:0', '2g.48gb:6'),
      gpu('g4-standard-48-3', 0, rtx, '1g.24gb:3'),
    ];
    const { commands, notes } = emitted(planOf({ layouts, machines: [g4] }));
    expect(commands.map((command) => [command[4], command.at(-1)])).toEqual([
      ['mica-g4-standard-48-1g-24gb', '--num-nodes=2'],
      ['mica-g4-standard-48-2g-48gb', '--num-nodes=1'],
    ]);
    expect(notes[0]).toBe(
      'Pool mica-g4-standard-48-1g-24gb: GKE always cuts the whole GPU, so there are 8 1g.24gb slices, 5 more than the plan needs.',
    );
    expect(notes.join()).not.toContain('2g.48gb slices');
  });

  it('count the GPUs of a machine that the plan leaves idle', () => {
    const layouts = [gpu('a3-highgpu-8g-1', 3, h100, '3g.40gb:0', '3g.40gb:4')];
    expect(emitted(planOf({ layouts, machines: [a3] })).notes[0]).toContain('16 3g.40gb slices, 14 more');
    const cards = [whole('a3-highgpu-8g-1', 0, h100), whole('a3-highgpu-8g-1', 1, h100)];
    expect(emitted(planOf({ layouts: cards, machines: [a3] })).notes[0]).toContain(
      '6 GPUs that the plan does not need',
    );
  });

  it('serve a need whose card two machine types carry under two names', () => {
    const mega = { machineType: 'a3-megagpu-8g', count: 1, gpusEach: 8, usdPerHour: null };
    const layouts = [
      gpu('a3-highgpu-8g-1', 0, h100, '7g.80gb:0'),
      gpu('a3-megagpu-8g-1', 0, h100, '7g.80gb:0'),
    ];
    const { commands, content } = emitted(
      planOf({ layouts, assignment: fill('x', ...layouts), machines: [a3, mega] }),
    );
    expect(commands).toHaveLength(2);
    expect(content('workloads.yaml')).toContain('replicas: 2');
    expect(content('workloads.yaml')).toContain('values: [nvidia-h100-80gb, nvidia-h100-mega-80gb]');
  });

  it('take an attribute size only in the spelling that the user names', () => {
    const layouts = [gpu('g4-standard-48-1', 0, rtx, '1g.24gb+gfx:0')];
    const plan = planOf({ layouts, assignment: fill('render', ...layouts), machines: [g4] });
    expect(refusal(plan)).toMatchObject({ kind: 'attribute-spelling' });
    const plus = emitted(plan, { gke: { attributeSpelling: '+' } });
    expect(plus.content('node-pools.json')).toContain('gpu-partition-size=1g.24gb+gfx,');
    const dot = emitted(plan, { gke: { attributeSpelling: '.' } });
    expect(dot.content('node-pools.json')).toContain('gpu-partition-size=1g.24gb.gfx,');
    for (const { content } of [plus, dot])
      expect(content('workloads.yaml')).toContain('cloud.google.com/gke-gpu-partition-size: "1g.24gb.gfx"');
    const without = [gpu('g4-standard-48-1', 0, rtx, '1g.24gb-me:0')];
    expect(emitted(planOf({ layouts: without, machines: [g4] })).content('node-pools.json')).toContain(
      '=1g.24gb-me,',
    );
  });
});

describe('a plan that GKE cannot carry', () => {
  it.each<[string, Plan, string, RegExp]>([
    [
      'two sizes on one GPU',
      planOf({ layouts: [gpu('g4-standard-48-1', 0, rtx, '2g.48gb:0', '1g.24gb:6')], machines: [g4] }),
      'two-sizes',
      /one slice size per machine.*emit gpu-operator/,
    ],
    [
      'two sizes on one machine',
      planOf({
        layouts: [gpu('a3-highgpu-8g-1', 0, h100, '7g.80gb:0'), gpu('a3-highgpu-8g-1', 1, h100, '3g.40gb:0')],
        machines: [a3],
      }),
      'two-sizes',
      /emit gpu-operator/,
    ],
    [
      'MIG on and off on one machine',
      planOf({
        layouts: [gpu('a3-highgpu-8g-1', 0, h100, '7g.80gb:0'), whole('a3-highgpu-8g-1', 1, h100)],
        machines: [a3],
      }),
      'mixed-modes',
      /emit gpu-operator/,
    ],
    [
      'an empty MIG GPU',
      planOf({ layouts: [gpu('g4-standard-48-1', 0, rtx)], machines: [g4] }),
      'empty-mig',
      /give it a slice/,
    ],
    [
      'a size that GKE does not list',
      planOf({ layouts: [gpu('a3-highgpu-8g-1', 0, h100, '4g.40gb:0')], machines: [a3] }),
      'size-not-offered',
      /one of those sizes/,
    ],
    ['an owned node', planOf({ layouts: [gpu('gpu-1', 0, rtx, '1g.24gb:0')] }), 'not-a-gke-machine', /rent:/],
    [
      'a machine of another cloud',
      planOf({
        layouts: [gpu('g7e.2xlarge-1', 0, rtx, '1g.24gb:0')],
        machines: [{ ...g4, machineType: 'g7e.2xlarge' }],
      }),
      'not-a-gke-machine',
      /g4-standard-48/,
    ],
    [
      'a slice that replicas share beside one that is not',
      ((card) =>
        planOf({
          layouts: [card],
          assignment: [
            seat('x', card, '1g.24gb:0'),
            seat('x', card, '1g.24gb:0'),
            seat('y', card, '1g.24gb:3'),
          ],
          machines: [g4],
        }))(gpu('g4-standard-48-1', 0, rtx, '1g.24gb:0', '1g.24gb:3')),
      'shared-beside-alone',
      /isolation: hardware/,
    ],
  ])('is refused: %s', (_, plan, kind, instead) => {
    expect(refusal(plan)).toMatchObject({
      kind,
      message: expect.any(String),
      instead: expect.stringMatching(instead),
    });
  });

  it('says that GKE sources differ on 4g sizes', () => {
    const plan = planOf({ layouts: [gpu('a3-highgpu-8g-1', 0, h100, '4g.40gb:0')], machines: [a3] });
    expect(refusal(plan)).toMatchObject({ message: expect.stringContaining('its autoscaler does not') });
  });

  it('needs a zone where the cluster is in a region', () => {
    const layouts = [gpu('g4-standard-48-1', 0, rtx, '1g.24gb:0')];
    expect(refusal(planOf({ layouts, machines: [g4] }), { gke: { location: 'europe-west4' } })).toMatchObject(
      {
        kind: 'zone-needed',
      },
    );
  });
});

const gcloud = requires('gcloud');
describe.skipIf(gcloud.missing)(gcloud.title('gcloud'), () => {
  /** Runs a pool's arguments through gcloud, and gives the request that it sent beside the one that we would send. */
  async function ask(exampleName: string, pool: string): Promise<{ sent: unknown; ours: unknown }> {
    const example = examples.find(({ name }) => name === exampleName);
    if (example === undefined) throw new Error(`no example ${exampleName}`);
    const { commands, content } = emitted(example.plan, example.options);
    const [, ...args] = commands.find((command) => command.includes(pool)) ?? [];
    const ours = JSON.parse(content(`node-pools/${pool}.json`));
    const [, project, , location, , cluster] = ours.body.parent.split('/');
    const api = new GkeServer({ project, location, cluster });
    api.looksPerOperation = 1;
    onTestFinished(() => api.close());
    const env = {
      PATH: process.env['PATH'],
      HOME: temporaryFolder(),
      CLOUDSDK_CONFIG: temporaryFolder(),
      CLOUDSDK_API_ENDPOINT_OVERRIDES_CONTAINER: await api.listen(),
      CLOUDSDK_AUTH_DISABLE_CREDENTIALS: 'true',
      CLOUDSDK_CORE_DISABLE_PROMPTS: '1',
      CLOUDSDK_CORE_DISABLE_USAGE_REPORTING: 'true',
    };
    const ran = await run('gcloud', [...args, '--format=json'], { env });
    expect(ran.stderr).not.toContain('ERROR');
    expect(ran.code).toBe(0);
    const sent = api.asked.find(({ method, body }) => method === 'POST' && body?.nodePool?.name === pool);
    return { sent, ours };
  }

  it(
    'sends for our arguments what our REST body says, in a zone and in a region',
    { timeout: 120_000 },
    async () => {
      const shared = await ask('shared-slices', 'mica-g4-standard-48-1g-24gb-shared');
      expect(shared.sent).toEqual(shared.ours);
      const regional = await ask('g4-pools', 'mica-g4-standard-96-1g-24gb');
      expect(regional.sent).toEqual(regional.ours);
    },
  );
});
