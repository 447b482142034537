/** MigPolicies on an API server that has the kind, and the hands of others there. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { parse } from 'yaml';
import { connect } from '#adapters/kubernetes/connection';
import { migPolicies, type MigPoliciesOptions } from '#adapters/kubernetes/mig-policies';
import type { MigPolicySpec } from '#core/cluster/policy/mig-policy';
import type { MigPolicies } from '#ports/mig-policies';
import type { PolicyWorld } from '#ports/mig-policies.contract';
import type { Json } from '../kubernetes/api-server/json.js';
import type { Ask } from '../kubernetes/cluster-hands.js';
import { openTestCluster, type TestCluster } from '../kubernetes/test-cluster.js';
import { root } from '../tooling/clone.js';
import { hurriedClock } from './cluster-on-server.js';

export const policyCrd: Json = parse(
  readFileSync(join(root, 'deploy/kubernetes/controller/mig-policy.yaml'), 'utf8'),
);
const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
export const policiesPath = '/apis/mica.dev/v1alpha1/migpolicies';

export const aPolicy = (name: string, spec: Json = {}): Json => ({
  apiVersion: 'mica.dev/v1alpha1',
  kind: 'MigPolicy',
  metadata: { name },
  spec,
});

/** A real server needs a moment until it serves the kind. */
export async function defineKind(ask: Ask, crd: Json = policyCrd): Promise<void> {
  const { status, body } = await ask('POST', definitions, crd);
  if (status !== 201) throw new Error(`the CRD is refused: ${JSON.stringify(body)}`);
  for (let tries = 0; tries < 200; tries += 1) {
    if ((await ask('GET', policiesPath)).status === 200) return;
    await wait(50);
  }
  throw new Error('the server does not serve migpolicies');
}

export function dropKind(ask: Ask): Promise<unknown> {
  return ask('DELETE', `${definitions}/migpolicies.mica.dev`);
}

export interface ServedPolicies {
  readonly cluster: TestCluster;
  readonly policies: MigPolicies;
  readonly world: PolicyWorld;
  readonly close: () => Promise<void>;
}

export async function servePolicies(
  options: Partial<MigPoliciesOptions> & { readonly hasKind?: boolean } = {},
): Promise<ServedPolicies> {
  const { hasKind = true, ...adapter } = options;
  const cluster = await openTestCluster();
  if (hasKind) await defineKind(cluster.ask);
  const connection = connect({ kubeconfig: cluster.admin.kubeconfigPath, env: {} });
  const policies = migPolicies({ connection, clock: hurriedClock, pageSize: 1, ...adapter });
  return {
    cluster,
    policies,
    world: worldOf(cluster.ask),
    close: async () => {
      await connection.close();
      await cluster.close();
    },
  };
}

function worldOf(ask: Ask): PolicyWorld {
  const must = async (...request: Parameters<Ask>): Promise<Json> => {
    const { status, body } = await ask(...request);
    if (status >= 300) throw new Error(`${request[0]} ${request[1]}: ${JSON.stringify(body)}`);
    return body;
  };
  const put = async (name: string, spec: Json): Promise<void> => {
    const { body } = await ask('GET', `${policiesPath}/${name}`);
    const { resourceVersion } = body.metadata;
    if (resourceVersion === undefined) await must('POST', policiesPath, aPolicy(name, spec));
    else
      await must('PUT', `${policiesPath}/${name}`, {
        ...aPolicy(name, spec),
        metadata: { name, resourceVersion },
      });
  };
  return {
    put: (name, spec) => put(name, wireSpec(spec)),
    putImpossible: (name) =>
      put(name, {
        maintenanceWindows: [{ start: '22:00', durationMinutes: 60, timeZone: 'Mars/Olympus_Mons' }],
      }),
    annotate: async (name) => {
      const body = { metadata: { annotations: { 'example.com/touched': 'yes' } } };
      const type = { 'content-type': 'application/merge-patch+json' };
      await must('PATCH', `${policiesPath}/${name}`, body, type);
    },
    remove: async (name) => {
      await must('DELETE', `${policiesPath}/${name}`);
    },
    turnedMs: async (name, type) => {
      const { status } = await must('GET', `${policiesPath}/${name}`);
      const found = status?.conditions?.find((one: Json) => one.type === type);
      return found === undefined ? null : Date.parse(found.lastTransitionTime);
    },
  };
}

/** As somebody would write it. */
function wireSpec({
  pendingMs,
  cooldownMs,
  allowedProfiles,
  maintenanceWindows,
  ...same
}: Partial<MigPolicySpec>): Json {
  return {
    ...same,
    ...(pendingMs === undefined ? {} : { pendingSeconds: pendingMs / 1000 }),
    ...(cooldownMs === undefined ? {} : { cooldownSeconds: cooldownMs / 1000 }),
    ...(allowedProfiles === undefined || allowedProfiles === null ? {} : { allowedProfiles }),
    ...(maintenanceWindows === undefined
      ? {}
      : {
          maintenanceWindows: maintenanceWindows.map(({ days, ...window }) => ({
            ...window,
            ...(days.length === 0 ? {} : { days }),
          })),
        }),
  };
}
