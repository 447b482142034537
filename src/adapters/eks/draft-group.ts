/** A node group like another one whose nodes boot with their GPUs cut: both requests, or why there can be none. */
import { createHash } from 'node:crypto';
import type { LaunchTemplateVersion } from '@aws-sdk/client-ec2';
import type { Nodegroup } from '@aws-sdk/client-eks';
import { bottlerocketCard, bottlerocketModels } from '#core/catalogue/bottlerocket-cards';
import { findMachineType } from '#core/catalogue/machine-types';
import { bootScript } from '#core/clouds/eks/boot-script';
import { cutMachine, type MachineCut } from '#core/clouds/eks/layouts';
import { slicesAsLabel, slicesLabel } from '#core/clouds/eks/slices-label';
import { withBootScript, withBottlerocketCut, type UserDataAnswer } from '#core/clouds/eks/user-data';
import { labels as labelNames } from '#core/cluster/label-names';
import { startupTaint, type PromisedSlices } from '#core/clouds/slices-ready';
import type { CloudAnswer, PoolDraft, PoolWish } from '#ports/node-pools';
import { no } from './failures.js';

export interface OldGroup {
  readonly group: Nodegroup;
  /** `null`: it has none of its own. */
  readonly template: LaunchTemplateVersion | null;
}

export function draftGroup(
  { region, cluster }: { readonly region: string; readonly cluster: string },
  old: OldGroup,
  wish: PoolWish,
): CloudAnswer<PoolDraft> {
  const { group, template } = old;
  const types =
    group.instanceTypes ??
    (template?.LaunchTemplateData?.InstanceType === undefined
      ? []
      : [template.LaunchTemplateData.InstanceType]);
  const [machineType = ''] = types;
  if (types.length !== 1) {
    return no(
      'invalid',
      `group ${group.nodegroupName ?? ''} has ${types.length} instance types`,
      'Name a group of one instance type: GPUs differ.',
    );
  }
  if (!/^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/.test(wish.name)) {
    return no(
      'invalid',
      `'${wish.name}' is no name for a node group`,
      'Name it with --name: up to 63 of A-Z, a-z, 0-9, - and _.',
    );
  }
  const cut = wish.cut === null ? null : cutMachine(machineType, wish.cut);
  if (cut?.ok === false)
    return no('not-offered', cut.message, 'See what the card holds with `mica layout list`.');
  const data = userData(old, wish, cut?.value ?? null);
  if (!data.ok) return data;
  const gpus = findMachineType(machineType)?.gpus ?? 0;
  const slices = cut === null ? [{ profile: null, perNode: gpus }] : countSlices(cut.value, wish.sharers);
  const userDataText = Buffer.from(data.value).toString('base64');
  const templateData = {
    ...template?.LaunchTemplateData,
    ...(template === null && blockDevices(group)),
    ...(data.value !== '' && { UserData: userDataText }),
  };
  const digest = createHash('sha256').update(JSON.stringify(templateData)).digest('hex').slice(0, 10);
  const templateName = `mica-${wish.name}-${digest}`;
  const tags = [
    { Key: 'mica.dev/cluster', Value: cluster },
    { Key: 'mica.dev/group', Value: wish.name },
  ];
  const templateBody = {
    LaunchTemplateName: templateName,
    ClientToken: templateName,
    LaunchTemplateData: templateData,
    TagSpecifications: [{ ResourceType: 'launch-template', Tags: tags }],
  };
  const groupBody = groupLike(group, wish, { templateName, slices, isCut: cut !== null });
  return {
    ok: true,
    value: {
      name: wish.name,
      requests: [
        {
          method: 'POST',
          path: 'CreateLaunchTemplate',
          body: templateBody,
          command: [
            'aws',
            'ec2',
            'create-launch-template',
            `--region=${region}`,
            '--cli-input-json',
            JSON.stringify(templateBody),
          ],
          unsaid: [],
        },
        {
          method: 'POST',
          path: `clusters/${cluster}/node-groups`,
          body: groupBody,
          command: [
            'aws',
            'eks',
            'create-nodegroup',
            `--region=${region}`,
            `--cluster-name=${cluster}`,
            '--cli-input-json',
            JSON.stringify(groupBody),
          ],
          unsaid: [],
        },
      ],
      slices,
      nodes: groupBody.scalingConfig.desiredSize,
      labels: { ...groupBody.labels, 'eks.amazonaws.com/nodegroup': wish.name },
      notes:
        cut === null
          ? []
          : [`a cluster autoscaler must know the startup taint: --startup-taint=${startupTaint.key}`],
    },
  };
}

function groupLike(
  old: Nodegroup,
  wish: PoolWish,
  {
    templateName,
    slices,
    isCut,
  }: { readonly templateName: string; readonly slices: readonly PromisedSlices[]; readonly isCut: boolean },
) {
  const { minSize = 0, maxSize = 1 } = old.scalingConfig ?? {};
  const labels = otherLabels(old.labels ?? {});
  const taints = (old.taints ?? []).filter(({ key }) => key !== startupTaint.key);
  const startup = { key: startupTaint.key, value: startupTaint.value, effect: 'NO_SCHEDULE' };
  const body = {
    nodegroupName: wish.name,
    scalingConfig: {
      minSize,
      maxSize: Math.max(maxSize, wish.nodes, 1),
      desiredSize: Math.max(wish.nodes, minSize),
    },
    subnets: old.subnets ?? [],
    nodeRole: old.nodeRole ?? '',
    // A template with its own image says what it is; EKS takes no type beside it.
    ...(old.amiType !== undefined && old.amiType !== 'CUSTOM' && { amiType: old.amiType }),
    ...(old.instanceTypes !== undefined && { instanceTypes: old.instanceTypes }),
    ...(old.capacityType !== undefined && { capacityType: old.capacityType }),
    ...(old.updateConfig !== undefined && { updateConfig: old.updateConfig }),
    ...(old.nodeRepairConfig !== undefined && { nodeRepairConfig: old.nodeRepairConfig }),
    ...(old.tags !== undefined && { tags: old.tags }),
    labels: { ...labels, ...wish.labels, ...(isCut && bootedCut(slices)) },
    taints: [...taints, ...(isCut ? [startup] : [])],
    launchTemplate: { name: templateName, version: '1' },
  };
  // The same group is asked for under the same token: a request that is sent twice is taken once.
  const clientRequestToken = createHash('sha256').update(JSON.stringify(body)).digest('hex').slice(0, 36);
  return { ...body, clientRequestToken };
}

/**
 * mig-manager of the GPU Operator takes a node that names no configuration for `all-disabled`, and would undo what was cut
 * at boot; where the operator finds its switch on the node, it leaves it as it is.
 */
function bootedCut(slices: readonly PromisedSlices[]): Record<string, string> {
  return { [slicesLabel]: slicesAsLabel(slices), [labelNames.migManager]: 'false' };
}

/** Without ours: mig-manager is kept off only as long as the nodes boot cut. */
function otherLabels(old: Readonly<Record<string, string>>): Record<string, string> {
  const ours = slicesLabel in old ? [slicesLabel, labelNames.migManager] : [];
  return Object.fromEntries(Object.entries(old).filter(([key]) => !ours.includes(key)));
}

/** What the nodes run when they boot. */
function userData(
  { group, template }: OldGroup,
  wish: PoolWish,
  cut: MachineCut | null,
): CloudAnswer<string> {
  const had = Buffer.from(template?.LaunchTemplateData?.UserData ?? '', 'base64').toString('utf8');
  if (cut === null) return { ok: true, value: had };
  const type = group.amiType ?? 'CUSTOM';
  if (type.startsWith('BOTTLEROCKET')) return bottlerocketData(had, wish, cut);
  if (!/NVIDIA|GPU|CUSTOM/.test(type)) {
    return no(
      'not-offered',
      `${type} has no NVIDIA driver`,
      'Use a group with an AL2023 NVIDIA or Bottlerocket NVIDIA image.',
    );
  }
  if (wish.sharers > 1) {
    return no(
      'not-offered',
      'on this image the device plugin decides who shares',
      'Configure time-slicing of the NVIDIA device plugin.',
    );
  }
  return asAnswer(withBootScript(bootScript(cut.gpus), had));
}

function bottlerocketData(had: string, wish: PoolWish, { model }: MachineCut): CloudAnswer<string> {
  const card = bottlerocketCard(model.key);
  if (card === undefined) {
    const message = `no Bottlerocket key is known for ${model.key}; known are ${bottlerocketModels.join(', ')}`;
    return no('not-offered', message, 'Use a group with an AL2023 NVIDIA image.');
  }
  if (typeof wish.cut !== 'string' || !card.profiles.includes(wish.cut)) {
    const message = `Bottlerocket cuts all GPUs of a ${model.key} node into one of ${card.profiles.join(', ')}`;
    return no('not-offered', message, 'Name one of those, or use a group with an AL2023 NVIDIA image.');
  }
  return asAnswer(withBottlerocketCut({ key: card.key, profile: wish.cut, sharers: wish.sharers }, had));
}

function asAnswer(answer: UserDataAnswer): CloudAnswer<string> {
  if (answer.ok) return { ok: true, value: answer.text };
  return no(
    'invalid',
    `the old group cannot be copied: ${answer.message}`,
    'Give the group a template whose user data is MIME multi-part.',
  );
}

function countSlices({ gpus }: MachineCut, sharers: number): readonly PromisedSlices[] {
  const counts = new Map<string | null, number>();
  for (const layout of gpus) {
    if (layout.length === 0) counts.set(null, (counts.get(null) ?? 0) + sharers);
    for (const { profile } of layout) counts.set(profile, (counts.get(profile) ?? 0) + sharers);
  }
  return [...counts].map(([profile, perNode]) => ({ profile, perNode }));
}

/** Beside a launch template EKS takes no disk size: the template has to say it. */
function blockDevices({ diskSize, amiType }: Nodegroup): object {
  if (diskSize === undefined) return {};
  const DeviceName = amiType?.startsWith('BOTTLEROCKET') === true ? '/dev/xvdb' : '/dev/xvda';
  return { BlockDeviceMappings: [{ DeviceName, Ebs: { VolumeSize: diskSize, VolumeType: 'gp3' } }] };
}
