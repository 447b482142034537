/** Node groups of EKS that boot cut: made, taken over, brought back; against strict doubles of EKS, EC2 and a cluster. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startupTaint } from '#core/clouds/slices-ready';
import type { Json } from './message-check.js';
import { EksWorld, oldGroup } from './eks-world.js';

let world: EksWorld;
beforeEach(async () => {
  world = await new EksWorld().open();
});
afterEach(() => world.close());

const wanted = 'gpu-1g-24gb';
const allowed = { leavePending: true };

function userDataOf(template: Json): string {
  return Buffer.from(template.data.UserData ?? '', 'base64').toString('utf8');
}

function expectAsBefore(): void {
  expect([...world.api.groups.keys()]).toEqual(['gpu']);
  expect(world.api.groups.get('gpu').scalingConfig).toEqual(oldGroup.scalingConfig);
  expect(world.cluster.node('ip-gpu-0')).toMatchObject({ isCordoned: false, annotations: {} });
}

describe('a change of size', () => {
  it('makes a group whose nodes boot cut, takes their startup taint away, and the old group', async () => {
    world.addWorkload('agent', 2, {});
    const answer = await world.change({ cut: [['2g.48gb', '1g.24gb', '1g.24gb']], name: 'mixed' });
    expect(answer).toMatchObject({ outcome: 'done', newPool: 'mixed', left: [] });
    expect(answer.slices).toEqual([
      { profile: '1g.24gb', perNode: 2 },
      { profile: '2g.48gb', perNode: 1 },
    ]);
    expect(answer.evicted).toHaveLength(2);
    expect(world.api.changes).toEqual([
      'POST CreateLaunchTemplate',
      'POST node-groups',
      'POST node-groups/gpu/update-config',
      'DELETE node-groups/gpu',
    ]);
    expect([...world.api.groups.keys()]).toEqual(['mixed']);
    for (const index of [0, 1]) {
      const { taints } = world.cluster.node(`ip-mixed-${index}`)!;
      expect(taints.map(({ key }) => key)).toEqual(['nvidia.com/gpu']);
    }
    expect(answer.notes.join()).toContain(`--startup-taint=${startupTaint.key}`);
  });

  it('copies what the group has, the disk into the template', async () => {
    await world.change({ nodes: 3 });
    const group = world.api.asked.find(
      ({ method, path }) => method === 'POST' && path.endsWith('node-groups'),
    )!.body;
    const { clientRequestToken, launchTemplate, ...said } = group;
    expect(said).toEqual({
      nodegroupName: wanted,
      scalingConfig: { minSize: 1, maxSize: 4, desiredSize: 3 },
      subnets: oldGroup.subnets,
      nodeRole: oldGroup.nodeRole,
      amiType: oldGroup.amiType,
      instanceTypes: oldGroup.instanceTypes,
      capacityType: oldGroup.capacityType,
      updateConfig: oldGroup.updateConfig,
      tags: oldGroup.tags,
      labels: {
        team: 'search',
        'mica.dev/replaces': 'gpu',
        'mica.dev/slices': '4x1g.24gb',
        // Or mig-manager would undo the cut.
        'nvidia.com/gpu.deploy.mig-manager': 'false',
      },
      taints: [...oldGroup.taints, { key: startupTaint.key, value: 'true', effect: 'NO_SCHEDULE' }],
    });
    const [template] = [...world.api.templates.values()];
    expect(template.launchTemplateName).toBe(launchTemplate.name);
    expect(template.data.BlockDeviceMapping).toEqual([
      { DeviceName: '/dev/xvda', Ebs: { VolumeSize: 100, VolumeType: 'gp3' } },
    ]);
    expect(userDataOf(template)).toMatch(/^MIME-Version: 1\.0\nContent-Type: multipart\/mixed; boundary="/);
    expect(userDataOf(template)).toContain("layouts=('1g.24gb:0,1g.24gb:3,1g.24gb:6,1g.24gb:9')");
    expect(clientRequestToken).toMatch(/^[0-9a-f]{36}$/);
  });

  it('keeps mig-manager off as long as nodes boot cut, and leaves it to others after that', async () => {
    const migManager = 'nvidia.com/gpu.deploy.mig-manager';
    const labelsOf = (name: string): Json => world.api.groups.get(name).labels;
    await world.change();
    await world.change({ pool: wanted, cut: '2g.48gb', name: 'larger' });
    expect(labelsOf('larger')).toMatchObject({ 'mica.dev/slices': '2x2g.48gb', [migManager]: 'false' });
    await world.change({ pool: 'larger', cut: null, name: 'whole' });
    expect(Object.keys(labelsOf('whole'))).not.toContain(migManager);
    labelsOf('whole')[migManager] = 'true';
    await world.change({ pool: 'whole', cut: null, name: 'again', nodes: 1 });
    expect(labelsOf('again')).toMatchObject({ team: 'search', [migManager]: 'true' });
  });

  it('keeps the user data of the old template, once', async () => {
    const had =
      'MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="//"\n\n--//\nContent-Type: application/node.eks.aws\n\n---\nkind: NodeConfig\n\n--//--\n';
    const data = { UserData: Buffer.from(had).toString('base64'), KeyName: 'ops' };
    Object.assign(world.api.groups.get('gpu'), {
      launchTemplate: world.api.addTemplate('ours', data),
      diskSize: undefined,
    });
    expect(await world.change()).toMatchObject({ outcome: 'done' });
    const made = [...world.api.templates.values()].find(({ launchTemplateName }) =>
      launchTemplateName.includes(wanted),
    );
    expect(made.data.KeyName).toBe('ops');
    expect(userDataOf(made).match(/kind: NodeConfig/g)).toHaveLength(1);
    // The next change takes our own part out again; our old template goes with its group.
    expect(await world.change({ pool: wanted, cut: '2g.48gb' })).toMatchObject({
      outcome: 'done',
      newPool: 'gpu-2g-48gb',
    });
    const [ours, next, ...others] = [...world.api.templates.values()];
    expect(ours.launchTemplateName).toBe('ours');
    expect(others).toEqual([]);
    expect(userDataOf(next).match(/layouts=/g)).toHaveLength(1);
    expect(userDataOf(next)).toContain("layouts=('2g.48gb:0,2g.48gb:6')");
  });

  it('sets Bottlerocket up where its key is known', async () => {
    Object.assign(world.api.groups.get('gpu'), { amiType: 'BOTTLEROCKET_x86_64_NVIDIA' });
    expect(await world.change({ sharers: 3 })).toMatchObject({
      outcome: 'done',
      slices: [{ profile: '1g.24gb', perNode: 12 }],
    });
    const [template] = [...world.api.templates.values()];
    expect(userDataOf(template)).toContain('"rtxpro6000.96gb" = "1g.24gb"');
    expect(template.data.BlockDeviceMapping[0].DeviceName).toBe('/dev/xvdb');
  });

  it('makes it once, though the answer is lost', async () => {
    world.api.fail(/POST clusters\/c1\/node-groups$/, { kind: 'cut' });
    world.api.fail(/CreateLaunchTemplate/, { kind: 'cut' });
    world.api.fail(/GET clusters/, {
      kind: 'error',
      status: 503,
      code: 'ServiceUnavailableException',
      message: 'later',
    });
    expect(await world.change()).toMatchObject({ outcome: 'done' });
    expect([...world.api.groups.keys()]).toEqual([wanted]);
    expect(world.api.templates.size).toBe(1);
  });

  it('plans with a dry run, and sends nothing', async () => {
    const { outcome, requests } = await world.change({}, { dryRun: true });
    expect(outcome).toBe('planned');
    expect(requests.map(({ command }) => command?.slice(0, 3).join(' '))).toEqual([
      'aws ec2 create-launch-template',
      'aws eks create-nodegroup',
      'aws eks update-nodegroup-config',
      'aws eks delete-nodegroup',
    ]);
    expect(world.api.changes).toEqual([]);
  });
});

describe('a refusal comes before anything is touched', () => {
  it.each([
    ['a profile that the card has not', { cut: '1g.10gb' }, {}, /1g\.10gb/],
    ['a layout that does not fit', { cut: [['2g.48gb', '2g.48gb', '1g.24gb']] }, {}, /no arrangement holds/],
    [
      'layouts for other GPUs than there are',
      { cut: [['2g.48gb'], ['1g.24gb']] },
      {},
      /has 1 GPUs, and there are layouts for 2/,
    ],
    ['an image without a driver', {}, { amiType: 'AL2023_x86_64_STANDARD' }, /no NVIDIA driver/],
    ['several instance types', {}, { instanceTypes: ['g7e.2xlarge', 'p5.4xlarge'] }, /2 instance types/],
    ['a machine that Mica does not know', {}, { instanceTypes: ['m7i.large'] }, /m7i\.large/],
    [
      'a mixed layout on Bottlerocket',
      { cut: [['2g.48gb', '1g.24gb']] },
      { amiType: 'BOTTLEROCKET_x86_64_NVIDIA' },
      /all GPUs/,
    ],
    ['sharing that the device plugin decides', { sharers: 2 }, {}, /device plugin/],
  ])('%s', async (_, change, group, message) => {
    Object.assign(world.api.groups.get('gpu'), group);
    expect(await world.change(change)).toMatchObject({
      outcome: 'refused',
      why: { message: expect.stringMatching(message) },
    });
    expect(world.api.changes).toEqual([]);
  });

  it('pods that ask for what the new nodes have not', async () => {
    world.addWorkload('big', 1, { 'nvidia.com/gpu': 8 });
    world.cluster.addPod({
      name: 'odd-0',
      controller: { kind: 'Job', name: 'odd', uid: 'o' },
      node: 'ip-gpu-0',
      wants: { 'nvidia.com/mig-2g.48gb': 1 },
    });
    expect(await world.change()).toMatchObject({
      outcome: 'refused',
      why: { message: expect.stringContaining('default/odd-0') },
    });
  });
});

describe('what goes wrong ends in the group as it was', () => {
  it('no machines to be had', async () => {
    world.api.fail(/POST clusters\/c1\/node-groups$/, {
      kind: 'health',
      code: 'AsgInstanceLaunchFailures',
      message: 'InsufficientInstanceCapacity: no g7e.2xlarge',
    });
    expect(await world.change()).toMatchObject({
      outcome: 'rolled-back',
      why: {
        message: expect.stringContaining('InsufficientInstanceCapacity'),
        next: expect.stringContaining('subnets'),
      },
    });
    expectAsBefore();
    expect(world.api.templates.size).toBe(0);
  });

  it('nodes that could not be cut: what they said at boot is the reason, and they keep their taint', async () => {
    world.cluster.neverReady = true;
    world.api.consoles.set(
      `ip-${wanted}-0`,
      '[  12.3] cloud-init: mica-slices: failed: GPU 0: MIG stays off after a reboot\nlogin:',
    );
    const answer = await world.change();
    expect(answer).toMatchObject({
      outcome: 'rolled-back',
      why: { message: expect.stringContaining('said at boot: failed: GPU 0: MIG stays off') },
    });
    expectAsBefore();
  });

  it('a right that is missing', async () => {
    world.api.fail(/CreateLaunchTemplate/, {
      kind: 'error',
      status: 403,
      code: 'UnauthorizedOperation',
      message: 'no',
    });
    expect(await world.change()).toMatchObject({
      outcome: 'refused',
      why: { message: expect.stringContaining('UnauthorizedOperation') },
    });
    expectAsBefore();
  });

  it('an old group that cannot be deleted is named, and the next run goes on', async () => {
    world.api.fail(/DELETE/, { kind: 'health', code: 'Ec2SecurityGroupDeletionFailure', message: 'in use' });
    expect(await world.change()).toMatchObject({
      outcome: 'failed',
      left: [expect.stringContaining('empty and cordoned')],
    });
    expect(await world.change()).toMatchObject({ outcome: 'done' });
  });
});

it('a pod whose budget never allows it goes back with the others', async () => {
  world.addWorkload('bert', 1);
  world.addWorkload('held', 1);
  world.cluster.heldUntilMs.set('held', Infinity);
  expect(await world.change({}, allowed)).toMatchObject({
    outcome: 'rolled-back',
    why: { message: expect.stringContaining('default/held-0') },
  });
  expectAsBefore();
});
