/** Events, as `kubectl describe` shows them under what they are about. */
import { randomBytes } from 'node:crypto';
import type { ApiAnswer, ClusterEvent } from '#ports/cluster-api';
import { ask } from './answers.js';
import type { Connection } from './connection.js';

/** The API takes no more. */
const longestMessage = 1024;

const versions: Readonly<Record<string, string>> = { MigPolicy: 'mica.dev/v1alpha1' };

export function recordEvent(
  connection: Connection,
  { about, type, reason, message }: ClusterEvent,
  nowMs: number,
): Promise<ApiAnswer<null>> {
  // What is in no namespace has its events in this one.
  const namespace = about.namespace ?? 'default';
  const time = new Date(nowMs).toISOString().replace(/\.\d+Z$/, 'Z');
  const words = message.length <= longestMessage ? message : `${message.slice(0, longestMessage - 1)}…`;
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/events`;
  const body = {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { namespace, name: `${about.name.slice(0, 230)}.${randomBytes(8).toString('hex')}` },
    involvedObject: {
      apiVersion: versions[about.kind] ?? 'v1',
      kind: about.kind,
      name: about.name,
      uid: about.uid,
      ...(about.namespace === null ? {} : { namespace: about.namespace }),
    },
    type,
    reason,
    message: words,
    source: { component: 'mica' },
    reportingComponent: 'mica',
    reportingInstance: 'mica',
    firstTimestamp: time,
    lastTimestamp: time,
    count: 1,
  };
  return ask(
    connection,
    `an event about ${about.kind} ${about.name}`,
    { method: 'POST', path, body },
    () => null,
  );
}
