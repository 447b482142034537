/** The managed cluster whose node pools a command is about: GKE or EKS, as its flags say. */
import { systemClock } from '#adapters/system/clock';
import { MicaError } from '#core/errors';
import type { NodePools } from '#ports/node-pools';
import type { Host } from '../../terminal/screen.js';

export interface PoolFlags {
  readonly gke?: string;
  readonly eks?: string;
  readonly attributeSpelling?: '.' | '+';
  readonly json?: boolean;
}

/** The libraries of a cloud are loaded when that cloud is meant. */
export async function withPools<T>(
  host: Host,
  flags: PoolFlags,
  work: (pools: NodePools) => Promise<T>,
): Promise<T> {
  const pools = await openPools(host, flags);
  try {
    return await work(pools);
  } finally {
    await pools.close();
  }
}

async function openPools(
  { env }: Host,
  { gke, eks, attributeSpelling }: PoolFlags,
): Promise<NodePools & { readonly close: () => Promise<void> }> {
  if ((gke === undefined) === (eks === undefined)) {
    throw new MicaError(
      'bad-usage',
      'name the cluster: --gke PROJECT/LOCATION/CLUSTER or --eks REGION/CLUSTER',
    );
  }
  if (gke !== undefined) {
    const [project, location, cluster] = partsOf('--gke', gke, 3, 'PROJECT/LOCATION/CLUSTER');
    const { gkeNodePools } = await import('#adapters/gke/node-pools');
    const { applicationDefaultCredentials } = await import('#adapters/gke/credentials');
    // As gcloud has them: for a proxy, a private endpoint, or a try without a cloud.
    const endpoint = env['CLOUDSDK_API_ENDPOINT_OVERRIDES_CONTAINER'];
    const isOpen = env['CLOUDSDK_AUTH_DISABLE_CREDENTIALS']?.toLowerCase() === 'true';
    return gkeNodePools({
      place: { project, location, cluster },
      clock: systemClock,
      ...(endpoint === undefined ? {} : { endpoint }),
      ...(isOpen ? {} : { authorize: await applicationDefaultCredentials() }),
      ...(attributeSpelling === undefined ? {} : { attributeSpelling }),
    });
  }
  const [region, cluster] = partsOf('--eks', eks ?? '', 2, 'REGION/CLUSTER');
  const { eksNodePools } = await import('#adapters/eks/node-pools');
  return eksNodePools({ region, cluster, clock: systemClock });
}

function partsOf(option: string, text: string, count: 2 | 3, form: string): [string, string, string] {
  const parts = text.split('/');
  if (parts.length !== count || parts.some((part) => !/^[A-Za-z0-9][A-Za-z0-9._:-]*$/.test(part))) {
    throw new MicaError('bad-usage', `${option} takes ${form}, got '${text}'`);
  }
  const [first = '', second = '', third = ''] = parts;
  return [first, second, third];
}
