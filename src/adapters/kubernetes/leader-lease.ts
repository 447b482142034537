/**
 * A Lease of coordination.k8s.io. Clocks of two machines need not agree: somebody else's lease is over when it was not
 * seen to change for as long as it holds, by our own clock.
 */
import { z } from 'zod';
import type { Clock } from '#ports/clock';
import type { LeaderLease, LeaseAnswer } from '#ports/leader-lease';
import { ask, parsedBody } from './answers.js';
import type { Connection } from './connection.js';

export interface LeaseOptions {
  readonly connection: Connection;
  readonly clock: Clock;
  readonly namespace: string;
  readonly name: string;
  /** Ours alone: the pod's name and something by chance. */
  readonly identity: string;
  readonly holdsSeconds?: number;
}

const leaseShape = z.object({
  metadata: z.object({ resourceVersion: z.string() }),
  spec: z
    .object({
      holderIdentity: z.string().nullish(),
      leaseDurationSeconds: z.number().nullish(),
      acquireTime: z.string().nullish(),
      renewTime: z.string().nullish(),
      leaseTransitions: z.number().nullish(),
    })
    .nullish(),
});
type Lease = z.infer<typeof leaseShape>;

export function kubernetesLease({
  connection,
  clock,
  namespace,
  name,
  identity,
  holdsSeconds = 15,
}: LeaseOptions): LeaderLease {
  const all = `/apis/coordination.k8s.io/v1/namespaces/${encodeURIComponent(namespace)}/leases`;
  const path = `${all}/${encodeURIComponent(name)}`;
  const read = (body: string): Lease => parsedBody(connection.shown, leaseShape, body);
  /** A renewal that hangs for longer is worth nothing. */
  const timeoutMs = holdsSeconds * 500;
  let observed: { readonly record: string; readonly atMs: number } | undefined;

  const isOver = (lease: Lease): boolean => {
    const { holderIdentity, leaseDurationSeconds } = lease.spec ?? {};
    if (holderIdentity === undefined || holderIdentity === null || holderIdentity === '') return true;
    const record = JSON.stringify(lease.spec);
    const now = clock.nowMs();
    if (observed?.record !== record) observed = { record, atMs: now };
    return now >= observed.atMs + (leaseDurationSeconds ?? holdsSeconds) * 1000;
  };

  const specAt = (nowMs: number, before: Lease['spec']) => {
    const time = new Date(nowMs).toISOString().replace('Z', '000Z');
    const isOurs = before?.holderIdentity === identity;
    const transitions = before?.leaseTransitions ?? 0;
    return {
      holderIdentity: identity,
      leaseDurationSeconds: holdsSeconds,
      acquireTime: isOurs ? (before.acquireTime ?? time) : time,
      renewTime: time,
      leaseTransitions: isOurs || before === undefined || before === null ? transitions : transitions + 1,
    };
  };

  const write = (method: 'POST' | 'PATCH', spec: object, resourceVersion?: string) =>
    ask(
      connection,
      `writing the lease ${namespace}/${name}`,
      {
        method,
        path: method === 'POST' ? all : path,
        timeoutMs,
        contentType: method === 'POST' ? 'application/json' : 'application/merge-patch+json',
        body: {
          apiVersion: 'coordination.k8s.io/v1',
          kind: 'Lease',
          metadata: { namespace, name, ...(resourceVersion === undefined ? {} : { resourceVersion }) },
          spec,
        },
      },
      read,
    );

  const hold = async (): Promise<LeaseAnswer> => {
    const found = await ask(connection, `reading the lease ${namespace}/${name}`, { path, timeoutMs }, read);
    if (!found.ok && found.why.kind !== 'gone') return { kind: 'failed', why: found.why };
    const lease = found.ok ? found.value : undefined;
    const holder = lease?.spec?.holderIdentity ?? '';
    if (lease !== undefined && holder !== identity && !isOver(lease)) return { kind: 'other', holder };
    const sentMs = clock.nowMs();
    const spec = specAt(sentMs, lease?.spec);
    const written =
      lease === undefined
        ? await write('POST', spec)
        : await write('PATCH', spec, lease.metadata.resourceVersion);
    if (written.ok) return { kind: 'held', untilMs: sentMs + holdsSeconds * 1000 };
    return written.why.kind === 'conflict' ? { kind: 'other', holder } : { kind: 'failed', why: written.why };
  };

  return {
    hold,
    release: async () => {
      const found = await ask(
        connection,
        `reading the lease ${namespace}/${name}`,
        { path, timeoutMs },
        read,
      );
      if (!found.ok || found.value.spec?.holderIdentity !== identity) return;
      const spec = {
        ...specAt(clock.nowMs(), found.value.spec),
        holderIdentity: '',
        leaseDurationSeconds: 1,
      };
      await write('PATCH', spec, found.value.metadata.resourceVersion);
    },
  };
}
