/** Nodes and the pods of one, asked of the API server: all of them, whether they have to do with GPUs or not. */
import { MicaError } from '#core/errors';
import type { Clock } from '#ports/clock';
import type { ApiAnswer } from '#ports/cluster-api';
import type { NodePods } from '#ports/node-pods';
import { asRefusal } from './answers.js';
import type { Connection } from './connection.js';
import { interning } from './interning.js';
import { nodesPath } from './kinds.js';
import { listAll } from './lists.js';
import { readNode } from './read-node.js';
import { readPod } from './read-pod.js';

export function nodePods(connection: Connection, clock: Clock, pageSize = 500): NodePods {
  const list = async <T>(
    path: string,
    query: Readonly<Record<string, string>>,
    may: string,
    read: (raw: unknown) => T | null,
  ): Promise<ApiAnswer<readonly T[]>> => {
    let found: T[] = [];
    const restart = (): void => void (found = []);
    const take = (raw: unknown): void => {
      const value = read(raw);
      if (value !== null) found.push(value);
    };
    try {
      const options = { connection, clock, pageSize, may, query };
      await listAll(path, options, { restart, take }, new AbortController().signal);
      return { ok: true, value: found };
    } catch (error) {
      if (!(error instanceof MicaError)) throw error;
      return { ok: false, why: asRefusal(error) };
    }
  };
  return {
    podsOn: (node) => {
      const intern = interning();
      const query = { fieldSelector: `spec.nodeName=${node}` };
      const may = 'The user must be allowed to list pods.';
      return list('/api/v1/pods', query, may, (raw) => readPod(raw, () => true, intern));
    },
    nodes: (label) => {
      const intern = interning();
      const query = label === undefined ? {} : { labelSelector: `${label.key}=${label.value}` };
      return list(nodesPath, query, 'The user must be allowed to list nodes.', (raw) =>
        readNode(raw, intern),
      );
    },
  };
}
