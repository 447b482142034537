/** Each workload of a plan as a Kubernetes Deployment: the right resource, the right node, an image to fill in. */
import type { EmitOptions } from './emission.js';
import { dotted, NameBook } from './kubernetes-names.js';
import { grouped } from './plan-nodes.js';
import type { Workload } from './workloads.js';

/** Stands where the user's image goes. No registry serves it, so a forgotten one fails at once and by name. */
const placeholderImage = 'put-your-image-here:placeholder';

/** What a target adds to a pod: how it asks for its slice, and which nodes it may stand on. */
export interface PodPlace {
  /** Resource limits of the container, e.g. `{ 'nvidia.com/mig-1g.24gb': 1 }`. */
  readonly limits?: Readonly<Record<string, number>>;
  readonly nodeSelector?: Readonly<Record<string, string>>;
  /** Terms that a node must meet, all of them. */
  readonly nodeTerms?: readonly NodeTerm[];
  /** DRA: the pod's one claim. */
  readonly claim?: { readonly resourceClaimTemplateName: string } | { readonly resourceClaimName: string };
}

export interface NodeTerm {
  readonly key: string;
  readonly operator: 'In' | 'DoesNotExist';
  readonly values?: readonly string[];
}

/** GPU nodes are tainted by GKE, EKS node groups and the operator's users alike; the taint's value differs. */
const gpuToleration = { key: 'nvidia.com/gpu', operator: 'Exists', effect: 'NoSchedule' };

export interface PlacedWorkload {
  readonly workload: Workload;
  readonly place: PodPlace;
}

/** A Deployment per workload, named after its need; the card and the size are added where a need has several. */
export function deploymentsOf(
  placed: readonly PlacedWorkload[],
  options: EmitOptions,
): readonly { readonly comment: readonly string[]; readonly value: object }[] {
  const names = new NameBook();
  const ofNeed = grouped(placed, ({ workload }) => workload.need);
  return placed.map(({ workload, place }) => {
    const alone = ofNeed.get(workload.need)?.length === 1;
    const name = names.take(alone ? workload.need : `${workload.need}-${askName(workload)}`);
    return { comment: commentOf(workload, options), value: deployment(name, workload, place, options) };
  });
}

function deployment(name: string, workload: Workload, place: PodPlace, options: EmitOptions): object {
  const labels = { 'app.kubernetes.io/name': name, 'app.kubernetes.io/managed-by': 'mica' };
  const { limits, nodeSelector, nodeTerms, claim } = place;
  const resources = { ...(limits && { limits }), ...(claim && { claims: [{ name: 'gpu' }] }) };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {
      name,
      ...(options.namespace !== undefined && { namespace: options.namespace }),
      labels,
      annotations: { 'mica/need': workload.need },
    },
    spec: {
      replicas: workload.replicas,
      selector: { matchLabels: { 'app.kubernetes.io/name': name } },
      template: {
        metadata: { labels },
        spec: {
          ...(nodeSelector && Object.keys(nodeSelector).length > 0 && { nodeSelector }),
          ...(nodeTerms && nodeTerms.length > 0 && { affinity: requiring(nodeTerms) }),
          ...(claim && { resourceClaims: [{ name: 'gpu', ...claim }] }),
          containers: [{ name: 'main', image: options.image ?? placeholderImage, resources }],
          tolerations: [gpuToleration],
        },
      },
    },
  };
}

function requiring(matchExpressions: readonly NodeTerm[]): object {
  return {
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions }] },
    },
  };
}

function commentOf({ need, model, ask, replicas }: Workload, options: EmitOptions): readonly string[] {
  const what =
    ask.kind === 'whole'
      ? `${ask.gpus === 1 ? 'a whole card' : `${ask.gpus} whole cards`} of ${model}`
      : `a ${ask.shared ? 'share of a ' : ''}${ask.profile} of ${model}`;
  const image = options.image === undefined ? ['Put your own image in place of the placeholder.'] : [];
  return [`Need ${need}: ${replicas} ${replicas === 1 ? 'replica' : 'replicas, each'} on ${what}.`, ...image];
}

function askName({ model, ask }: Workload): string {
  if (ask.kind === 'whole') return `${model}-x${ask.gpus}`;
  return `${model}-${dotted(ask.profile)}${ask.shared ? '-shared' : ''}`;
}
