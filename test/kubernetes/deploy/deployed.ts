/** The manifests of deploy/kubernetes as kubectl builds them, and an API server where they were applied. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { root } from '../../tooling/clone.js';
import type { Json } from '../api-server/json.js';
import { startApiServer, type Access, type ApiServer } from '../api-server/server.js';
import { openTestCluster, type TestCluster, type TestUser } from '../test-cluster.js';

/** kubectl keeps what it learned of a server here. */
const home = mkdtempSync(join(tmpdir(), 'mica-deploy-'));
afterAll(() => rmSync(home, { recursive: true, force: true }));

/** What kubectl prints, also where it fails. */
export async function kubectlPrints(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  input = '',
): Promise<{ readonly text: string; readonly failed: boolean }> {
  const running = promisify(execFile)('kubectl', [...args], {
    env: { PATH: process.env['PATH'], HOME: home, ...env },
  });
  running.child.stdin?.end(input);
  try {
    const { stdout, stderr } = await running;
    return { text: `${stdout}${stderr}`, failed: false };
  } catch (error) {
    const { stdout = '', stderr = String(error) } = error as { stdout?: string; stderr?: string };
    return { text: `${stdout}${stderr}`, failed: true };
  }
}

export const folders = [
  'base',
  'reader',
  'pools',
  'operator',
  'controller',
  'tenants/gpu-operator',
  'tenants/gke',
] as const;
export type Folder = (typeof folders)[number];

function folderOf(folder: Folder): string {
  return join(root, 'deploy/kubernetes', folder);
}

/** What `kubectl kustomize` makes of a folder. */
export async function built(folder: Folder): Promise<readonly Json[]> {
  const { text, failed } = await kubectlPrints(['kustomize', folderOf(folder)], {});
  if (failed) throw new Error(text);
  return parseAllDocuments(text).map((document): Json => document.toJS());
}

/** `kubectl apply -k` by an administrator. */
export function apply(
  { kubeconfigPath }: { readonly kubeconfigPath: string },
  folder: Folder,
): ReturnType<typeof kubectlPrints> {
  return kubectlPrints(['apply', '-k', folderOf(folder)], { KUBECONFIG: kubeconfigPath });
}

/** One resource and verb that a role allows. */
export interface Right {
  readonly role: string;
  readonly kind: 'Role' | 'ClusterRole';
  readonly namespace: string | undefined;
  readonly group: string;
  readonly resource: string;
  readonly verb: string;
  readonly names: readonly string[];
}

export function rightsIn(objects: readonly Json[]): readonly Right[] {
  return objects
    .filter(({ kind }) => kind === 'Role' || kind === 'ClusterRole')
    .flatMap(({ kind, metadata, rules }) =>
      (rules as readonly Json[]).flatMap((rule) =>
        (rule.apiGroups as string[]).flatMap((group) =>
          (rule.resources as string[]).flatMap((resource) =>
            (rule.verbs as string[]).map((verb) => ({
              role: metadata.name,
              kind,
              namespace: metadata.namespace,
              group,
              resource,
              verb,
              names: rule.resourceNames ?? [],
            })),
          ),
        ),
      ),
    );
}

/** `delete pods in gpu-operator`, `patch nodes`. */
export function inWords({ verb, resource, namespace }: Right): string {
  return `${verb} ${resource}${namespace === undefined ? '' : ` in ${namespace}`}`;
}

export function without(objects: readonly Json[], missing: Right): readonly Json[] {
  return objects.map((object) => {
    const isIt =
      object.kind === missing.kind &&
      object.metadata.name === missing.role &&
      object.metadata.namespace === missing.namespace;
    if (!isIt) return object;
    const kept = rightsIn([object]).filter((right) => inWords(right) !== inWords(missing));
    const rules = kept.map(({ group, resource, verb, names }) => ({
      apiGroups: [group],
      resources: [resource],
      verbs: [verb],
      ...(names.length === 0 ? {} : { resourceNames: names }),
    }));
    return { ...object, rules };
  });
}

export interface Deployed {
  readonly server: ApiServer;
  readonly as: (account: 'mica-reader' | 'mica-operator' | 'mica-controller') => Access;
}

export interface Installed {
  readonly cluster: TestCluster;
  readonly as: (account: 'mica-reader' | 'mica-operator') => TestUser;
}

/** The same in whichever cluster there is; objects of APIs that it does not have are left out. */
export async function installed(roles: readonly Json[], objects: readonly Json[]): Promise<Installed> {
  const cluster = await openTestCluster();
  await cluster.seed([...objects.filter(({ apiVersion }) => cluster.serves(apiVersion)), ...roles]);
  return { cluster, as: (account) => cluster.user(`system:serviceaccount:mica-system:${account}`) };
}

export async function deployed(roles: readonly Json[], objects: readonly object[]): Promise<Deployed> {
  const server = await startApiServer();
  server.seed([...objects, ...roles]);
  const as: Deployed['as'] = (account) => server.users.add(`system:serviceaccount:mica-system:${account}`);
  return { server, as };
}
