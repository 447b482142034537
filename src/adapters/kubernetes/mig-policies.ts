/** The MigPolicies port on a Kubernetes API server: the custom resource watched, and its status written by merge patch. */
import { z } from 'zod';
import { MicaError } from '#core/errors';
import type { PolicyStatus } from '#core/cluster/policy/mig-policy';
import type { Clock } from '#ports/clock';
import type { ApiAnswer, ApiRefusal } from '#ports/cluster-api';
import type { MigPolicies, PolicyWatch } from '#ports/mig-policies';
import { ask, parsedBody } from './answers.js';
import type { Connection } from './connection.js';
import { informer, type Kind } from './informer.js';
import { readOrFail } from './lists.js';
import { PolicyView } from './policy-view.js';
import { statusPatch } from './policy-status.js';
import { readPolicy, type ReadPolicy } from './read-policy.js';

export interface MigPoliciesOptions {
  readonly connection: Connection;
  readonly clock: Clock;
  /** Objects on one page of a list. */
  readonly pageSize?: number;
  /** A watch is asked for anew after so long, or half as long again. */
  readonly watchSeconds?: number;
  /** From 0 to 1; left out: by chance. */
  readonly random?: () => number;
}

const path = '/apis/mica.dev/v1alpha1/migpolicies';
const may =
  'The user must be allowed to list and watch migpolicies of mica.dev: deploy/kubernetes/controller has a ClusterRole ' +
  'with these rights.';

/** Somebody may write to a policy at the same moment; each time it is read anew. */
const mostTries = 5;

type Named = Parameters<MigPolicies['writeStatus']>[0];

export function migPolicies(options: MigPoliciesOptions): MigPolicies {
  const { connection, clock, pageSize = 250, watchSeconds = 120, random = Math.random } = options;
  const views = new Set<PolicyView>();

  const watch = async (signal: AbortSignal): Promise<PolicyWatch> => {
    const view = new PolicyView();
    const stop = new AbortController();
    let trouble: ApiRefusal | null = null;
    const onTrouble = (why: ApiRefusal | null): void => {
      const was = trouble;
      trouble = why;
      if ((was === null) !== (why === null)) view.countChange();
    };
    const one = informer(kindIn(view), { connection, clock, pageSize, watchSeconds, random, onTrouble });
    if ((await one.start(signal)) === 'absent')
      throw new MicaError('no-policies-kind', `${connection.shown} has no migpolicies of mica.dev/v1alpha1.`);
    views.add(view);
    const running = one.run(stop.signal);
    return {
      policies: () => view.policies(),
      version: () => view.version,
      trouble: () => trouble,
      changed: (since, until) => view.changed(since, until, stop.signal),
      close: async () => {
        views.delete(view);
        stop.abort();
        await running;
      },
    };
  };

  const writeStatus: MigPolicies['writeStatus'] = async (policy, status, nowMs) => {
    for (const view of views) {
      const known = view.latest(policy);
      if (known !== null && statusPatch(status, known.status, nowMs) === null) return done;
    }
    const written = await writeOver(connection, policy, status, nowMs);
    if (!written.ok) return written;
    for (const view of views) view.wrote(policy, written.value);
    return done;
  };

  return { watch, writeStatus };
}

const done = { ok: true, value: null } as const;

function kindIn(view: PolicyView): Kind<ReadPolicy> {
  return {
    path,
    may,
    read: (raw) => {
      const read = readPolicy(raw);
      // What is being deleted allows nothing any more, though a finalizer of somebody may hold it.
      return { key: read.seen.policy.name, value: read.isDeleting ? null : read };
    },
    replace: (all) => view.replace(all),
    put: (name, read) => view.put(name, read),
    remove: (name) => view.remove(name),
  };
}

/** Over what is there now, if it is not so already; answers the version of the object. */
async function writeOver(
  connection: Connection,
  { name, uid }: Named,
  status: PolicyStatus,
  nowMs: number,
): Promise<ApiAnswer<string>> {
  const what = `the status of MigPolicy ${name}`;
  const one = `${path}/${encodeURIComponent(name)}`;
  const read = (body: string): ReadPolicy => {
    const raw = parsedBody(connection.shown, z.unknown(), body);
    return readOrFail(connection.shown, () => readPolicy(raw));
  };
  for (let tries = 1; ; tries += 1) {
    const found = await ask(connection, `reading ${what}`, { path: one }, read);
    if (!found.ok) return found;
    if (found.value.seen.policy.uid !== uid) {
      const message = `${connection.shown}: writing ${what}: it is another one of the same name`;
      return { ok: false, why: { kind: 'gone', message, retryAfterMs: null } };
    }
    const { resourceVersion } = found.value;
    const patch = statusPatch(status, found.value.status, nowMs);
    if (patch === null) return { ok: true, value: resourceVersion };
    const written = await ask(
      connection,
      `writing ${what}`,
      {
        method: 'PATCH',
        path: `${one}/status`,
        query: { fieldManager: 'mica' },
        contentType: 'application/merge-patch+json',
        body: { metadata: { resourceVersion }, status: patch },
      },
      read,
    );
    if (written.ok) return { ok: true, value: written.value.resourceVersion };
    if (written.why.kind !== 'conflict' || tries === mostTries) return written;
  }
}
