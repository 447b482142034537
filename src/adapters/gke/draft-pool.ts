/** A pool like another one, cut otherwise: the request that makes it, or why GKE has no such pool. */
import { findMachineType, isFractional } from '#core/catalogue/machine-types';
import { createPool } from '#core/clouds/gke/gcloud';
import { defaultScopes, type GkeCluster, type GkeNodePool } from '#core/clouds/gke/node-pool';
import { labelsOfNodes, recutPool } from '#core/clouds/gke/replace-pool';
import { partitionSize } from '#core/clouds/gke/sizes';
import type { CloudAnswer, CloudRefusal, PoolDraft, PoolMachine, PoolWish } from '#ports/node-pools';
import { slicesOf } from './read-pool.js';

/** A pool like none: what gcloud would make of the machine type, with whole GPUs. */
export function freshPool(place: GkeCluster, machine: PoolMachine | undefined): CloudAnswer<GkeNodePool> {
  const known = findMachineType(machine?.machineType ?? '');
  if (machine === undefined || known?.accelerator == null) {
    const message = `${machine?.machineType ?? 'nothing'} is no Google Cloud machine type with GPUs that Mica knows`;
    return refuse('not-offered', message, 'Name one as g4-standard-48, a2, a3 or a4.');
  }
  const isRegion = !/-[a-z]$/.test(place.location);
  if (isRegion && machine.zones.length === 0) {
    const message = `${place.location} is a region: GKE would make the nodes once in each of its zones`;
    return refuse('invalid', message, 'Name the zones of the GPU nodes with --zones.');
  }
  const accelerator = {
    acceleratorCount: `${known.gpus}`,
    acceleratorType: known.accelerator,
    gpuDriverInstallationConfig: { gpuDriverVersion: 'LATEST' },
  };
  return {
    ok: true,
    value: {
      name: '',
      config: {
        machineType: known.name,
        accelerators: [accelerator],
        oauthScopes: defaultScopes,
        ...(machine.spot && { spot: true }),
      },
      ...(machine.zones.length > 0 && { locations: machine.zones }),
      ...(machine.scaling !== null && {
        autoscaling: {
          enabled: true,
          minNodeCount: machine.scaling.minNodes,
          maxNodeCount: machine.scaling.maxNodes,
        },
      }),
      management: { autoRepair: true, autoUpgrade: true },
      upgradeSettings: { maxSurge: 1 },
    },
  };
}

const longestName = 40;
const mostSharers = 48;

export function draftPool(
  place: GkeCluster,
  old: GkeNodePool,
  wish: PoolWish,
  spelling: '.' | '+' | undefined,
): CloudAnswer<PoolDraft> {
  const [accelerator] = old.config.accelerators ?? [];
  const machineType = old.config.machineType ?? '';
  const machine = findMachineType(machineType);
  if (accelerator?.acceleratorType === undefined) {
    return refuse(
      'not-offered',
      `node pool ${old.name} has no GPUs`,
      'Name a pool whose machines have some.',
    );
  }
  if (machine !== undefined && isFractional(machine)) {
    const message = `${machineType} has a part of a GPU that Google has cut already, and it cannot be cut again`;
    return refuse('not-offered', message, 'Use g4-standard-48 or larger, which have whole GPUs.');
  }
  if (wish.cut !== null && typeof wish.cut !== 'string') {
    const message = 'GKE cuts all GPUs of a pool into one size, and a layout was asked for';
    return refuse('not-offered', message, 'Name one size, or run the GPU Operator on GKE.');
  }
  if (wish.sharers > mostSharers) {
    return refuse('not-offered', `GKE lets at most ${mostSharers} pods share a slice`, 'Ask for fewer.');
  }
  if (!/^[a-z]([a-z0-9-]*[a-z0-9])?$/.test(wish.name) || wish.name.length > longestName) {
    const message = `'${wish.name}' is no name for a node pool: at most ${longestName} of a-z, 0-9 and -`;
    return refuse('invalid', message, 'Name it with --name.');
  }
  const cut = wish.cut === null ? null : partitionSize(accelerator.acceleratorType, wish.cut, spelling);
  if (cut?.ok === false) {
    const isSpelling = cut.why.kind === 'attribute-spelling';
    const next = isSpelling
      ? 'Say which with --attribute-spelling.'
      : 'Name one of those, or run the GPU Operator.';
    return refuse('not-offered', cut.why.message, next);
  }
  const zones = Math.max(old.locations?.length ?? 1, 1);
  const nodesPerZone = Math.ceil(wish.nodes / zones);
  const pool = recutPool(old, {
    name: wish.name,
    partitionSize: cut?.size ?? null,
    sharers: wish.sharers,
    nodesPerZone,
    labels: wish.labels,
  });
  const request = createPool(place, pool);
  return {
    ok: true,
    value: {
      name: pool.name,
      requests: [request],
      slices: slicesOf(pool) ?? [],
      nodes: nodesPerZone * zones,
      labels: labelsOfNodes(pool),
      notes: [
        ...(nodesPerZone * zones === wish.nodes
          ? []
          : [`${wish.nodes} nodes do not divide by ${zones} zones: ${nodesPerZone * zones} are made`]),
        ...(request.unsaid.length === 0
          ? []
          : [`gcloud has no flag for ${request.unsaid.join(', ')}: Mica sends the request, which has them`]),
      ],
    },
  };
}

function refuse(kind: CloudRefusal['kind'], message: string, next: string): CloudAnswer<never> {
  return { ok: false, why: { kind, message, next } };
}
