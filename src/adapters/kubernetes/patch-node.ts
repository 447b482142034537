/** Changes of one node: a merge patch of the keys that are ours; taints are one list to the API, so they are read first. */
import { z } from 'zod';
import type { ClusterNode } from '#core/cluster/objects';
import type { ApiAnswer, NodePatch } from '#ports/cluster-api';
import { ask, parsedBody } from './answers.js';
import type { Connection } from './connection.js';
import { nodesPath } from './kinds.js';
import { readOrFail } from './lists.js';
import { readNode } from './read-node.js';

/** Somebody else writes to a node now and then; each time the taints are read anew. */
const mostTries = 5;

const asIs = <T>(value: T): T => value;
const mergePatch = 'application/merge-patch+json';

export function getNode(connection: Connection, name: string): Promise<ApiAnswer<ClusterNode>> {
  return ask(connection, `reading node ${name}`, { path: pathOf(name) }, nodeIn(connection));
}

export async function patchNode(
  connection: Connection,
  name: string,
  patch: NodePatch,
  resourceVersion?: string,
): Promise<ApiAnswer<ClusterNode>> {
  const send = (version: string | undefined, taints: readonly WireTaint[] | undefined) =>
    ask(
      connection,
      `changing node ${name}`,
      {
        method: 'PATCH',
        path: pathOf(name),
        query: { fieldManager: 'mica' },
        contentType: mergePatch,
        body: bodyOf(patch, version, taints),
      },
      nodeIn(connection),
    );
  const touchesTaints = (patch.addTaints ?? []).length + (patch.removeTaints ?? []).length > 0;
  if (!touchesTaints) return send(resourceVersion, undefined);
  for (let tries = 1; ; tries += 1) {
    const found = await ask(connection, `reading node ${name}`, { path: pathOf(name) }, (body) =>
      parsedBody(connection.shown, taintsShape, body),
    );
    if (!found.ok) return found;
    const version = resourceVersion ?? found.value.metadata.resourceVersion;
    const answer = await send(version, withTaints(found.value.spec?.taints ?? [], patch));
    const again = !answer.ok && answer.why.kind === 'conflict' && resourceVersion === undefined;
    if (!again || tries === mostTries) return answer;
  }
}

/** With all that it has, as the time when it was added. */
const wireTaint = z.looseObject({ key: z.string(), effect: z.string() });
type WireTaint = z.infer<typeof wireTaint>;

const taintsShape = z.object({
  metadata: z.object({ resourceVersion: z.string() }),
  spec: z.object({ taints: z.array(wireTaint).nullish() }).nullish(),
});

function withTaints(
  taints: readonly WireTaint[],
  { addTaints = [], removeTaints = [] }: NodePatch,
): readonly WireTaint[] {
  const isOneOf = (all: readonly { readonly key: string; readonly effect: string }[], one: WireTaint) =>
    all.some(({ key, effect }) => key === one.key && effect === one.effect);
  const kept = taints.filter((one) => !isOneOf(removeTaints, one) && !isOneOf(addTaints, one));
  const added = addTaints.map((taint) => {
    const same = taints.find(
      (one) => one.key === taint.key && one.effect === taint.effect && (one['value'] ?? '') === taint.value,
    );
    return same ?? { ...taint };
  });
  return [...kept, ...added];
}

function bodyOf(
  { labels, annotations, cordoned }: NodePatch,
  resourceVersion: string | undefined,
  taints: readonly WireTaint[] | undefined,
): object {
  const metadata = {
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
    ...(labels === undefined ? {} : { labels }),
    ...(annotations === undefined ? {} : { annotations }),
  };
  const spec = {
    // False is not written down: kubectl takes the key away as well.
    ...(cordoned === undefined ? {} : { unschedulable: cordoned ? true : null }),
    ...(taints === undefined ? {} : { taints: taints.length === 0 ? null : taints }),
  };
  return { metadata, ...(Object.keys(spec).length === 0 ? {} : { spec }) };
}

function nodeIn(connection: Connection): (body: string) => ClusterNode {
  return (body) => {
    const raw = parsedBody(connection.shown, z.unknown(), body);
    return readOrFail(connection.shown, () => readNode(raw, asIs));
  };
}

function pathOf(name: string): string {
  return `${nodesPath}/${encodeURIComponent(name)}`;
}
