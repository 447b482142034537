/** The NodePools port on EKS managed node groups. */
import { EC2, type CreateLaunchTemplateCommandInput } from '@aws-sdk/client-ec2';
import {
  EKS,
  type CreateNodegroupCommandInput,
  type Nodegroup,
  type NodegroupScalingConfig,
} from '@aws-sdk/client-eks';
import { consoleMark } from '#core/clouds/eks/boot-script';
import type { CloudRequest } from '#core/clouds/request';
import type { Clock } from '#ports/clock';
import type { CallOptions, CloudAnswer, NodePools, PoolView } from '#ports/node-pools';
import { draftGroup, type OldGroup } from './draft-group.js';
import { answered, no, refusalOfHealth } from './failures.js';
import { viewOf } from './read-group.js';

export interface EksOptions {
  readonly region: string;
  readonly cluster: string;
  readonly clock: Clock;
  /** Left out: AWS's, or as $AWS_ENDPOINT_URL says. */
  readonly endpoint?: string;
  /** For one change of a group (default: 40 min: machines with GPUs may take long to come). */
  readonly timeoutMs?: number;
}

export interface EksNodePools extends NodePools {
  readonly close: () => Promise<void>;
}

const pollMs = 10_000;

export function eksNodePools({
  region,
  cluster,
  clock,
  endpoint,
  timeoutMs = 40 * 60_000,
}: EksOptions): EksNodePools {
  // The versions that package.json takes do run on Node 20; a warning on every call would help nobody.
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';
  const access = { region, maxAttempts: 6, ...(endpoint === undefined ? {} : { endpoint }) };
  const eks = new EKS(access);
  const ec2 = new EC2(access);

  const find = async (nodegroupName: string): Promise<CloudAnswer<Nodegroup | null>> => {
    const found = await answered(() => eks.describeNodegroup({ clusterName: cluster, nodegroupName }));
    if (!found.ok) return found.why.kind === 'not-found' ? { ok: true, value: null } : found;
    return { ok: true, value: found.value.nodegroup ?? null };
  };

  const findOld = async (name: string): Promise<CloudAnswer<OldGroup>> => {
    const found = await find(name);
    if (!found.ok) return found;
    if (found.value === null)
      return no('not-found', `there is no node group ${name}`, 'See `mica cluster pool list`.');
    const used = found.value.launchTemplate;
    if (used?.id === undefined) return { ok: true, value: { group: found.value, template: null } };
    const { id, version = '$Default' } = used;
    const read = await answered(() =>
      ec2.describeLaunchTemplateVersions({ LaunchTemplateId: id, Versions: [version] }),
    );
    if (!read.ok) return read;
    const [template = null] = read.value.LaunchTemplateVersions ?? [];
    return { ok: true, value: { group: found.value, template } };
  };

  /** Until the group rests, or is gone. */
  const settled = async (
    name: string,
    { signal, say }: CallOptions,
  ): Promise<CloudAnswer<PoolView | null>> => {
    const deadlineMs = clock.nowMs() + timeoutMs;
    for (;;) {
      const found = await find(name);
      if (!found.ok) return found;
      if (found.value === null) return { ok: true, value: null };
      const view = viewOf(found.value);
      if (view.state === 'running' || view.state === 'broken') return { ok: true, value: view };
      if (signal.aborted || clock.nowMs() >= deadlineMs) {
        const why = signal.aborted ? 'interrupted' : 'waited long enough';
        const message = `${why}: node group ${name} is still ${view.state}${view.message === null ? '' : ` (${view.message})`}`;
        return no('timed-out', message, 'Run this again: it goes on from there.');
      }
      say(`node group ${name} is ${view.state}${view.message === null ? '' : `: ${view.message}`}`);
      await clock.sleep(pollMs, signal);
    }
  };

  const scale = async (
    name: string,
    to: (now: NodegroupScalingConfig) => NodegroupScalingConfig | null,
    call: CallOptions,
  ): Promise<CloudAnswer<null>> => {
    const found = await find(name);
    if (!found.ok) return found;
    if (found.value === null)
      return no('not-found', `there is no node group ${name}`, 'See `mica cluster pool list`.');
    const scalingConfig = to(found.value.scalingConfig ?? {});
    if (scalingConfig === null) return { ok: true, value: null };
    const sent = await answered(() =>
      eks.updateNodegroupConfig({ clusterName: cluster, nodegroupName: name, scalingConfig }),
    );
    if (!sent.ok) return sent;
    const rest = await settled(name, call);
    return rest.ok ? { ok: true, value: null } : rest;
  };

  /** The templates that Mica made for a group, by their tags: a template of others is never touched. */
  const dropTemplates = async (group: string): Promise<CloudAnswer<null>> => {
    const tagged = [
      { Name: 'tag:mica.dev/cluster', Values: [cluster] },
      { Name: 'tag:mica.dev/group', Values: [group] },
    ];
    const found = await answered(() => ec2.describeLaunchTemplates({ Filters: tagged }));
    if (!found.ok) return found;
    for (const { LaunchTemplateId } of found.value.LaunchTemplates ?? []) {
      if (LaunchTemplateId === undefined) continue;
      const gone = await answered(() => ec2.deleteLaunchTemplate({ LaunchTemplateId }));
      if (!gone.ok) return gone;
    }
    return { ok: true, value: null };
  };

  return {
    shown: `EKS cluster ${cluster}`,
    close: async () => {
      eks.destroy();
      ec2.destroy();
    },
    list: async () => {
      const views: PoolView[] = [];
      let nextToken: string | undefined;
      do {
        const token = nextToken;
        const page = await answered(() =>
          eks.listNodegroups({ clusterName: cluster, ...(token === undefined ? {} : { nextToken: token }) }),
        );
        if (!page.ok) return page;
        for (const name of page.value.nodegroups ?? []) {
          const found = await find(name);
          if (!found.ok) return found;
          if (found.value !== null) views.push(viewOf(found.value));
        }
        nextToken = page.value.nextToken;
      } while (nextToken !== undefined);
      return { ok: true, value: views };
    },
    get: async (name) => {
      const found = await find(name);
      return found.ok ? { ok: true, value: found.value === null ? null : viewOf(found.value) } : found;
    },
    draft: async (wish) => {
      if (wish.like === null) {
        return no(
          'invalid',
          'a node group needs a role and subnets',
          'Name a group that has them with --like.',
        );
      }
      const old = await findOld(wish.like);
      return old.ok ? draftGroup({ region, cluster }, old.value, wish) : old;
    },
    create: async ({ name, requests, labels }, call) => {
      const [template, group] = requests.map(({ body }) => body);
      const there = await find(name);
      if (!there.ok) return there;
      if (there.value !== null) {
        const has = viewOf(there.value).labels;
        const isOurs = Object.entries(labels).every(([key, value]) => has[key] === value);
        if (!isOurs)
          return no(
            'name-taken',
            `there is a node group ${name}, made otherwise`,
            'Name another one with --name.',
          );
        call.say(`node group ${name} was begun before`);
      } else {
        // Named after its content: one that is there is the one that we want.
        const made = await answered(() =>
          ec2.createLaunchTemplate(template as CreateLaunchTemplateCommandInput),
        );
        if (!made.ok && !made.why.message.includes('AlreadyExists')) return made;
        const began = await answered(() =>
          eks.createNodegroup({
            clusterName: cluster,
            ...(group as Omit<CreateNodegroupCommandInput, 'clusterName'>),
          }),
        );
        if (!began.ok) {
          const dropped = await find(name);
          // Where nobody can say whether it was begun, its template may be in use.
          if (!dropped.ok) return began;
          if (dropped.value === null) {
            await dropTemplates(name);
            return began;
          }
        }
      }
      const view = await settled(name, call);
      if (!view.ok) return view;
      if (view.value === null)
        return no('failed', `node group ${name} is not there after it was made`, 'Run this again.');
      if (view.value.state === 'broken') {
        return {
          ok: false,
          why: refusalOfHealth(view.value.message ?? `node group ${name} could not be made`),
        };
      }
      return { ok: true, value: view.value };
    },
    holdScaling: (name, call) =>
      scale(
        name,
        (now) => {
          const maxSize = Math.max(now.desiredSize ?? 1, now.minSize ?? 0, 1);
          return now.maxSize === maxSize ? null : { ...now, maxSize };
        },
        call,
      ),
    restoreScaling: async (name, like, call) => {
      const other = await find(like);
      if (!other.ok) return other;
      const most = other.value?.scalingConfig?.maxSize;
      if (most === undefined) return { ok: true, value: null };
      return scale(name, (now) => ((now.maxSize ?? 0) >= most ? null : { ...now, maxSize: most }), call);
    },
    resize: (name, nodes, call) =>
      scale(
        name,
        (now) => ({
          minSize: Math.min(now.minSize ?? 0, nodes),
          maxSize: Math.max(now.maxSize ?? 1, nodes, 1),
          desiredSize: nodes,
        }),
        call,
      ),
    remove: async (name, call) => {
      const there = await find(name);
      if (!there.ok) return there;
      if (there.value !== null && there.value.status !== 'DELETING') {
        const sent = await answered(() => eks.deleteNodegroup({ clusterName: cluster, nodegroupName: name }));
        if (!sent.ok && sent.why.kind !== 'not-found') return sent;
      }
      const rest = await settled(name, call);
      if (!rest.ok) return rest;
      if (rest.value !== null)
        return { ok: false, why: refusalOfHealth(rest.value.message ?? `node group ${name} stays`) };
      return dropTemplates(name);
    },
    closing: async (name) => {
      const found = await find(name);
      if (!found.ok) return found;
      return { ok: true, value: closingRequests(region, cluster, name, found.value?.scalingConfig) };
    },
    bootFailure: async (node) => {
      const found = await answered(() =>
        ec2.describeInstances({ Filters: [{ Name: 'private-dns-name', Values: [node] }] }),
      );
      const id = found.ok ? found.value.Reservations?.[0]?.Instances?.[0]?.InstanceId : undefined;
      if (id === undefined) return null;
      const read = await answered(() => ec2.getConsoleOutput({ InstanceId: id, Latest: true }));
      const text = Buffer.from((read.ok ? read.value.Output : undefined) ?? '', 'base64').toString('utf8');
      const said = text
        .split('\n')
        .filter((line) => line.includes(consoleMark))
        .at(-1);
      return said === undefined ? null : said.slice(said.indexOf(consoleMark) + consoleMark.length).trim();
    },
  };
}

function closingRequests(
  region: string,
  cluster: string,
  name: string,
  now: NodegroupScalingConfig = {},
): readonly CloudRequest[] {
  const path = `clusters/${cluster}/node-groups/${name}`;
  const where = [`--region=${region}`, `--cluster-name=${cluster}`, `--nodegroup-name=${name}`];
  const maxSize = Math.max(now.desiredSize ?? 1, now.minSize ?? 0, 1);
  const scalingConfig = { ...now, maxSize };
  const held: CloudRequest = {
    method: 'POST',
    path: `${path}/update-config`,
    body: { scalingConfig },
    command: [
      'aws',
      'eks',
      'update-nodegroup-config',
      ...where,
      '--scaling-config',
      JSON.stringify(scalingConfig),
    ],
    unsaid: [],
  };
  const deleted: CloudRequest = {
    method: 'DELETE',
    path,
    body: null,
    command: ['aws', 'eks', 'delete-nodegroup', ...where],
    unsaid: [],
  };
  return now.maxSize === maxSize ? [deleted] : [held, deleted];
}
